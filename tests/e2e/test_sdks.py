"""The real clients, unmodified, post over HTTP to a running server; what they posted is in the event log."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import rudderstack.analytics.client
import segment.analytics.client
import sqlalchemy as sa
from cloudevents.core.bindings import http as binding
from cloudevents.core.v1.event import CloudEvent
from twilio.request_validator import SIGNATURE_SETTINGS_HEADER, RequestValidator

from schemas.event import Event
from services import access
from tests.e2e.serving import KEY, Faltering, Stuttering, once, stored

MANY = 230
SDKS = (segment.analytics.client, rudderstack.analytics.client)


def _post_all(client: Any) -> None:
    """All kinds of calls and many tracked ones, by either Python client, whose calls are alike."""
    client.identify("8812", {"email": "mari@example.com", "name": "Mari Maasikas"})
    client.track("8812", "Order Completed", {"orderId": "1001", "total": 19.9, "currency": "EUR"})
    client.page("8812", None, "Returns", {"url": "https://shop.example/returns"})
    client.screen("8812", None, "Orders")
    client.group("8812", "g-1", {"name": "Initech"})
    client.alias("device-1", "8812")
    for n in range(MANY):
        client.track(anonymous_id="device-1", event="Counted", properties={"n": n})
    client.shutdown()


def _alias(event: Event) -> bool:
    return "previous" in event.data


def _check(events: list[Event]) -> None:
    """Everything is there exactly once, and means what was posted."""
    assert len({event.id for event in events}) == len(events) == 6 + MANY
    assert {event.source for event in events} == {"shop"}
    counted = [event.data["properties"]["n"] for event in events if event.data.get("name") == "Counted"]
    assert sorted(counted) == list(range(MANY))
    rest = [event for event in events if event.data.get("name") != "Counted"]
    named = {event.type: [one.value for one in event.identifiers] for event in rest if not _alias(event)}
    assert named == {
        "customer.identified": ["8812", "mari@example.com"],
        "purchase.made": ["8812"],
        "page.viewed": ["8812"],
        "screen.viewed": ["8812"],
        "app.event": ["8812"],
    }
    [alias] = filter(_alias, rest)
    assert [(one.type, one.value) for one in alias.identifiers] == [("account", "8812"), ("device", "device-1")]
    [purchase] = [event for event in rest if event.type == "purchase.made"]
    assert (purchase.data["amount"], purchase.references[0].value) == ("19.9", "1001")


@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("sdk", SDKS, ids=["segment", "rudderstack"])
def test_a_python_client_delivers_all_it_was_given(address: str, engine: sa.Engine, sdk: Any, gzip: bool) -> None:
    failures: list[Any] = []
    _post_all(sdk.Client(KEY, host=address, gzip=gzip, on_error=lambda *failure: failures.append(failure)))
    assert failures == []
    _check(stored(engine))


@pytest.mark.parametrize("sdk", SDKS, ids=["segment", "rudderstack"])
def test_a_python_client_that_meets_a_log_that_is_away_posts_again(
    address: str, appender: Stuttering, engine: sa.Engine, sdk: Any
) -> None:
    appender.away = 1
    _post_all(sdk.Client(KEY, host=address))
    assert appender.away == 0
    _check(stored(engine))


@pytest.mark.parametrize("sdk", ["segment", "rudderstack"])
def test_a_node_client_delivers_all_it_was_given(modules: Path, address: str, engine: sa.Engine, sdk: str) -> None:
    subprocess.run(["node", f"{sdk}.js", address, KEY, str(MANY)], cwd=modules, check=True, timeout=60)
    _check(stored(engine))


# What comes to nothing on its way: an answer that was lost, a refusal for now, one that stored nothing.
TROUBLES = ((500, True), (429, False), (503, False))


@pytest.mark.parametrize(
    "sdk", [*SDKS, "segment", "rudderstack"], ids=["segment", "rudderstack", "node-segment", "node-rudderstack"]
)
def test_clients_that_meet_troubles_lose_and_double_nothing(
    modules: Path, address: str, faltering: Faltering, engine: sa.Engine, sdk: Any
) -> None:
    faltering.answers[:] = TROUBLES
    if isinstance(sdk, str):
        subprocess.run(["node", f"{sdk}.js", address, KEY, str(MANY)], cwd=modules, check=True, timeout=120)
    else:
        _post_all(sdk.Client(KEY, host=address))
    assert faltering.answers == []
    _check(once(stored(engine)))


@pytest.mark.parametrize("mode", [binding.to_structured_event, binding.to_binary_event], ids=["structured", "binary"])
def test_the_cloudevents_client_delivers_in_both_modes(address: str, engine: sa.Engine, mode: Any) -> None:
    attributes = {
        "id": "e-1", "source": "/chat/web", "type": "message.received", "time": datetime(2026, 5, 4, tzinfo=UTC),
        "subject": "kõne 100%", "channel": "chat", "datacontenttype": "application/json",
    }  # fmt: skip
    said = {"text": "Kus mu pakk on?", "identifiers": [{"type": "email", "value": "mari@example.com"}]}
    message = mode(CloudEvent(attributes=attributes, data=said))
    headers = {**message.headers, "Authorization": f"Bearer {KEY}"}
    answer = requests.post(f"{address}/v1/events", data=message.body, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    [event] = stored(engine)
    assert (event.id, event.source, event.channel, event.text) == ("e-1", "shop/chat/web", "chat", "Kus mu pakk on?")
    assert event.extensions["subject"] == "kõne 100%"
    assert [(one.type, one.value) for one in event.identifiers] == [("email", "mari@example.com")]


SECRET = "the account's token"
SIGNED = {"CallSid": "CA1", "AccountSid": "AC1", "From": "+37255512340", "To": "+3726000100", "CallStatus": "ringing"}


def _by_twilio(url: str, fields: dict[str, str], algorithm: str | None = None) -> dict[str, str]:
    signed = {"X-Twilio-Signature": RequestValidator(SECRET).compute_signature(url, fields, algorithm)}
    return signed | ({SIGNATURE_SETTINGS_HEADER: f"key=k1,algorithm={algorithm}"} if algorithm else {})


def test_what_twilios_own_validator_signs_is_taken_and_what_was_altered_is_not(address: str, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        access.add_source(conn, "calls", "twilio", "src_of_the_calls")
        access.set_secrets(conn, "calls", [SECRET])
    url = f"{address}/v1/sources/calls?menu=main/orders"
    signed = _by_twilio(url, SIGNED)
    for fields, headers, status in (
        (SIGNED, signed, 200),
        (SIGNED, signed, 200),  # a retry
        (SIGNED, _by_twilio(url, SIGNED, "HMAC_SHA256"), 200),  # by a shared key
        (SIGNED, signed | {SIGNATURE_SETTINGS_HEADER: "key=k1,algorithm=HMAC_SHA256"}, 401),
        (SIGNED, signed | {SIGNATURE_SETTINGS_HEADER: "key=k1,algorithm=NONE"}, 401),
        (SIGNED | {"From": "+37255500000"}, signed, 401),
        (SIGNED, _by_twilio(url + "x", SIGNED), 401),
        (SIGNED, {}, 401),
    ):
        answer = requests.post(url, data=fields, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
    assert [event.type for event in once(stored(engine))] == ["call.ringing"]
