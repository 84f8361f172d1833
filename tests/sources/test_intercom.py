"""What Intercom's notifications become, of its first API and of later ones."""

from typing import Any

import pytest

from tests.sources.chats import becomes, only, read

NEW: dict[str, Any] = {  # API 2.x
    "type": "conversation", "id": "147", "created_at": 1777886000, "state": "open",
    "source": {
        "type": "conversation", "id": "403918320", "delivered_as": "customer_initiated", "url": "https://shop.ee/faq",
        "body": "<p>Hello,<br>where is my <b>parcel</b>?</p>", "attachments": [],
        "author": {"type": "user", "id": "5c95", "name": "Mari", "email": "mari@example.ee"},
    },
    "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "5c95", "external_id": "C-1"}]},
    "conversation_parts": {"conversation_parts": []},
}  # fmt: skip
ADMIN = {"type": "admin", "id": "9", "name": "Anna"}


def notified(topic: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "notification_event", "topic": topic, "id": "notif_1", "created_at": 1777886001,
            "data": {"type": "notification_event_data", "item": item}}  # fmt: skip


def with_part(**part: Any) -> dict[str, Any]:
    one = {"type": "conversation_part", "id": "28", "part_type": "comment", "created_at": 1777886060, "author": ADMIN,
           "body": None, "attachments": []} | part  # fmt: skip
    return NEW | {"conversation_parts": {"conversation_parts": [one]}}


def test_a_new_conversation_starts_with_what_the_customer_wrote_as_text() -> None:
    started, said = becomes("intercom", notified("conversation.user.created", NEW))
    assert (started["type"], started["data"]["url"]) == ("chat.started", "https://shop.ee/faq")
    assert read(said) == (
        "message.received", "inbound", "customer", ["account:C-1", "email:mari@example.ee", "intercom:5c95"],
        "Hello,\nwhere is my parcel?",
    )  # fmt: skip
    assert (said["id"], said["conversation"], said["time"]) == ("147/403918320", "147", "2026-05-04T09:13:20Z")


def test_the_first_api_tells_the_same() -> None:
    old = {
        "type": "conversation", "id": "147", "created_at": 1777886000,
        "user": {"type": "user", "id": "5c95", "user_id": "C-1", "name": "Mari", "email": "mari@example.ee"},
        "conversation_message": {"id": "3", "body": "<p>Hi</p>", "author": {"type": "user", "id": "5c95"}},
        "conversation_parts": {"conversation_parts": []},
    }  # fmt: skip
    _, said = becomes("intercom", notified("conversation.user.created", old))
    assert read(said)[3:] == (["account:C-1", "email:mari@example.ee", "intercom:5c95"], "Hi")
    assert said["data"]["author"]["name"] == "Mari"


def test_a_leads_id_is_nobodys_account() -> None:
    lead = NEW["source"] | {"author": {"type": "lead", "id": "5c95", "email": ""}}
    said = becomes("intercom", notified("conversation.user.created", NEW | {"source": lead}))[1]
    assert read(said)[3] == ["intercom:5c95"]


def test_an_answer_goes_out_and_is_about_the_customer_and_the_first_message_is_not_told_again() -> None:
    event = only("intercom", notified("conversation.admin.replied", with_part(body="<p>On its way</p>")))
    assert read(event) == (
        "message.sent", "outbound", "agent", ["account:C-1", "email:mari@example.ee", "intercom:5c95"], "On its way",
    )  # fmt: skip
    assert event["id"] == "147/28"


def test_a_note_stays_internal() -> None:
    event = only("intercom", notified("conversation.admin.noted", with_part(part_type="note", body="<p>Angry</p>")))
    assert read(event)[:3] == ("note.written", "internal", "agent")


def test_a_bots_answer_is_a_bots() -> None:
    bot = with_part(body="<p>Try again</p>", author={"type": "bot", "id": "1", "name": "Fin"})
    assert read(only("intercom", notified("conversation.operator.replied", bot)))[:3] == (
        "message.sent", "outbound", "bot",
    )  # fmt: skip


def test_closing_ends_it_after_the_last_words() -> None:
    said, ended = becomes("intercom", notified("conversation.admin.closed", with_part(part_type="close", body="Bye")))
    assert (said["type"], ended["type"]) == ("message.sent", "chat.ended")
    assert said["id"] != ended["id"]
    assert ended["data"]["author"] == {"role": "agent", "name": "Anna"}


def test_what_was_redacted_is_taken_back() -> None:
    event = only("intercom", notified("conversation_part.redacted", with_part(redacted=True, body="deleted")))
    assert (event["type"], event["data"]["message"]) == ("message.deleted", "147/28")


def test_a_rating_is_feedback_on_the_conversation() -> None:
    rated = NEW | {"conversation_rating": {"rating": 4, "remark": "Quick", "created_at": 1777887000}}
    event = only("intercom", notified("conversation.rating.added", rated))
    assert (event["type"], event["data"]["kind"], event["data"]["score"]) == ("feedback.received", "csat", 4)
    assert (event["data"]["text"], event["conversation"]) == ("Quick", "147")


def test_a_contact_is_identified() -> None:
    contact = {"type": "contact", "id": "5c95", "role": "user", "external_id": "C-1", "email": "m@e.ee", "name": "Mari",
               "updated_at": 1777886000}  # fmt: skip
    event = only("intercom", notified("contact.email.updated", contact))
    assert read(event)[0::3] == ("customer.identified", ["account:C-1", "email:m@e.ee", "intercom:5c95"])
    assert event["data"]["traits"] == {"name": "Mari"}


@pytest.mark.parametrize("topic", ["ping", "conversation.admin.assigned", "company.created", "conversation.read"])
def test_what_tells_nothing_becomes_nothing(topic: str) -> None:
    assert becomes("intercom", notified(topic, NEW)) == []
