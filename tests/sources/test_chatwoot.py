"""What Chatwoot's webhooks become."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.ingest.sources.chatwoot import VENDORS
from services.ingest.sources.vendor import Post
from services.ingest.trial import trial
from tests.builders import at

CONTACT = {"id": 12, "email": "mari@example.ee", "phone_number": "+37255512345", "identifier": "C-1", "name": "Mari"}
CONVERSATION: dict[str, Any] = {
    "id": 10, "channel": "Channel::WebWidget", "status": "open", "timestamp": 1777886000, "meta": {"sender": CONTACT},
}  # fmt: skip
MESSAGE: dict[str, Any] = {
    "event": "message_created", "id": 118, "content": "Where is my parcel?", "message_type": "incoming",
    "created_at": "2026-05-04T09:30:00.000Z", "private": False, "conversation": CONVERSATION,
    "sender": {"id": 12, "name": "Mari", "type": "contact"},
}  # fmt: skip


def told(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def becomes(body: Any, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return trial(VENDORS[0], Post(raw, raw, headers or {}, at(0)))


def only(body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    (event,) = becomes(body, headers)
    return event


def test_a_customers_message_names_them_in_every_way_known() -> None:
    event = only(MESSAGE)
    assert (event["id"], event["type"], event["direction"]) == ("118", "message.received", "inbound")
    assert (event["time"], event["channel"], event["conversation"]) == ("2026-05-04T09:30:00Z", "chat", "10")
    assert event["data"]["text"] == "Where is my parcel?"
    assert [(one["type"], one["value"]) for one in event["data"]["identifiers"]] == [
        ("account", "C-1"), ("email", "mari@example.ee"), ("phone", "+37255512345"), ("chatwoot_contact", "12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "time"),
    [("2026-05-04 09:30:00 UTC", "2026-05-04T09:30:00Z"), ("soon", told(at(0))), (None, told(at(0)))],
)
def test_a_message_is_taken_however_its_time_is_written(written: str | None, time: str) -> None:
    event = only(MESSAGE | {"created_at": written})
    assert (event["id"], event["time"]) == ("118", time)


def test_an_agents_answer_goes_out_and_is_about_the_customer() -> None:
    event = only(MESSAGE | {"message_type": "outgoing", "sender": {"id": 1, "name": "John", "type": "user"}})
    assert (event["type"], event["direction"]) == ("message.sent", "outbound")
    assert event["data"]["author"] == {"role": "agent", "name": "John"}
    assert event["data"]["identifiers"][1]["value"] == "mari@example.ee"


def test_a_private_note_stays_internal() -> None:
    event = only(MESSAGE | {"message_type": "outgoing", "private": True, "sender": {"name": "John", "type": "user"}})
    assert (event["type"], event["direction"]) == ("note.written", "internal")


def test_what_is_edited_or_taken_back_is_told_by_events_of_their_own() -> None:
    edited = MESSAGE | {"event": "message_updated", "content": "Where is my order?"}
    first, again = only(edited), only(edited)
    assert (first["type"], first["data"]["message"], first["id"]) == ("message.edited", "118", again["id"])
    gone = only(edited | {"content_attributes": {"deleted": True}})
    assert (gone["type"], gone["data"]["message"]) == ("message.deleted", "118")


def test_an_update_is_of_the_time_it_was_told_so_that_the_last_words_stand() -> None:
    edited = MESSAGE | {"event": "message_updated", "content": "Where is my order?"}
    signed = {"x-chatwoot-timestamp": "1777887000"}
    assert only(edited, signed)["time"] == "2026-05-04T09:30:00Z"
    assert only(edited | {"content_attributes": {"deleted": True}}, signed)["time"] == "2026-05-04T09:30:00Z"
    assert only(edited)["time"] == told(at(0))  # as older installations post


@pytest.mark.parametrize(
    ("more", "type", "data"),
    [
        ({"submitted_values": {"csat_survey_response": {"rating": 4, "feedback_message": "Quick"}}},
         "feedback.received", {"kind": "csat", "score": 4, "text": "Quick"}),
        ({"submitted_email": "jane@acme.ee"}, "customer.identified", {"traits": {}}),
        ({"submitted_values": [{"name": "size", "title": "Size", "value": "XL"}]}, "form.submitted",
         {"fields": {"size": "XL"}}),
        ({"external_error": "131026: undeliverable"}, "message.failed", {"reason": "131026: undeliverable"}),
    ],
)  # fmt: skip
def test_what_an_update_brings_is_told_as_what_it_is(more: dict[str, Any], type: str, data: dict[str, Any]) -> None:
    bot = {"event": "message_updated", "message_type": "template", "content": "How was it?", "sender": None}
    event = only(MESSAGE | bot | {"content_attributes": more})
    assert event["type"] == type
    assert {name: event["data"].get(name) for name in data} == data
    assert event["direction"] == ("internal" if type == "message.failed" else "inbound")
    assert event["conversation"] == "10"


def test_a_contact_is_identified_once_for_what_is_known_of_them() -> None:
    event = only(CONTACT | {"event": "contact_updated"})
    assert (event["type"], event["data"]["traits"]) == ("customer.identified", {"name": "Mari"})
    assert only(CONTACT | {"event": "contact_created"})["id"] == event["id"]
    assert only(CONTACT | {"event": "contact_updated", "name": "Mari M"})["id"] != event["id"]


def test_opening_the_widget_is_a_page_that_was_seen() -> None:
    info = {"referer": "https://shop.ee/faq", "initiated_at": {"timestamp": "Mon May 04 2026 12:13:20 GMT+0300"}}
    event = only({"event": "webwidget_triggered", "contact": CONTACT, "source_id": "s1", "event_info": info})
    assert (event["type"], event["channel"], event["data"]["url"]) == ("page.viewed", "web", "https://shop.ee/faq")


def test_a_contact_whom_the_site_vouches_for_is_verified() -> None:
    event = only(MESSAGE | {"conversation": CONVERSATION | {"contact_inbox": {"hmac_verified": True}}})
    assert {one["verification"] for one in event["data"]["identifiers"]} == {"verified"}


@pytest.mark.parametrize(
    ("webhook", "status", "type"),
    [
        ("conversation_created", "open", "chat.started"),
        ("conversation_status_changed", "resolved", "chat.ended"),
        ("conversation_status_changed", "open", "chat.started"),
        ("conversation_resolved", "resolved", "chat.ended"),
        ("conversation_opened", "open", "chat.started"),
    ],
)
def test_a_conversation_starts_and_ends(webhook: str, status: str, type: str) -> None:
    body = CONVERSATION | {"event": webhook, "status": status}
    event = only(body)
    assert (event["type"], event["conversation"], event["id"]) == (type, "10", only(body)["id"])


@pytest.mark.parametrize(
    "body",
    [
        {"event": "conversation_typing_on"},
        {"event": "conversation_status_changed", "id": 10, "status": "snoozed"},
        MESSAGE | {"message_type": "activity"},
        MESSAGE | {"content": None},
        {},
    ],
)
def test_what_tells_nothing_of_a_customer_becomes_nothing(body: Any) -> None:
    assert becomes(body) == []


def test_every_sample_becomes_events_without_a_refusal(shared: Path) -> None:
    files = sorted((shared / "fixtures/chat/chatwoot").glob("*.json"))
    assert files
    found = {file.name: becomes(file.read_bytes()) for file in files}
    assert all(events and not any("refused" in one for one in events) for events in found.values()), found
