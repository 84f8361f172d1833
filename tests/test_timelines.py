"""Timelines: pages that show everything once, filters."""

from typing import Any
from uuid import UUID

import pytest

from services.api import queries, timelines
from tests.builders import at, event
from tests.house import MAIL, PHONE, House


def walk(house: House, id: str, **parameters: Any) -> list[Any]:
    """All items of a timeline, page after page."""
    items: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = house.get(f"/v1/customers/{id}/timeline", **parameters, **cursor)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


def test_pages_show_everything_once_whatever_identifier_it_is_attached_to(house: House) -> None:
    named = [MAIL, PHONE, "device:d1"]
    house.happened(event(*named))
    house.happened(
        *(event(named[i % 3], minute=i // 2, conversation=f"c{i % 7}", text=f"{i}") for i in range(1, 40)),
        *(event(named[i % 3], minute=60 + i % 3, text=f"{i}") for i in range(40, 55)),
    )
    id = house.id(MAIL)
    flat = walk(house, id, view="flat", limit=4)
    assert len(flat) == len({item["key"] for item in flat}) == 55
    times = [item["event"]["time"] for item in flat]
    assert times == sorted(times, reverse=True)
    interactions = walk(house, id, limit=3)
    assert len(interactions) == len({one["id"] for one in interactions}) == 1 + 7 + 15
    assert sum(one["events"] for one in interactions) == 55
    assert [one["last_at"] for one in interactions] == sorted((one["last_at"] for one in interactions), reverse=True)
    assert {item["key"] for one in interactions for item in one["items"]} == {item["key"] for item in flat}


def test_an_interaction_shows_its_newest_events_oldest_first_and_how_many_there_are(house: House) -> None:
    house.happened(*(event(MAIL, minute=i, conversation="c", text=f"{i}") for i in range(30)))
    [one] = house.get(f"/v1/customers/{house.id(MAIL)}/timeline")["items"]
    assert [item["event"]["data"]["text"] for item in one["items"]] == [f"{i}" for i in range(10, 30)]
    assert (one["events"], one["summary"]) == (30, "Mail, 30 events")
    whole = walk(house, house.id(MAIL), view="flat", interaction=one["id"], limit=7)
    assert len(whole) == 30


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"channel": "chat"}, ["b"]),
    ({"channel": ["chat", "phone"]}, ["100% c_d", "b"]),
    ({"type": "call.turn"}, ["100% c_d"]),
    ({"direction": "outbound"}, ["a2"]),
    ({"since": at(10).isoformat()}, ["100% c_d", "b"]),
    ({"until": at(10).isoformat()}, ["a2", "a1"]),
    ({"since": at(1).isoformat(), "until": at(11).isoformat()}, ["b", "a2"]),
    ({"q": "0% C_"}, ["100% c_d"]),
    ({"q": "%"}, ["100% c_d"]),
    ({"q": "about bees"}, ["b"]),
    ({"q": "nothing of the sort"}, []),
]


def test_filters_leave_out_the_rest(house: House, subtests: pytest.Subtests) -> None:
    house.happened(
        event(MAIL, PHONE, text="a1", conversation="m"),
        event(MAIL, minute=5, text="a2", conversation="m", type="message.sent", direction="outbound"),
        event(MAIL, minute=10, text="b", channel="chat", data={"subject": "About Bees"}),
        event(PHONE, minute=20, text="100% c_d", channel="phone", type="call.turn"),
    )
    id = house.id(MAIL)
    for asked, texts in FILTERS:
        with subtests.test(asked=asked):
            flat = house.get(f"/v1/customers/{id}/timeline", view="flat", **asked)["items"]
            assert [item["event"]["data"]["text"] for item in flat] == texts
            interactions = walk(house, id, limit=1, **asked)
            assert {one["id"] for one in interactions} == {item["interaction"] for item in flat}


def test_a_bad_cursor_is_refused_with_a_code(house: House, subtests: pytest.Subtests) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    for cursor in ("x", "aGVsbG8", "MjAyNnx4", "é"):
        with subtests.test(cursor=cursor):
            answer = house.ask(f"/v1/customers/{id}/timeline", cursor=cursor)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_a_page_looks_at_so_much_and_no_more_and_the_next_goes_on_from_there(house: House) -> None:
    other = "device:d1"
    house.happened(event(MAIL, other, text="the needle"))
    house.happened(*(event([MAIL, PHONE, other][i % 3], minute=i // 2 + 1, text="hay") for i in range(3300)))
    house.happened(event(MAIL, PHONE, minute=2000))
    id = house.id(MAIL)
    for view in ("flat", "interactions"):
        first = house.get(f"/v1/customers/{id}/timeline", view=view, q="needle")
        assert first["items"] == []
        assert first["next"]
        [found] = walk(house, id, view=view, q="needle")
        happened = found if view == "flat" else found["items"][0]
        assert happened["event"]["data"]["text"] == "the needle"
    assert len(walk(house, id, view="flat", limit=100, q="hay")) == 3300


def test_figures_of_a_long_history_are_of_its_newest_part_and_say_so(house: House) -> None:
    house.happened(event(MAIL, text="long ago", channel="chat"))
    house.happened(*(event(MAIL, minute=i, text="hay") for i in range(1, 2100)))
    whole = house.get("/v1/brief", identifier=MAIL)["customer"]
    assert whole["at_least"]
    assert whole["interactions"] == 2000
    assert whole["first_seen"] == "2026-05-04T09:00:00Z"
    assert "more than 2000 interactions" in house.ask("/v1/brief", identifier=MAIL, format="text", length=2000).text
    house.happened(event(PHONE))
    assert not house.get("/v1/brief", identifier=PHONE)["customer"]["at_least"]


def test_a_question_asked_often_is_still_planned_for_the_customer_it_is_about(house: House) -> None:
    house.happened(event(MAIL))
    query = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%unnest%%'"
    with house.engine.connect() as conn:
        ids = [row.id for row in queries.members(conn, UUID(house.id(MAIL)))]
        for _ in range(20):
            timelines.interactions_page(conn, ids, timelines.Filters(), timelines.Cursor(), 20)
            queries.customer_of(conn, queries.members(conn, ids[0]), ids[0])
        plans = conn.exec_driver_sql(query).all()
    assert sum(row.generic_plans for row in plans) == 0
    assert sum(row.custom_plans for row in plans) > 20
