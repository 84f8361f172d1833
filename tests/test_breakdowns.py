"""Hand-overs, questions asked again and scores, and all figures as sheets."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from pyarrow import parquet

from services.access import Role
from services.api.sheets import flat
from tests.counted import FIRST, World, contact, keep, within
from tests.house import House

MAY = {"from": "2026-05-01", "to": "2026-05-31"}


def ask(house: House, address: str, **asked: Any) -> Any:
    return house.get(f"/v1/figures/{address}", Role.analyst, **MAY | asked)


def some() -> World:
    """Five calls, of which three came back from mail after 1, 5 and 40 hours, and one from a call after 9 days."""
    made = World([contact(number, number, channel="phone") for number in range(5)])
    for number, hours in enumerate((1, 5, 40)):
        made.repeats += within(made.contacts[number], hours, from_channel="email", explained=number > 0)
    made.repeats += within(made.contacts[3], 216, from_channel="phone")
    return made


def test_the_map_of_hand_overs_has_counts_and_the_median_time_between(house: House) -> None:
    keep(house.engine, some(), FIRST)
    ways = ask(house, "handovers")["ways"]
    assert [(way["from"], way["to"]) for way in ways] == [("email", "phone"), ("phone", "phone")]
    week, fortnight, _ = ways[0]["windows"]
    assert (week["repeat_contacts"]["count"], week["repeat_contacts"]["of"], week["repeated_explanations"]) == (3, 5, 2)
    assert fortnight["hours"]["low"] <= 5 < fortnight["hours"]["high"]
    assert fortnight["hours"]["low"] <= fortnight["hours"]["median"] <= fortnight["hours"]["high"]
    assert [window["repeat_contacts"]["count"] for window in ways[1]["windows"]] == [0, 1, 1]
    assert ways[1]["windows"][0]["hours"] is None
    assert ask(house, "handovers", channel="chat")["ways"] == []
    assert ask(house, "handovers", as_of=str(FIRST - timedelta(days=1)))["ways"] == []


def test_questions_asked_again_are_counted_by_what_was_asked_for(house: House) -> None:
    asked = [["order"], ["order", "date"], [], []]
    keep(house.engine, World([contact(number, asked=kinds) for number, kinds in enumerate(asked)]), FIRST)
    kinds = ask(house, "questions")["kinds"]
    assert [(one["kind"], one["contacts"]["count"], one["contacts"]["of"]) for one in kinds] == [
        ("order", 2, 4), ("date", 1, 4)
    ]  # fmt: skip


def test_scores_stand_side_by_side_with_and_without_repetition(house: House) -> None:
    made = some()
    scores = [9.0, 0.0, 3.0, 10.0, 10.0]
    made.contacts = [one._replace(nps=nps, csat=25.0) for one, nps in zip(made.contacts, scores, strict=True)]
    keep(house.engine, made, FIRST)
    week = ask(house, "scores")["windows"][0]
    assert (week["explained_again"]["nps"]["n"], week["explained_again"]["nps"]["mean"]) == (2, -100)
    assert (week["came_back"]["nps"]["n"], week["came_back"]["nps"]["mean"]) == (1, 100)
    assert (week["first"]["nps"]["n"], week["first"]["nps"]["mean"], week["first"]["csat"]["mean"]) == (2, 100, 25)
    assert week["first"]["ces"] == {"n": 0, "mean": None, "low": None, "high": None}


@pytest.mark.parametrize("address", ["handovers", "questions", "scores"])
def test_what_is_not_counted_by_group_is_said_to_be_so(house: House, address: str) -> None:
    answer = house.ask(f"/v1/figures/{address}", Role.analyst, group="g1")
    assert (answer.status_code, answer.json()["code"]) == (400, "not_counted_together")


@pytest.mark.parametrize("address", ["", "/handovers", "/questions", "/scores", "/evidence"])
def test_every_answer_is_a_sheet_too(house: House, address: str) -> None:
    keep(house.engine, some(), FIRST)
    answer = house.ask(f"/v1/figures{address}", Role.admin, **MAY, format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert all(len(row) == len(rows[0]) for row in rows)
    asked = {"Accept": "text/csv;q=0.9"} | house.by(Role.admin)
    assert house.client.get(f"/v1/figures{address}", params=MAY, headers=asked).text == answer.text


def test_a_sheet_says_what_the_answer_says_and_runs_nothing(house: House) -> None:
    keep(house.engine, World([contact(1, queue="=HYPERLINK(1)")]), FIRST)
    answer = house.ask("/v1/figures", Role.admin, **MAY, by="queue", format="csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    [told] = house.get("/v1/figures", Role.admin, **MAY, by="queue")["rows"]
    assert row["value"] == "'=HYPERLINK(1)"
    wanted = {name: "" if value is None else str(value) for name, value in flat(told).items()}
    assert {name: row[name] for name in row if name not in ("value", "label")} == {
        name: value for name, value in wanted.items() if name not in ("value", "label")
    }


def test_parquet_says_the_same(house: House) -> None:
    keep(house.engine, some(), FIRST)
    answer = house.ask("/v1/figures", Role.admin, **MAY, by="channel", format="parquet")
    told = house.get("/v1/figures", Role.admin, **MAY, by="channel")["rows"]
    assert parquet.read_table(io.BytesIO(answer.content)).to_pylist() == [flat(row) for row in told]


def sheets(house: House, address: str, **asked: Any) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """The rows of a Parquet file, its columns, and those of the CSV file."""
    whole = MAY | asked
    binary = house.ask(f"/v1/figures/{address}", Role.admin, **whole, format="parquet").content
    table = parquet.read_table(io.BytesIO(binary))
    [header, *_] = csv.reader(io.StringIO(house.ask(f"/v1/figures/{address}", Role.admin, **whole, format="csv").text))
    return table.to_pylist(), table.column_names, header


def test_a_sheet_has_what_any_row_has_whichever_comes_first(house: House) -> None:
    made = World([contact(number, number, channel="phone") for number in range(5)])
    made.repeats = within(made.contacts[0], 1, from_channel="email")
    made.repeats += [one for late in made.contacts[1:4] for one in within(late, 216, from_channel="phone")]
    keep(house.engine, made, FIRST)
    often, seldom = sheets(house, "handovers")[0]
    assert (often["from"], often["7_hours_median"], often["14_hours_low"] > 0) == ("phone", None, True)
    assert (seldom["from"], seldom["7_hours_low"] <= 1 < seldom["7_hours_high"]) == ("email", True)
    newest, *others = sheets(house, "evidence", of="contacts")[0]
    assert (newest["explained"], newest["earlier_event"]) == (None, None)
    assert [one["earlier_event"] for one in others] == ["e0"] * 4


@pytest.mark.parametrize("address", ["", "handovers", "questions", "scores", "evidence"])
def test_a_sheet_has_the_same_columns_of_nothing_and_in_both_forms(house: House, address: str) -> None:
    none, *empty = sheets(house, address)
    made = some()
    made.contacts[0] = made.contacts[0]._replace(asked=["order"])
    keep(house.engine, made, FIRST)
    rows, *filled = sheets(house, address)
    assert rows
    assert empty[0] == empty[1] == filled[0] == filled[1]
    assert len(none) == {"scores": 3, "": 1}.get(address, 0)
    assert not {"windows", "7_hours", "earlier", "7_days"} & set(empty[0])
