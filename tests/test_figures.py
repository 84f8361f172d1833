"""Figures over HTTP: who may ask, for what, and what is said of what can't be asked."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.access import Role
from services.api.rates import wilson
from services.api.spans import stretches
from services.settings import Settings
from tests.counted import FIRST, World, contact, keep, within
from tests.house import House

ALLOWING = pytest.mark.parametrize("house", [Settings(agent_figures=True)], indirect=True)
MAY = {"from": "2026-05-01", "to": "2026-05-31"}


def ask(house: House, address: str = "/v1/figures", **asked: Any) -> Any:
    return house.get(address, Role.analyst, **MAY | asked)


def some() -> World:
    """Four contacts by mail, of which one is blind and one came back, and two by phone."""
    made = World([contact(number, number) for number in range(4)])
    made.contacts[3] = made.contacts[3]._replace(blind=True)
    made.contacts += [contact(number, 9, channel="phone", agent="Liis", group_id="g1") for number in (5, 6)]
    made.repeats += within(made.contacts[1], 200)
    return made


def test_a_share_has_its_denominator_its_interval_and_what_blind_contacts_allow(house: House) -> None:
    keep(house.engine, some(), FIRST)
    told = ask(house)["total"]
    assert (told["contacts"], told["blind"]["count"], told["blind"]["of"]) == (6, 1, 6)
    week, fortnight, _ = told["windows"]
    assert (week["days"], week["repeated_explanations"]["count"]) == (7, 0)
    explained, interval = fortnight["repeated_explanations"], wilson(1, 6)
    assert interval
    assert (explained["count"], explained["of"], explained["rate"]) == (1, 6, 0.166667)
    assert (explained["low"], explained["high"]) == tuple(round(end, 6) for end in interval)
    assert (explained["at_least"], explained["at_most"]) == (0.166667, 0.333333)
    assert fortnight["contexts"] == {"unrecorded": 0, "unlinked": 0, "unshown": 1, "shown": 0}
    assert (fortnight["avoidable"]["count"], fortnight["avoidable"]["of"]) == (1, 1)


def test_of_nothing_there_is_no_share(house: House) -> None:
    told = ask(house, every="month", by="channel")
    assert told["rows"] == []
    assert told["total"]["windows"][0]["repeat_contacts"] == {
        "count": 0, "of": 0, "rate": None, "low": None, "high": None, "at_least": None, "at_most": None
    }  # fmt: skip


def test_the_values_with_most_contacts_come_first_and_the_rest_is_counted(house: House) -> None:
    keep(house.engine, some(), FIRST)
    assert [(row["value"], row["contacts"]) for row in ask(house, by="channel")["rows"]] == [("email", 4), ("phone", 2)]
    first = ask(house, by="channel", limit=1)
    assert ([row["value"] for row in first["rows"]], first["left_out"], first["total"]["contacts"]) == (["email"], 1, 6)
    assert ask(house, by="queue")["rows"][0]["label"] == "not known"


def test_a_trend_has_every_stretch_also_those_of_nothing(house: House) -> None:
    keep(house.engine, some(), FIRST)
    rows = ask(house, every="week")["rows"]
    assert [(row["from"], row["to"], row["contacts"]) for row in rows] == [
        ("2026-05-01", "2026-05-03", 0), ("2026-05-04", "2026-05-10", 4), ("2026-05-11", "2026-05-17", 2),
        ("2026-05-18", "2026-05-24", 0), ("2026-05-25", "2026-05-31", 0),
    ]  # fmt: skip


def test_months_and_days_are_stretches_too() -> None:
    ends = datetime(2027, 1, 2, tzinfo=UTC).date()
    months = [(str(first), str(last)) for _, first, last in stretches(ends - timedelta(days=40), ends, "month")]
    assert months == [("2026-11-23", "2026-11-30"), ("2026-12-01", "2026-12-31"), ("2027-01-01", "2027-01-02")]
    assert len(list(stretches(ends - timedelta(days=40), ends, "day"))) == 41


def test_left_out_it_is_the_last_thirty_days(house: House) -> None:
    told, today = house.get("/v1/figures", Role.analyst), datetime.now(UTC).date()
    assert (told["from"], told["to"]) == (str(today - timedelta(days=29)), str(today))


def test_figures_can_be_told_as_they_were_known(house: House) -> None:
    keep(house.engine, some(), FIRST)
    keep(house.engine, World(some().contacts[:2]), FIRST + timedelta(days=9), some())
    assert ask(house, as_of=str(FIRST))["total"]["contacts"] == 6
    assert ask(house)["total"]["contacts"] == 2
    assert ask(house, as_of="2026-05-01")["total"]["contacts"] == 0


def test_agents_are_not_told_apart_unless_it_is_allowed(house: House) -> None:
    for asked in ({"by": "agent"}, {"agent": "Liis"}):
        answer = house.ask("/v1/figures", Role.analyst, **asked)
        assert (answer.status_code, answer.json()["code"]) == (403, "agent_figures_off")


@ALLOWING
def test_where_it_is_allowed_agents_are_told_apart(house: House) -> None:
    keep(house.engine, some(), FIRST)
    assert [(row["value"], row["contacts"]) for row in ask(house, by="agent")["rows"]] == [("Liis", 2)]
    assert ask(house, agent="Liis", by="channel")["total"]["contacts"] == 2


@pytest.mark.parametrize("role", [Role.agent, Role.channel])
def test_figures_are_for_analysts(house: House, role: Role) -> None:
    assert house.ask("/v1/figures", role).status_code == 403
    assert house.ask("/v1/figures", Role.admin).status_code == 200


def test_no_figure_is_of_a_day_that_no_clock_says(house: House, subtests: pytest.Subtests) -> None:
    for address in ("", "/handovers", "/questions", "/scores", "/evidence"):
        for day in ("0001-01-01", "1989-12-31", "2200-01-01", "9999-12-31"):
            with subtests.test(address=address, day=day):
                answer = house.ask(f"/v1/figures{address}", Role.admin, to=day, **{"from": day})
                assert (answer.status_code, answer.json()["code"]) == (400, "day_out_of_range")


SENSELESS = [
    ({"from": "2026-05-09", "to": "2026-05-08"}, "span_backwards"),
    ({"from": "2020-05-09"}, "span_too_long"),
    ({"to": "9999-12-31"}, "day_out_of_range"),
    ({"to": "9999-12-31", "every": "month"}, "day_out_of_range"),
    ({"from": "0001-01-01", "to": "0001-01-05"}, "day_out_of_range"),
    ({"from": "yesterday"}, "invalid_parameter"),
    ({"by": "mood"}, "invalid_parameter"),
    ({"every": "day", "from": "2024-01-01", "to": "2026-11-01"}, "too_many_rows"),
    ({"by": "agent", "group": "g1"}, "not_counted_together"),
    ({"by": "group", "channel": "email", "team": "north", "from": "2026-01-01", "to": "2026-06-01"},
     "too_much_at_once"),
    ({"group": "g1", "channel": "\0"}, "invalid_value"),
]  # fmt: skip


@ALLOWING
@pytest.mark.parametrize(("asked", "code"), SENSELESS)
def test_what_cannot_be_asked_is_refused_with_a_hint(house: House, asked: dict[str, Any], code: str) -> None:
    answer = house.ask("/v1/figures", Role.admin, **asked)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["hint"]
