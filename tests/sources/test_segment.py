import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import Malformed, from_wire
from schemas.event import Event
from services.ingest.sources.segment import PATHS, VENDORS, keys
from services.ingest.sources.vendor import Post

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def translate(path: str, body: Any, now: datetime, depth: int) -> list[Any]:
    raw = json.dumps(body).encode()
    return list(VENDORS[0].documents(Post(raw, raw, {}, now, path=path), depth))


def write_keys(body: Any) -> list[str]:
    raw = json.dumps(body).encode()
    return list(keys(Post(raw, raw, {}, NOW)))


def _call(**fields: Any) -> dict[str, Any]:
    plain = {"messageId": "m-1", "type": "track", "event": "Clicked", "userId": "8812", "timestamp": NOW.isoformat()}
    return plain | fields


def _event(call: dict[str, Any], path: str = "/v1/batch", **body: Any) -> Event:
    """The one event of a call, as it would be stored."""
    posted = {"batch": [call]} | body if path in ("/v1/batch", "/v1/b", "/v1/import") else call
    [document] = translate(path, posted, NOW, depth=32)
    assert not isinstance(document, Malformed), document
    return from_wire(document, source="shop", received_at=NOW)


def _named(event: Event) -> list[tuple[str, str]]:
    return [(identifier.type, identifier.value) for identifier in event.identifiers]


def _recorded(folder: Path) -> list[Any]:
    files = sorted(folder.glob("fixtures/web/*/recorded/*.jsonl"))
    lines = [line for file in files if file.parts[-3] in ("segment", "rudderstack") for line in file.open()]
    return [json.loads(line) for line in lines]


def test_every_recorded_request_of_the_real_clients_is_understood(shared: Path) -> None:
    requests = _recorded(shared)
    assert len(requests) == 15
    for request in requests:
        body = json.loads(request["body"])
        events = [
            from_wire(document, source="shop", received_at=NOW)
            for document in translate(request["path"], body, NOW, 32)
            if not isinstance(document, Malformed)
        ]
        assert [event.type for event in events] == [
            "customer.identified", "purchase.made", "page.viewed", "screen.viewed", "app.event",
            "customer.identified", "app.event",
        ]  # fmt: skip
        assert [event.id for event in events] == [call["messageId"] for call in body["batch"]]
        identified, purchase, page, screen, group, alias, anonymous = events
        assert ("email", "mari@example.ee") in _named(identified)
        assert identified.author is not None
        assert identified.author.name == "Mari Tamm"
        assert purchase.references[0].value == "A1"
        assert purchase.data["amount"] == "12.5"
        assert page.data["url"] == "https://shop.example/pricing"
        assert screen.channel == "app"
        assert [(reference.type, reference.value) for reference in group.references] == [("group", "acct-9")]
        assert _named(alias) == [("account", "user-1"), ("device", "anon-7")]
        assert alias.data["previous"] == {"type": "device", "value": "anon-7"}
        assert _named(anonymous) == [("device", "anon-7")]


def test_every_example_of_the_spec_is_understood(shared: Path) -> None:
    files = sorted(shared.glob("fixtures/web/segment/spec_*.json"))
    assert len(files) > 10
    events = {file.stem.split(".")[0]: _event(json.loads(file.read_text())) for file in files}
    assert events["spec_live-chat"].type == "message.received"
    assert events["spec_live-chat"].channel == "chat"
    assert events["spec_email"].type == "app.event"
    assert _named(events["spec_email"]) == [("account", "019mr8mf4r"), ("email", "pgibbons@example.com")]
    assert _named(events["spec_alias"]) == [("account", "507f191e81"), ("email", "jen@email.com")]
    assert _named(events["spec_page"]) == []
    assert events["spec_common"].channel == "app"


@pytest.mark.parametrize("path", PATHS)
def test_every_address_takes_its_call(path: str) -> None:
    name = path.removeprefix("/v1/")
    types = {
        "t": "app.event", "i": "customer.identified", "p": "page.viewed",
        "s": "screen.viewed", "g": "app.event", "a": "customer.identified",
    }  # fmt: skip
    batch = name in ("batch", "import", "b")
    call = _call() if batch else {key: value for key, value in _call().items() if key != "type"}
    assert _event(call, path).type == ("app.event" if batch else types[name[0]])


def test_names_come_from_the_traits() -> None:
    def name(**traits: Any) -> str | None:
        author = _event(_call(type="identify", traits=traits)).author
        return author.name if author else None

    assert name(name="Mari Maasikas", firstName="M") == "Mari Maasikas"
    assert name(firstName="Mari", lastName="Maasikas") == "Mari Maasikas"
    assert name(last_name="Maasikas") == "Maasikas"
    assert name(name=17) == "17"
    assert name(name=" ") is None


def test_identify_names_account_device_mail_and_phone() -> None:
    call = _call(type="identify", anonymousId="anon-1", traits={"email": "mari@example.com", "phone": "+3725551234"})
    event = _event(call)
    assert _named(event) == [
        ("account", "8812"), ("email", "mari@example.com"), ("phone", "+3725551234"), ("device", "anon-1"),
    ]  # fmt: skip
    assert event.data["traits"]["phone"] == "+3725551234"


def test_an_account_that_is_a_mail_address_is_a_mail_address_too() -> None:
    event = _event(_call(userId="mari@example.com", context={"traits": {"email": "mari@example.com"}}))
    assert _named(event) == [("account", "mari@example.com"), ("email", "mari@example.com")]


def test_a_property_named_email_names_nobody() -> None:
    assert _named(_event(_call(properties={"email": "friend@example.com"}))) == [("account", "8812")]


def test_the_traits_of_a_group_are_not_the_customers() -> None:
    event = _event(_call(type="group", groupId="g-1", traits={"name": "Initech", "email": "info@initech.example"}))
    assert _named(event) == [("account", "8812")]
    assert event.author is not None
    assert event.author.name is None
    assert event.data == {"name": "group", "properties": {"name": "Initech", "email": "info@initech.example"}}


def test_an_alias_to_itself_joins_nothing() -> None:
    event = _event(_call(type="alias", previousId="8812"))
    assert _named(event) == [("account", "8812")]
    assert "previous" not in event.data


def test_a_device_that_is_also_the_previous_id_is_named_once() -> None:
    event = _event(_call(type="alias", previousId="anon-1", anonymousId="anon-1"))
    assert _named(event) == [("account", "8812"), ("device", "anon-1")]


@pytest.mark.parametrize(
    ("context", "channel"),
    [
        ({}, "web"),
        ({"library": {"name": "analytics.js"}, "os": {"name": "", "version": ""}, "device": None}, "web"),
        ({"library": {"name": "@segment/analytics-node"}, "os": {"name": "Mac OS X"}}, "web"),
        ({"library": {"name": "analytics-ios"}}, "app"),
        ({"library": {"name": "com.rudderstack.android.sdk.core"}}, "app"),
        ({"os": {"name": "iPhone OS"}}, "app"),
        ({"device": {"type": "android", "id": "B5372DB0"}}, "app"),
        ("not an object", "web"),
    ],
)
def test_what_the_context_says_of_the_machine_decides_the_channel(context: Any, channel: str) -> None:
    assert _event(_call(context=context)).channel == channel


@pytest.mark.parametrize(
    ("locale", "language"), [("en-US", "en-US"), ("et_EE", "et-EE"), ("lt", "lt"), ("C.UTF-8", None), ("", None)]
)
def test_the_locale_is_the_language(locale: str, language: str | None) -> None:
    assert _event(_call(context={"locale": locale})).language == language


def test_a_skewed_clock_is_corrected_by_sent_at() -> None:
    fast = NOW + timedelta(hours=3, minutes=7)
    call = _call(timestamp=(fast - timedelta(minutes=2)).isoformat())
    assert _event(call, sentAt=fast.isoformat()).occurred_at == NOW - timedelta(minutes=2)


def test_the_networks_delay_moves_nothing() -> None:
    sent_at = NOW - timedelta(milliseconds=400)
    happened = sent_at - timedelta(seconds=5)
    assert _event(_call(timestamp=happened.isoformat(), sentAt=sent_at.isoformat())).occurred_at == happened


def test_the_original_time_counts_where_the_other_was_set_on_the_way() -> None:
    original = NOW - timedelta(minutes=10)
    call = _call(timestamp=NOW.isoformat(), originalTimestamp=original.isoformat(), sentAt=NOW.isoformat())
    assert _event(call).occurred_at == original


def test_a_time_that_was_corrected_on_the_way_is_not_corrected_again() -> None:
    happened = NOW - timedelta(days=2)
    wrong = happened + timedelta(hours=5)
    call = _call(
        timestamp=happened.isoformat(),
        originalTimestamp=wrong.isoformat(),
        sentAt=wrong.isoformat(),
        receivedAt=happened.isoformat(),
    )
    assert _event(call).occurred_at == happened


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", 17, "9999-12-31T23:59:59-14:00"])
def test_without_a_time_it_happened_when_it_came(timestamp: Any) -> None:
    assert _event(_call(timestamp=timestamp)).occurred_at == NOW


def test_a_skew_beyond_the_calendar_is_left_out() -> None:
    assert _event(_call(timestamp="0001-01-02T00:00:00Z", sentAt="9999-12-30T00:00:00Z")).occurred_at == NOW


def test_without_a_message_id_the_same_call_has_the_same_id() -> None:
    def id(**fields: Any) -> str:
        call = _call(**fields)
        del call["messageId"]
        return _event(call).id

    first = id(sentAt="2026-05-04T09:30:00Z")
    assert id(sentAt="2026-05-04T09:35:00Z", writeKey="k") == first
    assert id(event="Other") != first


def test_an_order_is_a_purchase_with_its_number_and_lines() -> None:
    properties = {
        "order_id": 1001, "revenue": 10, "total": "19.90", "currency": "eur", "coupon": "MAI",
        "products": [{"name": "Tea", "sku": "T-1", "quantity": 2, "price": 0.1 + 0.2}, "odd", {"quantity": -1}],
    }  # fmt: skip
    event = _event(_call(event="order completed", properties=properties))
    assert event.type == "purchase.made"
    assert [(reference.type, reference.value) for reference in event.references] == [("order", "1001")]
    assert (event.data["amount"], event.data["currency"]) == ("19.9", "EUR")
    assert event.data["items"] == [{"name": "Tea", "sku": "T-1", "quantity": 2, "amount": "0.3"}, {}]
    assert event.data["properties"] == properties


@pytest.mark.parametrize("properties", [{}, {"total": "much"}, {"total": True}, {"total": 1e30}, {"total": "nan"}])
def test_an_order_without_an_amount_stays_a_plain_event(properties: dict[str, Any]) -> None:
    event = _event(_call(event="Order Completed", properties=properties))
    assert (event.type, event.data["name"]) == ("app.event", "Order Completed")


def test_chat_lines_are_messages_of_whoever_wrote_them() -> None:
    said = {"conversation_id": "c-1", "message_body": "My order is late", "agent_id": "a7", "agent_name": "Liis"}
    written = _event(_call(event="Live Chat Message Sent", properties=said))
    answer = _event(_call(event="Live Chat Message Received", properties=said | {"message_body": "It is on its way"}))
    ended = _event(_call(event="Live Chat Conversation Ended", properties={"conversation_id": "c-1"}))
    assert [(event.type, event.channel, event.conversation) for event in (written, answer, ended)] == [
        ("message.received", "chat", "c-1"), ("message.sent", "chat", "c-1"), ("chat.ended", "chat", "c-1"),
    ]  # fmt: skip
    assert written.text == "My order is late"
    assert written.author is not None
    assert written.author.role == "customer"
    assert answer.author is not None
    assert (answer.author.role, answer.author.id, answer.author.name) == ("agent", "a7", "Liis")


def test_a_chat_line_without_words_stays_a_plain_event() -> None:
    event = _event(_call(event="Live Chat Message Sent", properties={"conversation_id": "c-1", "message_body": " "}))
    assert event.type == "app.event"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("text", "not_a_call"),
        (None, "not_a_call"),
        ({"type": "delete"}, "unknown_call"),
        ({"userId": "8812"}, "unknown_call"),
        ({"type": "track", "properties": {"a": {"b": {"c": {}}}}}, "nested_too_deep"),
    ],
)
def test_a_bad_call_does_not_spoil_its_batch(call: Any, code: str) -> None:
    bad, good = translate("/v1/batch", {"batch": [call, _call()]}, NOW, depth=4)
    assert isinstance(bad, Malformed)
    assert bad.code == code
    assert not isinstance(good, Malformed)


@pytest.mark.parametrize("body", ["text", None, {}, {"batch": {}}, {"batch": None}])
def test_a_body_that_is_no_batch_is_refused(body: Any) -> None:
    with pytest.raises(Malformed) as refusal:
        translate("/v1/batch", body, NOW, depth=32)
    assert refusal.value.code in ("not_a_call", "not_a_batch")


def test_the_key_in_a_body_is_found() -> None:
    assert write_keys({"writeKey": "k-1"}) == ["k-1"]
    assert write_keys({"writeKey": ""}) == write_keys([]) == []


def test_calls_in_an_array_and_calls_that_do_not_say_which_they_are_are_taken() -> None:
    unsaid = {"messageId": "m-2", "userId": "8812", "traits": {"email": "mari@example.com"}}
    tracked, identified = translate("", [_call(), unsaid], NOW, 32)
    assert (tracked["type"], identified["type"]) == ("app.event", "customer.identified")
    [alone] = translate("", unsaid, NOW, 32)
    assert alone == identified


def test_a_call_without_id_and_time_is_another_an_hour_later_and_the_same_on_a_retry() -> None:
    def id(now: datetime) -> str:
        [document] = translate("/v1/page", {"userId": "8812", "name": "Home"}, now, 32)
        return str(document["id"])

    assert id(NOW) == id(NOW + timedelta(minutes=9)) != id(NOW + timedelta(hours=1))


def test_a_refund_a_search_and_a_crash_are_what_they_mean() -> None:
    refund = _event(_call(event="Order Refunded", properties={"order_id": "1001", "total": 5, "currency": "EUR"}))
    assert (refund.type, refund.data["status"], refund.data["amount"]) == ("billing.updated", "refunded", "5.0")
    assert refund.references[0].value == "1001"
    search = _event(_call(event="Products Searched", properties={"query": "blue tea"}))
    assert (search.type, search.data["query"]) == ("search.made", "blue tea")
    crash = _event(_call(event="Application Crashed", properties={"message": "out of memory"}))
    assert (crash.type, crash.data["message"], crash.direction) == ("error.shown", "out of memory", "outbound")
    review = _event(_call(event="Product Reviewed", properties={"review_body": "The lid leaks"}))
    assert (review.type, review.text) == ("app.event", "The lid leaks")


def test_a_mail_that_was_sent_is_no_answer_and_what_became_of_it_stays_with_it() -> None:
    said = {"email_id": "18vzF7u3z", "email_subject": "First shirt on us!"}
    sent, opened, bounced = (
        _event(_call(event=name, properties=said)) for name in ("Email Delivered", "Email Opened", "Email Bounced")
    )
    assert (sent.type, sent.channel, sent.direction, sent.data["subject"], sent.data["automatic"]) == (
        "message.sent", "email", "outbound", "First shirt on us!", "list",
    )  # fmt: skip
    assert (opened.type, opened.channel, opened.direction) == ("app.event", "email", "inbound")
    assert bounced.direction == "internal"
    assert sent.conversation == opened.conversation == "18vzF7u3z 8812"
    others = _event(_call(event="Email Opened", properties=said, userId="9999"))
    assert others.conversation != opened.conversation
