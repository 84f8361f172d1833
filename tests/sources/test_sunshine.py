"""What Sunshine Conversations' webhooks become, of version 2 and 1."""

from typing import Any

import pytest

from tests.sources.chats import becomes, only, read

USER = {
    "id": "u1", "externalId": "C-1", "profile": {"givenName": "Mari", "surname": "Maasikas", "email": "m@e.ee"},
    "identities": [{"type": "phone_number", "value": "+37255512345"}],
}  # fmt: skip
SAID = {
    "id": "m1", "received": "2026-05-04T09:13:20.000Z", "content": {"type": "text", "text": "Where is it?"},
    "author": {"type": "user", "userId": "u1", "displayName": "Mari", "user": USER}, "source": {"type": "whatsapp"},
}  # fmt: skip


def happened(type: str, **payload: Any) -> dict[str, Any]:
    event = {"id": "e1", "createdAt": "2026-05-04T09:13:21.000Z", "type": type}
    return {
        "app": {"id": "a"}, "webhook": {"id": "w", "version": "v2"},
        "events": [event | {"payload": {"conversation": {"id": "c1", "type": "personal"}} | payload}],
    }  # fmt: skip


def test_a_message_names_the_user_in_every_way_known() -> None:
    event = only("sunshine", happened("conversation:message", message=SAID))
    people = ["account:C-1", "email:m@e.ee", "phone:+37255512345", "sunshine:u1"]
    assert read(event) == ("message.received", "inbound", "customer", people, "Where is it?")
    assert (event["id"], event["conversation"], event["channel"]) == ("m1", "c1", "chat")


def test_a_business_message_goes_out_and_its_conversation_says_to_whom() -> None:
    author = {"type": "business", "displayName": "Anna", "userId": "agent-7"}
    event = only("sunshine", happened("conversation:message", message=SAID | {"id": "m2", "author": author}))
    assert read(event) == ("message.sent", "outbound", "agent", [], "Where is it?")
    bot = author | {"subtypes": ["AI"]}
    assert read(only("sunshine", happened("conversation:message", message=SAID | {"author": bot})))[2] == "bot"


@pytest.mark.parametrize(
    ("content", "words", "files"),
    [
        ({"type": "file", "mediaUrl": "https://x/y.pdf", "mediaType": "application/pdf"}, None,
         [{"type": "application/pdf"}]),
        ({"type": "image", "mediaUrl": "https://x/y.png", "mediaType": "image/png", "text": "This"}, "This",
         [{"type": "image/png"}]),
        ({"type": "formResponse", "fields": [{"label": "Mail", "email": "m@e.ee"},
                                             {"label": "Why", "select": [{"label": "Broken"}]}]},
         "Mail: m@e.ee\nWhy: Broken", []),
        ({"type": "location", "coordinates": {"lat": 58.4, "long": 26.7}}, "58.4, 26.7", []),
        ({"type": "carousel", "items": [{"title": "Tacos", "description": "Beef"}]}, "Tacos: Beef", []),
    ],
)  # fmt: skip
def test_every_kind_of_content(content: Any, words: str | None, files: list[Any]) -> None:
    event = only("sunshine", happened("conversation:message", message=SAID | {"content": content}))
    assert (event["data"].get("text"), event["data"]["attachments"]) == (words, files)


def test_what_did_not_arrive_is_told() -> None:
    error = {"code": "bad_request", "message": "Number is blocked"}
    event = only("sunshine", happened("conversation:message:delivery:failure", message={"id": "m2"}, error=error))
    assert (event["type"], event["data"]["message"]) == ("message.failed", "m2")
    assert event["data"]["reason"] == "Number is blocked"


def test_users_who_turned_out_to_be_one_become_one() -> None:
    merged = {"surviving": {"id": "u1", "externalId": "C-1"}, "discarded": {"id": "u0"}}
    event = only("sunshine", happened("user:merge", mergedUsers=merged))
    assert read(event)[3] == ["account:C-1", "sunshine:u1", "sunshine:u0"]  # named together, they are joined
    assert "previous" not in event["data"]  # which is for accounts
    old = {"trigger": "merge:appUser", "surviving": {"_id": "u1"}, "discarded": [{"_id": "u0"}], "timestamp": 1777886e3}
    assert read(only("sunshine", old))[3] == ["sunshine:u1", "sunshine:u0"]
    merged["discarded"]["externalId"] = "C-0"
    event = only("sunshine", happened("user:merge", mergedUsers=merged))
    assert event["data"]["previous"] == {"type": "account", "value": "C-0"}


def test_the_first_version_tells_the_same() -> None:
    message = {"_id": "m1", "type": "text", "text": "Hi", "role": "appUser", "received": 1777886000.7,
               "name": "Mari", "source": {"type": "messenger"}}  # fmt: skip
    body = {"trigger": "message:appUser", "appUser": {"_id": "u1", "userId": "m@e.ee"}, "messages": [message]}
    event = only("sunshine", body)
    assert read(event) == (
        "message.received", "inbound", "customer", ["account:m@e.ee", "email:m@e.ee", "sunshine:u1"], "Hi",
    )  # fmt: skip
    assert (event["conversation"], event["channel"]) == ("u1", "social")
    ours = message | {"role": "appMaker", "source": {"type": "api"}}
    user = {"_id": "u1", "userId": "m@e.ee", "clients": [{"platform": "messenger"}]}
    sent = only("sunshine", body | {"trigger": "message:appMaker", "messages": [ours], "appUser": user})
    assert (*read(sent)[:2], sent["channel"]) == ("message.sent", "outbound", "social")
    pressed = body | {"trigger": "postback", "postbacks": [{"action": {"text": "Yes", "_id": "7"}}], "timestamp": 1.5e9}
    assert read(only("sunshine", pressed))[::4] == ("message.received", "Yes")


@pytest.mark.parametrize("type", ["conversation:typing", "conversation:read", "conversation:message:delivery:user",
                                  "switchboard:passControl"])  # fmt: skip
def test_what_tells_nothing_becomes_nothing(type: str) -> None:
    assert becomes("sunshine", happened(type, user=USER)) == []
