"""What Slack's events become."""

from typing import Any

import pytest

from services.ingest.sources import vendors
from tests.sources.chats import becomes, only, post, read

SAID: dict[str, Any] = {
    "type": "message", "user": "U1", "text": "Where is <https://shop.ee/1|my order>, <@W9> &amp; why?",
    "ts": "1777886000.004200", "channel": "C1", "channel_type": "channel", "team": "T1",
}  # fmt: skip


def called_back(event: dict[str, Any], **body: Any) -> dict[str, Any]:
    whole = {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event_time": 1777886000}
    return whole | {"event": event} | body


def test_a_message_is_read_as_people_see_it() -> None:
    event = only("slack", called_back(SAID))
    words = "Where is my order (https://shop.ee/1), @W9 & why?"
    assert read(event) == ("message.received", "inbound", "customer", ["slack:U1"], words)
    assert (event["id"], event["time"]) == ("C1/1777886000.004200", "2026-05-04T09:13:20.004200Z")


def test_a_thread_is_a_conversation_and_a_direct_message_one_with_its_person() -> None:
    first, answer = only("slack", called_back(SAID)), SAID | {"ts": "1777886100.1", "thread_ts": SAID["ts"]}
    assert only("slack", called_back(answer))["conversation"] == first["conversation"] == f"C1/{SAID['ts']}"
    direct = SAID | {"channel": "D1", "channel_type": "im"}
    assert only("slack", called_back(direct))["conversation"] == "D1"


def test_a_mention_is_the_same_message() -> None:
    assert only("slack", called_back(SAID | {"type": "app_mention"})) == only("slack", called_back(SAID))


def test_bots_are_ours() -> None:
    bot = SAID | {"subtype": "bot_message", "bot_id": "B1", "username": "Helper"}
    assert read(only("slack", called_back(bot)))[:4] == ("message.sent", "outbound", "bot", [])


def test_in_a_channel_shared_with_another_company_our_own_people_are_agents() -> None:
    assert read(only("slack", called_back(SAID | {"user_team": "T1"}, is_ext_shared_channel=True)))[:4] == (
        "message.sent", "outbound", "agent", [],
    )  # fmt: skip
    guest = only("slack", called_back(SAID | {"user_team": "T2"}, is_ext_shared_channel=True))
    assert read(guest)[:3] == ("message.received", "inbound", "customer")


def test_an_edit_and_a_deletion_name_the_message() -> None:
    new = SAID | {"text": "Where is order 7?", "edited": {"user": "U1", "ts": "1777886060.000000"}}
    changed = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1777886060.000100",
               "message": new, "previous_message": SAID, "event_ts": "1777886060.000100"}  # fmt: skip
    event = only("slack", called_back(changed))
    assert read(event) == ("message.edited", "inbound", "customer", ["slack:U1"], "Where is order 7?")
    assert (event["data"]["message"], event["time"]) == ("C1/1777886000.004200", "2026-05-04T09:14:20Z")
    deleted = {"type": "message", "subtype": "message_deleted", "channel": "C1", "deleted_ts": SAID["ts"],
               "previous_message": SAID, "event_ts": "1777886070.0", "ts": "1777886070.0"}  # fmt: skip
    event = only("slack", called_back(deleted))
    assert (event["type"], event["data"]["message"]) == ("message.deleted", "C1/1777886000.004200")
    assert event["conversation"] == only("slack", called_back(SAID))["conversation"]


def test_a_preview_that_came_along_is_no_edit() -> None:
    changed = {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "2", "previous_message": SAID,
               "message": SAID | {"attachments": [{"fallback": "Shop"}]}}  # fmt: skip
    assert becomes("slack", called_back(changed)) == []


def test_a_reaction_names_its_message() -> None:
    reaction = {"type": "reaction_added", "user": "U1", "reaction": "tada", "event_ts": "1777886080.1",
                "item": {"type": "message", "channel": "C1", "ts": SAID["ts"]}}  # fmt: skip
    event = only("slack", called_back(reaction))
    assert (event["type"], event["data"]["message"], event["data"]["emoji"]) == (
        "message.reacted", "C1/1777886000.004200", "tada",
    )  # fmt: skip
    assert "emoji" not in only("slack", called_back(reaction | {"type": "reaction_removed"}))["data"]


def test_a_new_member_is_identified() -> None:
    user = {"id": "U1", "profile": {"real_name": "Mari", "email": "m@e.ee"}}
    event = only("slack", called_back({"type": "team_join", "user": user}))
    assert read(event)[0::3] == ("customer.identified", ["slack:U1", "email:m@e.ee"])


def test_the_challenge_is_given_back() -> None:
    asked = {"type": "url_verification", "token": "t", "challenge": "3eZbrw1a"}
    handshake = vendors()["slack"].handshake
    assert handshake
    reply = handshake(post(asked), [])
    assert reply
    assert reply.body == b"3eZbrw1a"
    assert handshake(post(called_back(SAID)), []) is None


@pytest.mark.parametrize(
    "event", [SAID | {"subtype": "channel_join"}, {"type": "app_home_opened"}, SAID | {"text": ""}]
)
def test_what_tells_nothing_becomes_nothing(event: dict[str, Any]) -> None:
    assert becomes("slack", called_back(event)) == []
