"""Finding customers: briefs by any identifier, search."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.access import Role
from tests.builders import event
from tests.house import MAIL, PHONE, House

ANSWER = {"type": "message.sent", "direction": "outbound"}
ASKED: list[dict[str, Any]] = [
    {"phone": "5551 2345"},
    {"phone": "+37255512345"},
    {"email": "Mari@Example.com"},
    {"customer": "A-7"},
    {"identifier": "account:A-7"},
    {"identifier": ["mail:mari@example.com", "tel:+37255512345"]},
    {"identifier": "loyalty:77"},
    {"phone": "+37255512345", "email": "nobody.knows@example.com"},
]


def test_a_brief_by_any_identifier(house: House, subtests: pytest.Subtests) -> None:
    house.happened(event(MAIL, PHONE, "account:A-7", "loyalty:77"), event("email:jaan@example.com"))
    values = {"mari@example.com", "+37255512345", "A-7", "77"}
    for asked in ASKED:
        with subtests.test(asked=asked):
            told = house.get("/v1/brief", Role.channel, **asked)
            assert {one["value"] for one in told["customer"]["identifiers"]} == values


def test_a_plus_sign_that_was_not_escaped_is_understood(house: House) -> None:
    house.happened(event(PHONE))
    answer = house.client.get("/v1/brief?phone=+37255512345", headers=house.by(Role.channel))
    assert answer.status_code == 200


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({}, 400, "no_identifier"),
    ({"phone": ""}, 400, "no_identifier"),
    ({"phone": "+3725555555"}, 400, "placeholder"),
    ({"email": "unknown"}, 400, "placeholder"),
    ({"identifier": "mari"}, 400, "invalid_identifier"),
    ({"email": "nobody.knows@example.com"}, 404, "unknown_customer"),
    ({"customer": str(uuid4())}, 404, "unknown_customer"),
    ({"email": "mari@example.com", "length": 10}, 400, "invalid_parameter"),
]


def test_what_can_not_be_answered_says_why(house: House, subtests: pytest.Subtests) -> None:
    house.happened(event(MAIL))
    for asked, status, code in REFUSED:
        with subtests.test(asked=asked):
            answer = house.ask("/v1/brief", **asked)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert answer.json().keys() == {"code", "message", "hint"}


def test_a_brief_tells_over_all_channels(house: House) -> None:
    now = datetime.now(UTC)
    order = [{"type": "order", "value": "1001"}]
    house.happened(
        event(MAIL, PHONE, occurred_at=now - timedelta(hours=9), text="Where is my parcel?", references=order,
              conversation="m1", author={"name": "Mari Maasikas"}),
        event(PHONE, occurred_at=now - timedelta(hours=5), type="call.menu_choice", channel="phone", text=None,
              conversation="c1", data={"path": ["Parcels"], "reason": "lost parcel"}),
        event(type="call.ended", occurred_at=now - timedelta(hours=4), channel="phone", direction="internal", text=None,
              identifiers=[], conversation="c1", data={"disposition": "call_back"}),
        event("device:d1", MAIL, occurred_at=now - timedelta(hours=1), type="page.viewed", channel="web", text=None,
              data={"title": "Complaints"}),
        event(MAIL, occurred_at=now - timedelta(minutes=5), type="delivery.updated", channel="other",
              direction="internal", text=None, data={"status": "lost"}),
    )  # fmt: skip
    told = house.get("/v1/brief", Role.channel, phone="+37255512345", channel="chat", reason="new chat")
    assert told["customer"]["name"] == "Mari Maasikas"
    assert [one["said"][0]["text"] for one in told["open"]] == ["Where is my parcel?"]
    assert [(one["channel"], one["reason"], one["outcome"]) for one in told["recent"]] == [
        ("phone", "lost parcel", "call back"),
        ("email", None, None),
    ]
    assert [deed["summary"] for deed in told["activity"]] == ["Viewed “Complaints”"]
    assert [deed["summary"] for deed in told["deliveries"]] == ["Parcel lost"]
    assert [(one["type"], one["value"]) for one in told["references"]] == [("order", "1001")]
    assert told["analysis"] == {"pending": True}
    [read] = house.reads()
    assert (read.what, read.role, read.channel, read.reason) == ("brief", "channel", "chat", "new chat")


def test_what_waits_is_told_however_much_happened_since(house: House) -> None:
    now = datetime.now(UTC)
    house.happened(
        event(MAIL, occurred_at=now - timedelta(days=9), text="Forgotten"),
        *(event(MAIL, occurred_at=now - timedelta(hours=i), conversation=f"c{i}") for i in range(12)),
        *(
            event(MAIL, occurred_at=now - timedelta(minutes=60 * i - 1), conversation=f"c{i}", **ANSWER)
            for i in range(12)
        ),
    )
    told = house.get("/v1/brief", email="mari@example.com")
    assert "Forgotten" in [one["said"][0]["text"] for one in told["open"]]
    assert "Forgotten" not in [one["said"][0]["text"] for one in told["recent"]]


def test_a_brief_as_text_is_plain_and_short(house: House) -> None:
    house.happened(event(MAIL, occurred_at=datetime.now(UTC), author={"name": "Mari Maasikas"}))
    answer = house.ask("/v1/brief", Role.channel, email="mari@example.com", format="text", length=160)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("Mari Maasikas. Not answered yet: just now by mail: “My parcel has not arrived.”")


def test_identifiers_of_two_customers_are_ambiguous_and_a_third_decides(house: House) -> None:
    house.happened(event(MAIL, author={"name": "Mari Maasikas"}), event(PHONE, "account:B-1", minute=5))
    answer = house.get("/v1/brief", email="mari@example.com", phone="+37255512345")
    assert answer["ambiguous"] is True
    assert [one["customer"]["id"] for one in answer["candidates"]] == [house.id(PHONE), house.id(MAIL)]
    told = house.ask("/v1/brief", email="mari@example.com", phone="+37255512345", format="text").text
    assert told.startswith("2 customers fit")
    assert "Maasikas" not in told


def test_an_identifier_taken_from_its_customer_fits_whoever_has_it_now(house: House) -> None:
    house.happened(event(MAIL, PHONE, "account:A-1"))
    parted = {"identifiers": [{"type": "email", "value": "mari@example.com"}], "reason": "His wife's."}
    assert house.post(f"/v1/customers/{house.id(MAIL)}/unmerge", parted).status_code == 200
    both = {house.id("account:A-1"), house.id(MAIL)}
    assert len(both) == 2
    for asked in ({"phone": "+37255512345"}, {"customer": "A-1"}):
        found = house.get("/v1/brief", email="mari@example.com", **asked)
        assert {one["customer"]["id"] for one in found["candidates"]} == both


def test_a_shared_phone_fits_all_who_share_it_until_more_is_known(house: House) -> None:
    house.happened(event(PHONE, "account:A-1"), event(PHONE, "account:B-1", minute=5))
    both = house.get("/v1/brief", phone="+37255512345")
    values = [one["value"] for each in both["candidates"] for one in each["customer"]["identifiers"]]
    assert {"A-1", "B-1"} <= set(values)
    alone = house.get("/v1/brief", phone="+37255512345", customer="B-1")
    assert alone["customer"]["id"] == house.id("account:B-1")


def test_an_id_of_one_source_is_found_in_any_sources_scope(house: House) -> None:
    house.happened(event("loyalty:77", source="shop"), event("loyalty:77", source="phone", minute=5))
    assert len(house.get("/v1/brief", identifier="loyalty:77")["candidates"]) == 2


def test_a_channel_is_not_told_what_agents_noted(house: House) -> None:
    house.happened(event(MAIL))
    assert house.post(f"/v1/customers/{house.id(MAIL)}/notes", {"text": "Very upset."}).status_code == 200
    assert house.get("/v1/brief", email="mari@example.com")["notes"][0]["text"] == "Very upset."
    assert house.get("/v1/brief", Role.channel, email="mari@example.com")["notes"] == []


MARI = [
    "mari@example.com",
    "MARI@ex",
    "+3725551",
    "5551",
    "5551 2345",
    "phone:+37255512345",
    "mari",
    "Maasi mari",
    "A-7",
]
NOBODY = ["", " ", "zzz", "%", "' & :*", "\\", "__"]


def test_search_finds_by_identifiers_their_start_and_names(house: House, subtests: pytest.Subtests) -> None:
    house.happened(
        event(MAIL, PHONE, "account:A-7", author={"name": "Mari Maasikas"}),
        event("email:jaan@example.com", "phone:+37256612345", author={"name": "Jaan Tamm"}, minute=5),
    )
    id = house.id(MAIL)
    for query in MARI:
        with subtests.test(query=query):
            [found] = house.get("/v1/search", q=query)["customers"]
            assert (found["name"], found["id"]) == ("Mari Maasikas", id)


def test_search_for_what_nobody_is_called_finds_nobody(house: House, subtests: pytest.Subtests) -> None:
    house.happened(event(MAIL, author={"name": "Mari Maasikas"}))
    for query in NOBODY:
        with subtests.test(query=query):
            assert house.get("/v1/search", q=query)["customers"] == []


def test_search_finds_by_an_old_id_and_puts_the_exact_value_first(house: House) -> None:
    house.happened(event("account:7"), event("account:77", minute=5), event("account:777", minute=9))
    assert [one["identifiers"][0]["value"] for one in house.get("/v1/search", q="77")["customers"]] == ["77", "777"]
    id = house.id("account:7")
    assert [one["id"] for one in house.get("/v1/search", q=id)["customers"]] == [id]
