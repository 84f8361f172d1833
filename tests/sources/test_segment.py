import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import Malformed, from_wire
from schemas.event import Event
from services.ingest.sources.segment import MANY, PATHS, VENDORS, keys
from services.ingest.sources.vendor import Post

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


def translate(path: str, body: Any, now: datetime, depth: int) -> list[Any]:
    raw = json.dumps(body).encode()
    return list(VENDORS[0].documents(Post(raw, raw, {}, now, path=path), depth))


def write_keys(body: Any) -> list[str]:
    raw = json.dumps(body).encode()
    return list(keys(Post(raw, raw, {}, NOW)))


def posted(**fields: Any) -> dict[str, Any]:
    plain = {"messageId": "m-1", "type": "track", "event": "Clicked", "userId": "8812", "timestamp": NOW.isoformat()}
    return plain | fields


def made(call: dict[str, Any], path: str = "/v1/batch", **body: Any) -> Event:
    """The one event of a call, as it would be stored."""
    posted = {"batch": [call]} | body if path.rpartition("/")[2] in MANY else call
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
    events = {file.stem.split(".")[0]: made(json.loads(file.read_text())) for file in files}
    assert events["spec_live-chat"].type == "message.received"
    assert events["spec_live-chat"].channel == "chat"
    assert events["spec_email"].type == "app.event"
    assert _named(events["spec_email"]) == [("account", "019mr8mf4r"), ("email", "pgibbons@example.com")]
    assert _named(events["spec_alias"]) == [("account", "507f191e81"), ("email", "jen@email.com")]
    assert _named(events["spec_page"]) == []
    assert events["spec_common"].channel == "app"


@pytest.mark.parametrize("path", PATHS)
def test_every_address_takes_its_call(path: str) -> None:
    name = path.rpartition("/")[2]
    types = {
        "t": "app.event", "i": "customer.identified", "p": "page.viewed",
        "s": "screen.viewed", "g": "app.event", "a": "customer.identified",
    }  # fmt: skip
    batch = name in MANY
    call = posted() if batch else {key: value for key, value in posted().items() if key != "type"}
    assert made(call, path).type == ("app.event" if batch else types[name[0]])


def test_names_come_from_the_traits() -> None:
    def name(**traits: Any) -> str | None:
        author = made(posted(type="identify", traits=traits)).author
        return author.name if author else None

    assert name(name="Mari Maasikas", firstName="M") == "Mari Maasikas"
    assert name(firstName="Mari", lastName="Maasikas") == "Mari Maasikas"
    assert name(last_name="Maasikas") == "Maasikas"
    assert name(name=17) == "17"
    assert name(name=" ") is None


def test_identify_names_account_device_mail_and_phone() -> None:
    call = posted(type="identify", anonymousId="anon-1", traits={"email": "mari@example.com", "phone": "+3725551234"})
    event = made(call)
    assert _named(event) == [
        ("account", "8812"), ("email", "mari@example.com"), ("phone", "+3725551234"), ("device", "anon-1"),
    ]  # fmt: skip
    assert event.data["traits"]["phone"] == "+3725551234"


def test_an_account_that_is_a_mail_address_is_a_mail_address_too() -> None:
    event = made(posted(userId="mari@example.com", context={"traits": {"email": "mari@example.com"}}))
    assert _named(event) == [("account", "mari@example.com"), ("email", "mari@example.com")]


def test_a_property_named_email_names_nobody() -> None:
    assert _named(made(posted(properties={"email": "friend@example.com"}))) == [("account", "8812")]


def test_the_traits_of_a_group_are_not_the_customers() -> None:
    event = made(posted(type="group", groupId="g-1", traits={"name": "Initech", "email": "info@initech.example"}))
    assert _named(event) == [("account", "8812")]
    assert event.author is not None
    assert event.author.name is None
    assert event.data == {"name": "group", "properties": {"name": "Initech", "email": "info@initech.example"}}


def test_an_alias_to_itself_joins_nothing() -> None:
    event = made(posted(type="alias", previousId="8812"))
    assert _named(event) == [("account", "8812")]
    assert "previous" not in event.data


def test_a_device_that_is_also_the_previous_id_is_named_once() -> None:
    event = made(posted(type="alias", previousId="anon-1", anonymousId="anon-1"))
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
    assert made(posted(context=context)).channel == channel


@pytest.mark.parametrize(
    ("locale", "language"), [("en-US", "en-US"), ("et_EE", "et-EE"), ("lt", "lt"), ("C.UTF-8", None), ("", None)]
)
def test_the_locale_is_the_language(locale: str, language: str | None) -> None:
    assert made(posted(context={"locale": locale})).language == language


def test_a_skewed_clock_is_corrected_by_sent_at() -> None:
    fast = NOW + timedelta(hours=3, minutes=7)
    call = posted(timestamp=(fast - timedelta(minutes=2)).isoformat())
    assert made(call, sentAt=fast.isoformat()).occurred_at == NOW - timedelta(minutes=2)


def test_the_networks_delay_moves_nothing() -> None:
    sent_at = NOW - timedelta(milliseconds=400)
    happened = sent_at - timedelta(seconds=5)
    assert made(posted(timestamp=happened.isoformat(), sentAt=sent_at.isoformat())).occurred_at == happened


def test_the_original_time_counts_where_the_other_was_set_on_the_way() -> None:
    original = NOW - timedelta(minutes=10)
    call = posted(timestamp=NOW.isoformat(), originalTimestamp=original.isoformat(), sentAt=NOW.isoformat())
    assert made(call).occurred_at == original


def test_a_time_that_was_corrected_on_the_way_is_not_corrected_again() -> None:
    happened = NOW - timedelta(days=2)
    wrong = happened + timedelta(hours=5)
    call = posted(
        timestamp=happened.isoformat(),
        originalTimestamp=wrong.isoformat(),
        sentAt=wrong.isoformat(),
        receivedAt=happened.isoformat(),
    )
    assert made(call).occurred_at == happened


@pytest.mark.parametrize("timestamp", [None, "", "yesterday", 17, "9999-12-31T23:59:59-14:00"])
def test_without_a_time_it_happened_when_it_came(timestamp: Any) -> None:
    assert made(posted(timestamp=timestamp)).occurred_at == NOW


def test_a_skew_beyond_the_calendar_is_left_out() -> None:
    assert made(posted(timestamp="0001-01-02T00:00:00Z", sentAt="9999-12-30T00:00:00Z")).occurred_at == NOW


def test_without_a_message_id_the_same_call_has_the_same_id() -> None:
    def id(**fields: Any) -> str:
        call = posted(**fields)
        del call["messageId"]
        return made(call).id

    first = id(sentAt="2026-05-04T09:30:00Z")
    assert id(sentAt="2026-05-04T09:35:00Z", writeKey="k") == first
    assert id(event="Other") != first


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
    bad, good = translate("/v1/batch", {"batch": [call, posted()]}, NOW, depth=4)
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


def test_a_browsers_beacon_has_its_key_in_the_address_for_it_can_send_no_headers() -> None:
    raw = json.dumps({"batch": [posted()]}).encode()
    beacon = Post(raw, raw, {}, NOW, path="/beacon/v1/batch", target="/beacon/v1/batch?writeKey=k%231")
    assert beacon.path in PATHS
    assert list(keys(beacon)) == ["k#1"]


def test_calls_in_an_array_and_calls_that_do_not_say_which_they_are_are_taken() -> None:
    unsaid = {"messageId": "m-2", "userId": "8812", "traits": {"email": "mari@example.com"}}
    tracked, identified = translate("", [posted(), unsaid], NOW, 32)
    assert (tracked["type"], identified["type"]) == ("app.event", "customer.identified")
    [alone] = translate("", unsaid, NOW, 32)
    assert alone == identified


def test_a_call_without_id_and_time_is_another_an_hour_later_and_the_same_on_a_retry() -> None:
    def id(now: datetime) -> str:
        [document] = translate("/v1/page", {"userId": "8812", "name": "Home"}, now, 32)
        return str(document["id"])

    assert id(NOW) == id(NOW + timedelta(minutes=9)) != id(NOW + timedelta(hours=1))
