"""The contacts behind a figure: filtered as the figure is, page by page, with what was said, and traced."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from services import tables
from services.access import Role
from services.settings import Settings
from tests.builders import START, event
from tests.counted import FIRST, World, keep, world
from tests.house import MAIL, House
from tests.test_analysis import AGAIN, BROKEN, HOUR, analysed, both, called, recorded

SPAN = {"from": "2026-05-01", "to": "2026-06-30"}
WHOLE = pytest.mark.parametrize("house", [Settings(analyst_passages=True)], indirect=True)


def pages(house: House, role: Role = Role.admin, **asked: Any) -> list[dict[str, Any]]:
    """All items, from page to page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        page = house.get("/v1/figures/evidence", role, **SPAN | asked | cursor)
        found += page["items"]
        if not page["next"]:
            return found
        cursor = {"cursor": page["next"]}


def told(house: House) -> None:
    """A mail, and a call a day later that tells the same."""
    house.happened(*recorded(both(), event(MAIL, text=BROKEN, id="mail", conversation="m"), *called(AGAIN, 26 * HOUR)))
    analysed(house.engine)


def test_a_figure_is_traced_to_both_passages(house: House) -> None:
    told(house)
    [one] = pages(house)
    assert (one["earlier"]["text"], one["later"]["text"]) == (BROKEN, AGAIN)
    assert (one["earlier"]["channel"], one["later"]["channel"], one["hours"]) == ("email", "phone", 26)
    assert (one["explained"], one["context"], one["customer"]) == (True, "unshown", house.id(MAIL))
    assert [row.what for row in house.reads() if row.reader == "admin"] == ["evidence"]


def test_words_are_shown_as_they_were_written_last(house: House) -> None:
    told(house)
    better = "My router drops the connection every evening."
    house.happened(event(MAIL, id="change", type="message.edited", text=better, conversation="m", minute=1,
                         data={"message": "mail"}))  # fmt: skip
    [one] = pages(house)
    assert one["earlier"]["text"] == better


def test_that_somebody_looked_at_evidence_does_not_make_it_shown_to_who_helps(house: House) -> None:
    told(house)
    pages(house)
    with house.engine.begin() as conn:
        conn.execute(sa.update(tables.reads).values(read_at=START + timedelta(hours=1)))
        conn.execute(sa.insert(tables.marks).values(customer_id=house.id(MAIL)))
        conn.execute(sa.delete(tables.reads).where(tables.reads.c.what != "evidence"))
    analysed(house.engine)
    [one] = pages(house)
    assert one["context"] == "unshown"


def test_an_analyst_sees_that_it_was_told_again_but_not_the_words(house: House) -> None:
    told(house)
    page = house.get("/v1/figures/evidence", Role.analyst, **SPAN)
    assert page["withheld"]
    assert (page["items"][0]["earlier"]["text"], page["items"][0]["hours"]) == (None, 26)
    assert not house.get("/v1/figures/evidence", Role.agent, **SPAN)["withheld"]
    assert house.ask("/v1/figures/evidence", Role.channel).status_code == 403


@WHOLE
def test_where_it_is_allowed_an_analyst_reads_the_words(house: House) -> None:
    told(house)
    assert [one["earlier"]["text"] for one in pages(house, Role.analyst)] == [BROKEN]


def test_what_is_erased_is_evidence_without_words(house: House) -> None:
    told(house)
    with house.engine.begin() as conn:
        conn.execute(sa.delete(tables.events).where(tables.events.c.event_id == "mail"))
    assert pages(house)[0]["earlier"]["text"] is None


def test_there_is_as_much_evidence_as_is_counted_whatever_the_page(house: House) -> None:
    random = Random(7)
    made: World = world(random, contacts=60)
    keep(house.engine, made, FIRST)
    for narrowed in ({}, {"channel": "phone"}, {"language": "a", "queue": "billing"}, {"group": "g1"}):
        total = house.get("/v1/figures", Role.admin, **SPAN | narrowed)["total"]
        window = total["windows"][1]
        wanted = {
            "contacts": total["contacts"], "blind": total["blind"]["count"],
            "repeat_contacts": window["repeat_contacts"]["count"],
            "repeated_explanations": window["repeated_explanations"]["count"],
            "avoidable": window["avoidable"]["count"],
        }  # fmt: skip
        found = {of: pages(house, of=of, limit=7, **narrowed) for of in wanted}
        assert {of: len(items) for of, items in found.items()} == wanted
        for items in found.values():
            assert len({(one["customer"], one["interaction"]) for one in items}) == len(items)


def test_a_cursor_that_is_none_is_refused(house: House) -> None:
    answer = house.ask("/v1/figures/evidence", Role.admin, cursor="there")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
