"""What WhatsApp's, Messenger's and Instagram's webhooks become."""

from typing import Any

import pytest

from services.ingest.sources import vendors
from tests.sources.chats import becomes, only, post, read

MARI = {"profile": {"name": "Mari"}, "wa_id": "37255512345", "user_id": "EE.1349"}
LINE = {"display_phone_number": "3726000000", "phone_number_id": "1122"}
SAID = {"from": "37255512345", "id": "wamid.1", "timestamp": "1777886000", "type": "text", "text": {"body": "Where?"}}


def whatsapp(**value: Any) -> dict[str, Any]:
    changes = [{"field": "messages", "value": {"metadata": LINE, "contacts": [MARI]} | value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "7", "changes": changes}]}


def page(*messaging: dict[str, Any], object: str = "page") -> dict[str, Any]:
    to = {"sender": {"id": "P1"}, "recipient": {"id": "PAGE"}, "timestamp": 1777886000000}
    sent = [to | one for one in messaging]
    return {"object": object, "entry": [{"id": "PAGE", "time": 1777886000001, "messaging": sent}]}


def test_a_message_names_its_sender_by_number_and_by_the_business_own_id() -> None:
    event = only("whatsapp", whatsapp(messages=[SAID]))
    assert read(event) == (
        "message.received", "inbound", "customer", ["phone:+37255512345", "whatsapp:EE.1349"], "Where?",
    )  # fmt: skip
    assert (event["id"], event["time"], event["channel"]) == ("wamid.1", "2026-05-04T09:13:20Z", "chat")
    assert (event["conversation"], event["data"]["author"]["name"]) == ("1122:37255512345", "Mari")


def test_who_hides_their_number_is_known_all_the_same() -> None:
    hidden = {"profile": {"name": "Mari", "username": "@mari"}, "user_id": "EE.1349"}
    message = {name: value for name, value in SAID.items() if name != "from"} | {"from_user_id": "EE.1349"}
    event = only("meta", whatsapp(contacts=[hidden], messages=[message]))
    assert read(event)[3] == ["whatsapp:EE.1349"]
    assert event["conversation"] == "1122:EE.1349"


def test_a_post_of_several_people_tells_each_by_their_own_name() -> None:
    jonas = {"profile": {"name": "Jonas"}, "wa_id": "37060012345"}
    body = whatsapp(contacts=[MARI, jonas], messages=[SAID, SAID | {"from": "37060012345", "id": "wamid.2"}])
    body["entry"].append({"id": "8", "changes": body["entry"][0]["changes"][:0]})
    assert [(one["id"], one["data"]["author"]["name"]) for one in becomes("meta", body)] == [
        ("wamid.1", "Mari"), ("wamid.2", "Jonas"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "type", "words", "data"),
    [
        ({"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}}, "message.reacted", None,
         {"message": "wamid.0", "emoji": "👍"}),
        ({"type": "edit", "edit": {"original_message_id": "wamid.0",
                                   "message": {"type": "text", "text": {"body": "New"}}}},
         "message.edited", "New", {"message": "wamid.0"}),
        ({"type": "revoke", "revoke": {"original_message_id": "wamid.0"}}, "message.deleted", None,
         {"message": "wamid.0"}),
        ({"type": "button", "button": {"text": "Yes", "payload": "Y"}}, "message.received", "Yes", {"kind": "button"}),
        ({"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "name": "flow"}}},
         "message.received", "Sent", {}),
        ({"type": "document", "document": {"filename": "bill.pdf", "mime_type": "application/pdf", "caption": "This"}},
         "message.received", "This", {"attachments": [{"name": "bill.pdf", "type": "application/pdf"}]}),
    ],
)  # fmt: skip
def test_every_kind_of_message(message: Any, type: str, words: str | None, data: dict[str, Any]) -> None:
    event = only("meta", whatsapp(messages=[SAID | message]))
    assert (event["type"], event["data"].get("text")) == (type, words)
    assert {name: event["data"].get(name) for name in data} == data


def test_what_a_colleague_wrote_on_the_phone_goes_out() -> None:
    echo = {"from": "3726000000", "to": "37255512345", "id": "wamid.9", "timestamp": "1777886000", "type": "text",
            "text": {"body": "On its way."}}  # fmt: skip
    event = only("whatsapp", whatsapp(message_echoes=[echo]))
    assert read(event)[:3] == ("message.sent", "outbound", "agent")
    assert event["conversation"] == "1122:37255512345"


def test_of_statuses_only_a_failure_is_told() -> None:
    status = {"id": "wamid.9", "recipient_id": "37255512345", "timestamp": "1777886000"}
    assert becomes("meta", whatsapp(statuses=[status | {"status": "delivered"}, status | {"status": "read"}])) == []
    errors = [{"code": 131026, "title": "Message undeliverable"}]
    event = only("meta", whatsapp(statuses=[status | {"status": "failed", "errors": errors}]))
    assert (event["type"], event["data"]["message"]) == ("message.failed", "wamid.9")
    assert event["data"]["reason"] == "Message undeliverable"


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "user_changed_number", "wa_id": "37255500000", "body": "Mari changed"},
        {"type": "customer_changed_number", "new_wa_id": "37255500000", "wa_id": "37255512345"},
    ],
)
def test_a_number_that_changed_stays_the_same_customers(changed: dict[str, Any]) -> None:
    told = {name: value for name, value in SAID.items() if name != "text"} | {"type": "system", "system": changed}
    event = only("whatsapp", whatsapp(contacts=[], messages=[told]))
    both = ["phone:+37255500000", "phone:+37255512345"]  # named together, they are joined
    assert (event["type"], read(event)[3]) == ("customer.identified", both)
    assert event["data"]["previous"] == {"type": "phone", "value": "+37255512345"}
    assert event["direction"] == "internal"


def test_who_opens_the_chat_without_a_word_has_said_nothing_yet() -> None:
    opened = {name: value for name, value in SAID.items() if name != "text"} | {"type": "request_welcome"}
    event = only("whatsapp", whatsapp(messages=[opened]))
    assert (event["type"], event["conversation"]) == ("chat.started", "1122:37255512345")


def test_what_else_whatsapp_says_of_itself_becomes_nothing() -> None:
    said = {"type": "customer_identity_changed", "body": "Security code changed", "wa_id": "37255512345"}
    assert becomes("whatsapp", whatsapp(messages=[SAID | {"type": "system", "system": said}])) == []


def test_a_call_rings_and_ends_in_one_conversation() -> None:
    call = {"id": "wacid.1", "from": "37255512345", "to": "3726000000", "timestamp": "1777886000"}
    call["direction"] = "USER_INITIATED"
    end = call | {"event": "terminate", "status": "COMPLETED", "duration": 120}
    ringing, ended = becomes("meta", whatsapp(calls=[call | {"event": "connect"}, end]))
    assert (ringing["type"], ended["type"], ringing["channel"]) == ("call.ringing", "call.ended", "phone")
    assert ringing["conversation"] == ended["conversation"] == "wacid.1"
    assert (ended["data"]["talk_seconds"], ended["data"]["disposition"]) == (120, "completed")


def test_an_echo_is_the_companys_and_about_the_person() -> None:
    said = {"mid": "m2", "text": "Hi", "is_echo": True}
    echo = {"sender": {"id": "PAGE"}, "recipient": {"id": "P1"}, "message": said}
    assert read(only("messenger", page(echo))) == ("message.sent", "outbound", "agent", ["messenger:P1"], "Hi")
    received = only("messenger", page({"message": {"mid": "m1", "text": "Hello"}}))
    assert received["conversation"] == only("messenger", page(echo))["conversation"] == "PAGE:P1"
    assert (received["time"], received["channel"]) == ("2026-05-04T09:13:20Z", "social")


@pytest.mark.parametrize(("app", "role"), [(263902037430900, "agent"), ("1217981644879628", "agent"), (17, "bot")])
def test_an_echo_from_metas_own_inbox_is_a_colleagues_and_of_another_app_a_bots(app: Any, role: str) -> None:
    said = {"mid": "m2", "text": "Hi", "is_echo": True, "app_id": app}
    event = only("messenger", page({"sender": {"id": "PAGE"}, "recipient": {"id": "P1"}, "message": said}))
    assert read(event)[:3] == ("message.sent", "outbound", role)


@pytest.mark.parametrize(
    ("one", "type", "id"),
    [
        ({"message": {"mid": "m1", "is_deleted": True}}, "message.deleted", "m1/deleted"),
        ({"message_edit": {"mid": "m1", "text": "New", "num_edit": 2}}, "message.edited", "m1/edited/2"),
        ({"reaction": {"mid": "m1", "action": "react", "emoji": "❤", "reaction": "love"}}, "message.reacted",
         "m1/reaction/P1/1777886000000"),
        ({"postback": {"title": "Start", "payload": "GO"}}, "message.received", "postback/P1/1777886000000"),
        ({"referral": {"ref": "spring", "source": "SHORTLINK"}}, "chat.started", "referral/P1/1777886000000"),
    ],
)  # fmt: skip
def test_what_else_happens_in_a_conversation(one: Any, type: str, id: str) -> None:
    event = only("instagram", page(one, object="instagram"))
    assert (event["type"], event["id"], event["direction"]) == (type, id, "inbound")
    assert read(event)[3] == ["instagram:P1"]


def test_a_comment_in_public_is_a_message_and_ours_goes_out() -> None:
    def comment(author: str) -> dict[str, Any]:
        value = {"id": "c1", "from": {"id": author, "username": "mari"}, "text": "Broken!", "media": {"id": "7"}}
        return {"object": "instagram", "entry": [{"id": "IG", "time": 1777886000,
                                                  "changes": [{"field": "comments", "value": value}]}]}  # fmt: skip

    assert read(only("instagram", comment("P9")))[:4] == (
        "message.received", "inbound", "customer", ["instagram:P9"],
    )  # fmt: skip
    assert read(only("instagram", comment("IG")))[:4] == ("message.sent", "outbound", "agent", [])


def test_receipts_and_likes_become_nothing() -> None:
    likes = {"field": "feed", "value": {"item": "like", "verb": "add", "from": {"id": "1"}}}
    assert becomes("messenger", page({"delivery": {"mids": ["m"]}}, {"read": {"watermark": 1}})) == []
    assert becomes("messenger", {"object": "page", "entry": [{"id": "PAGE", "changes": [likes]}]}) == []


def test_the_challenge_is_given_back_to_who_knows_the_token() -> None:
    vendor = vendors()["meta"]
    asked = post(b"", method="GET", target="/?hub.mode=subscribe&hub.verify_token=key&hub.challenge=1158201444")
    assert vendor.handshake
    reply = vendor.handshake(asked, [])
    assert reply
    assert (reply.body, list(vendor.keys(asked))) == (b"1158201444", ["key"])


def test_another_systems_json_is_refused_in_words() -> None:
    (refused,) = becomes("meta", {"hello": "world"})
    assert refused["refused"] == "not_metas"
