"""One customer: merged and taken apart, noted about, and why they are one."""

from typing import Any
from uuid import uuid4

import pytest

from tests.builders import event
from tests.house import MAIL, PHONE, House


def test_an_unknown_customer_is_not_found(house: House) -> None:
    for address in ("", "/timeline", "/identity", "/stream"):
        answer = house.ask(f"/v1/customers/{uuid4()}{address}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_customer")


def test_a_malformed_id_is_said_to_be_so(house: House) -> None:
    answer = house.ask("/v1/customers/mari")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_merge_keeps_both_ids_and_unmerge_gives_back_both_histories(house: House) -> None:
    house.happened(event(MAIL, text="By mail"), event(PHONE, minute=5, text="By phone", channel="phone"))
    left, right = house.id(MAIL), house.id(PHONE)
    merged = house.post(f"/v1/customers/{right}/merge", {"with": left, "reason": "Same person"})
    assert merged.json() == {"customer": left}
    for asked in (left, right):
        found = house.get(f"/v1/customers/{asked}")
        assert (found["id"], found["asked"], found["interactions"]) == (left, asked, 3)
        assert {one["summary"] for one in house.get(f"/v1/customers/{asked}/timeline")["items"]} >= {
            "Mail, 1 message",
            "Call, 1 message",
        }
    [decision] = house.get(f"/v1/customers/{left}/identity")["decisions"]
    assert (decision["verdict"], decision["author"], decision["reason"]) == ("merge", "agent", "Same person")

    parted = house.post(f"/v1/customers/{left}/unmerge", {"identifiers": [{"type": "tel", "value": "5551 2345"}]})
    assert sorted(parted.json()["customers"]) == sorted([left, right])
    assert [one["value"] for one in house.get(f"/v1/customers/{right}")["identifiers"]] == ["+37255512345"]
    texts = [
        item["event"]["data"].get("text") for item in house.get(f"/v1/customers/{right}/timeline", view="flat")["items"]
    ]
    assert "By phone" in texts
    assert "By mail" not in texts


SENSELESS: list[tuple[str, dict[str, Any], int, str]] = [
    ("merge", {"with": "00000000-0000-0000-0000-000000000001"}, 404, "unknown_customer"),
    ("merge", {}, 400, "invalid_parameter"),
    ("unmerge", {"identifiers": [{"type": "phone", "value": "+37255599999"}]}, 404, "unknown_identifier"),
    ("unmerge", {"identifiers": [{"type": "email", "value": "mari@example.com"}]}, 409, "not_a_part"),
    ("unmerge", {"identifiers": []}, 400, "invalid_parameter"),
    ("notes", {"text": "  "}, 400, "invalid_parameter"),
]


def test_a_command_that_makes_no_sense_says_why(house: House, subtests: pytest.Subtests) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    for command, body, status, code in SENSELESS:
        with subtests.test(command=command, body=body):
            answer = house.post(f"/v1/customers/{id}/{command}", body)
            assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_note_is_on_the_timeline_with_its_author_when_it_is_answered(house: House) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    written = house.post(f"/v1/customers/{id}/notes", {"text": "Promised a call."}).json()
    newest = house.get(f"/v1/customers/{id}/timeline", view="flat", limit=1)["items"][0]
    assert newest["summary"] == "Note by agent: “Promised a call.”"
    assert newest["event"]["id"] == written["event"]["id"]


def test_identity_says_which_event_linked_and_which_link_was_refused(house: House) -> None:
    house.happened(event(PHONE, "account:A-1", id="first"), event(PHONE, "account:B-1", id="second", minute=5))
    found = house.get(f"/v1/customers/{house.id('account:A-1')}/identity")
    [link] = found["links"]
    assert (link["rule"], link["source"], link["event_id"], link["refused"]) == (
        "same event",
        "shop",
        "first",
        "shared",
    )
    ends = {one["id"]: one["value"] for one in found["identifiers"]}
    assert {ends[link["left"]], ends[link["right"]]} == {"A-1", "+37255512345"}
