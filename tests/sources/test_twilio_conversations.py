"""What Twilio Conversations' webhooks, and its events by Event Streams, become."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.sources.chats import becomes, only, read

SAID = {
    "EventType": "onMessageAdded", "ConversationSid": "CH1", "MessageSid": "IM1", "Index": "3", "Source": "SMS",
    "Author": "+37255512345", "Body": "Where is it?", "DateCreated": "2026-05-04T09:13:20.000Z", "AccountSid": "AC1",
}  # fmt: skip


def posted(**changes: str) -> bytes:
    return urlencode(SAID | changes).encode()


def test_a_message_from_a_number_is_a_customers() -> None:
    event = only("twilio-conversations", posted())
    assert read(event) == ("message.received", "inbound", "customer", ["phone:+37255512345"], "Where is it?")
    assert (event["id"], event["conversation"], event["channel"]) == ("IM1", "CH1", "sms")
    assert event["time"] == "2026-05-04T09:13:20Z"


@pytest.mark.parametrize(
    ("author", "reading", "channel"),
    [
        ("whatsapp:+37255512345", ("message.received", "inbound", "customer", ["phone:+37255512345"]), "chat"),
        ("messenger:123", ("message.received", "inbound", "customer", ["messenger:123"]), "social"),
        ("FX" + "0a" * 16, ("message.received", "inbound", "customer", ["twilio_identity:FX" + "0a" * 16]), "chat"),
        ("anna@shop.ee", ("message.sent", "outbound", "agent", []), "chat"),
        ("system", ("message.sent", "outbound", "system", []), "chat"),
    ],
)
def test_the_author_says_who_wrote(author: str, reading: tuple[Any, ...], channel: str) -> None:
    event = only("twilio-conversations", posted(Author=author, Source="SDK"))
    assert (read(event)[:4], event["channel"]) == (reading, channel)


def test_files_come_along() -> None:
    media = '[{"Sid": "ME1", "Filename": "a.png", "ContentType": "image/png", "Size": 12}]'
    event = only("twilio-conversations", posted(Body="", Media=media))
    assert event["data"]["attachments"] == [{"name": "a.png", "type": "image/png"}]


@pytest.mark.parametrize(
    ("changes", "type"),
    [
        ({"EventType": "onMessageUpdated", "Body": "Where?", "DateUpdated": "2026-05-04T09:14:20Z"}, "message.edited"),
        ({"EventType": "onMessageRemoved", "DateRemoved": "2026-05-04T09:14:20Z"}, "message.deleted"),
        ({"EventType": "onDeliveryUpdated", "Status": "undelivered", "DateUpdated": "2026-05-04T09:14:20Z"},
         "message.failed"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_message_names_it(changes: dict[str, str], type: str) -> None:
    event = only("twilio-conversations", posted(**changes))
    assert (event["type"], event["data"]["message"], event["time"]) == (type, "IM1", "2026-05-04T09:14:20Z")


def test_a_conversation_starts_and_ends() -> None:
    binding = {"MessagingBinding.AuthorAddress": "whatsapp:+37255512345", "Author": "system"}
    started = only("twilio-conversations", posted(EventType="onConversationAdded", **binding))
    assert (started["type"], read(started)[3]) == ("chat.started", ["phone:+37255512345"])
    closed = {"EventType": "onConversationStateUpdated", "StateTo": "closed", "Reason": "TIMER"}
    ended = only("twilio-conversations", posted(**closed))
    assert (ended["type"], ended["data"]["disposition"]) == ("chat.ended", "timed out")


def test_event_streams_tells_the_same_as_cloudevents() -> None:
    data = {"AccountSid": "AC1", "Author": "+37255512345", "ConversationSid": "CH1", "MessageSid": "IM1",
            "MessageBody": "Where is it?", "DateCreated": "2026-05-04T09:13:20.000Z",
            "Media": [{"MediaSid": "ME1", "Filename": "a.png", "ContentType": "image/png"}]}  # fmt: skip
    event = {"specversion": "1.0", "type": "com.twilio.conversations.message.added", "id": "EZ1", "data": data}
    said, none = event, event | {"type": "com.twilio.messaging.message.sent"}
    found = only("twilio-conversations", [said, none])
    assert (found["id"], read(found)) == ("IM1", read(only("twilio-conversations", posted())))
    assert found["data"]["attachments"][0]["name"] == "a.png"


def test_a_webhook_that_asks_before_it_happens_becomes_nothing() -> None:
    assert becomes("twilio-conversations", posted(EventType="onMessageAdd", MessageSid="")) == []
