"""Timelines: pages that show everything once, filters."""

from typing import Any

import pytest

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
