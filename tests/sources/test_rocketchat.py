"""What Rocket.Chat's omnichannel webhooks become."""

from typing import Any

import orjson

from tests.sources.chats import becomes, only, read

VISITOR = {"_id": "v1", "token": "t1", "name": "Mari", "username": "guest-3",
           "email": [{"address": "m@e.ee"}], "phone": [{"phoneNumber": "+37255512345"}]}  # fmt: skip
SAID = {"_id": "m1", "username": "guest-3", "msg": "Where is it?", "ts": "2026-05-04T09:13:20.000Z", "rid": "r1"}
ANSWERED = {"_id": "m2", "username": "anna", "agentId": "a1", "msg": "Soon.", "ts": "2026-05-04T09:14:20.000Z"}
ROOM: dict[str, Any] = {
    "_id": "r1", "label": "Mari", "createdAt": "2026-05-04T09:13:00.000Z", "lastMessageAt": "2026-05-04T09:14:20.000Z",
    "visitor": VISITOR, "agent": {"_id": "a1", "username": "anna", "name": "Anna"}, "messages": [],
}  # fmt: skip


def test_the_visitor_becomes_known_and_says_something() -> None:
    known, said = becomes("rocketchat", ROOM | {"type": "Message", "messages": [SAID]})
    assert read(known)[3] == ["rocketchat:v1", "email:m@e.ee", "phone:+37255512345"]
    assert known["data"]["traits"] == {"name": "Mari"}
    assert read(said) == ("message.received", "inbound", "customer", ["rocketchat:v1"], "Where is it?")
    assert (said["id"], said["conversation"]) == ("m1", "r1")


def test_the_whole_session_at_its_end_repeats_what_was_told_word_for_word() -> None:
    one_by_one = [
        event
        for message in (SAID, ANSWERED)
        for event in becomes("rocketchat", ROOM | {"type": "Message", "messages": [message]})
    ]
    closed = {"type": "LivechatSession", "closedAt": "2026-05-04T09:20:00.000Z", "closer": "visitor"}
    *again, ended = becomes("rocketchat", ROOM | closed | {"messages": [SAID, ANSWERED]})
    assert all(event in one_by_one for event in again)
    assert (ended["type"], ended["data"]["disposition"]) == ("chat.ended", "closed by the customer")
    assert ended["time"] == "2026-05-04T09:20:00Z"


def test_the_agent_answers() -> None:
    said = becomes("rocketchat", ROOM | {"type": "Message", "messages": [ANSWERED]})[1]
    assert read(said)[:3] == ("message.sent", "outbound", "agent")
    assert said["data"]["author"]["name"] == "anna"


def test_a_closing_comment_is_the_agents_note_and_no_word_of_the_customers() -> None:
    closed = ROOM | {"type": "LivechatSession", "closedAt": "2026-05-04T09:20:00.000Z"}
    comment = ANSWERED | {"_id": "m3", "msg": "A new parcel is sent.", "closingMessage": True}
    _, note, ended = becomes("rocketchat", closed | {"messages": [comment]})
    assert (note["type"], note["direction"], note["data"]["text"]) == (
        "note.written", "internal", "A new parcel is sent.",
    )  # fmt: skip
    assert ended["type"] == "chat.ended"
    by_visitor = SAID | {"_id": "m3", "msg": "Closed by visitor", "closingMessage": True}
    assert [one["type"] for one in becomes("rocketchat", closed | {"messages": [by_visitor]})] == [
        "customer.identified", "chat.ended",
    ]  # fmt: skip


def test_what_an_app_shows_is_read_instead_of_its_json() -> None:
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "Choose a size"}}]
    shown = ANSWERED | {"msg": orjson.dumps(blocks).decode(), "blocks": blocks}
    assert read(becomes("rocketchat", ROOM | {"type": "Message", "messages": [shown]})[1])[4] == "Choose a size"


def test_an_edit_names_its_message() -> None:
    edited = SAID | {"msg": "Where is order 7?", "editedAt": "2026-05-04T09:15:00.000Z"}
    event = becomes("rocketchat", ROOM | {"type": "Message", "messages": [edited]})[1]
    assert (event["type"], event["data"]["message"], event["time"]) == (
        "message.edited", "m1", "2026-05-04T09:15:00Z",
    )  # fmt: skip


def test_a_session_starts() -> None:
    started = becomes("rocketchat", ROOM | {"type": "LivechatSessionStart"})[1]
    assert (started["type"], started["time"]) == ("chat.started", "2026-05-04T09:13:00Z")


def test_older_versions_give_addresses_as_texts_and_messages_no_ids() -> None:
    old = ROOM | {"type": "Message", "visitor": VISITOR | {"email": "m@e.ee", "phone": "55512345"}}
    message = {name: value for name, value in SAID.items() if name != "_id"}
    known, said = becomes("rocketchat", old | {"messages": [message]})
    assert read(known)[3] == ["rocketchat:v1", "email:m@e.ee", "phone:55512345"]
    assert said["id"] == becomes("rocketchat", old | {"messages": [message]})[1]["id"]


def test_a_message_left_while_nobody_was_there() -> None:
    body = {"type": "LivechatOfflineMessage", "sentAt": "2026-05-04T09:13:20Z", "message": "Call me",
            "visitor": {"name": "Mari", "email": "m@e.ee"}}  # fmt: skip
    event = only("rocketchat", body)
    assert read(event) == ("message.received", "inbound", "customer", ["email:m@e.ee"], "Call me")


def test_a_page_that_the_visitor_saw() -> None:
    page = {"page": {"title": "Returns", "location": {"href": "https://shop.ee/returns"}}}
    event = becomes("rocketchat", ROOM | {"type": "Message", "messages": [SAID | {"navigation": page}]})[1]
    assert (event["type"], event["channel"], event["data"]["title"]) == ("page.viewed", "web", "Returns")


def test_what_tells_nothing_becomes_nothing() -> None:
    assert becomes("rocketchat", {"type": "LivechatSessionTaken", "_id": "r1"}) == []
    assert becomes("rocketchat", {}) == []
