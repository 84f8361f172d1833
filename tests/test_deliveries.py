"""What vendors deliver at a source's address: proven, accepted once, and answered with 200."""

import gzip
import json
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from services import access
from services.ingest.app import create_app
from services.ingest.sources.vendor import signature
from services.settings import Settings
from tests.fakes import MemoryLog

KEY, SECRET, NEXT = "src_test", "chatwoot's secret", "its next secret"
MESSAGE = {
    "event": "message_created", "id": 118, "content": "My parcel has not arrived.", "message_type": "incoming",
    "created_at": "2026-05-04T09:30:00.000Z",
    "conversation": {"id": 10, "channel": "Channel::WebWidget", "meta": {"sender": {"email": "mari@example.ee"}}},
}  # fmt: skip
BODY = orjson.dumps(MESSAGE)


@pytest.fixture
def client(engine: sa.Engine, database_url: str, log: MemoryLog) -> Iterator[TestClient]:
    with engine.begin() as conn:
        access.add_source(conn, "desk", "chatwoot", KEY)
        access.add_source(conn, "signed", "chatwoot", "another key")
        access.set_secrets(conn, "signed", [NEXT, SECRET])
        access.add_source(conn, "shop", "events", "a third key")
    with TestClient(create_app(Settings(append_timeout=2), database_url, log)) as client:
        yield client


def signed(body: bytes = BODY, secret: str = SECRET, age: float = 0) -> dict[str, str]:
    at = str(int(time.time() - age))
    said = signature(secret, at.encode() + b"." + body)
    return {"X-Chatwoot-Timestamp": at, "X-Chatwoot-Signature": f"sha256={said}"}


def code(answer: Any) -> str:
    return str(answer.json()["code"])


def test_a_signed_post_is_accepted_whichever_of_two_secrets_signed_it(client: TestClient, log: MemoryLog) -> None:
    for secret in (SECRET, NEXT):
        answer = client.post("/v1/sources/signed", content=BODY, headers=signed(secret=secret))
        assert answer.status_code == 200
    assert [(one.id, one.source, one.type) for one in log.events] == [("118", "signed", "message.received")]


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (BODY, {}, "signature_missing"),
        (BODY.replace(b"parcel", b"Parcel"), signed(), "signature_wrong"),
        (orjson.dumps(MESSAGE, option=orjson.OPT_INDENT_2), signed(), "signature_wrong"),
        (BODY, signed(secret="somebody else's"), "signature_wrong"),
        (BODY, signed(age=600), "signature_too_old"),
        (BODY, signed(age=-600), "signature_too_old"),
    ],
)
def test_a_post_that_is_not_proven_is_refused(
    client: TestClient, log: MemoryLog, body: bytes, headers: dict[str, str], why: str
) -> None:
    answer = client.post("/v1/sources/signed", content=body, headers=headers)
    assert (answer.status_code, code(answer)) == (401, why)
    assert not log.events


def test_a_post_to_a_source_with_secrets_is_not_let_in_by_its_key(client: TestClient, log: MemoryLog) -> None:
    assert client.post("/v1/sources/signed?key=another+key", content=BODY).status_code == 401
    assert not log.events


def test_without_a_secret_the_key_behind_the_address_decides(client: TestClient, log: MemoryLog) -> None:
    assert client.post("/v1/sources/desk", content=BODY).status_code == 401
    assert client.post("/v1/sources/desk?key=wrong", content=BODY).status_code == 401
    assert client.post(f"/v1/sources/desk?key={KEY}", content=BODY).status_code == 200
    assert client.post(f"/v1/sources/desk/?key={KEY}", content=BODY).status_code == 200
    assert [one.id for one in log.events] == ["118"]


def test_what_tells_nothing_of_a_customer_is_answered_and_becomes_nothing(client: TestClient, log: MemoryLog) -> None:
    typing = orjson.dumps({"event": "conversation_typing_on", "conversation": {"id": 10}})
    assert client.post(f"/v1/sources/desk?key={KEY}", content=typing).status_code == 200
    assert not log.events


def test_a_post_that_can_not_be_read_says_why(client: TestClient) -> None:
    answer = client.post(f"/v1/sources/desk?key={KEY}", content=b"[]")
    assert (answer.status_code, code(answer)) == (400, "not_an_object")


def test_an_address_of_nobody_says_how_to_make_it(client: TestClient) -> None:
    for name in ("nobody", "shop", "%00", ""):
        answer = client.post(f"/v1/sources/{name}", content=BODY)
        assert (answer.status_code, code(answer)) == (404, "unknown_source")
    assert "tellonce sources add" in answer.json()["hint"]


def test_who_asks_whether_the_address_is_there_hears_yes(client: TestClient) -> None:
    assert client.head("/v1/sources/desk").status_code == 200


def test_while_the_log_is_away_the_vendor_is_asked_to_try_again(client: TestClient, log: MemoryLog) -> None:
    log.away = True
    answer = client.post(f"/v1/sources/desk?key={KEY}", content=BODY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batch", rb'{"writeKey":"\ud800","batch":[]}'),
        ("/batch", rb'{"api_key":"\ud800","batch":[]}'),
        ("/com.snowplowanalytics.snowplow/tp2", rb'{"data":[{"aid":"\ud800"}]}'),
    ],
)
def test_a_key_that_no_key_can_be_is_refused(client: TestClient, path: str, body: bytes) -> None:
    assert client.post(path, content=body).status_code == 401


def test_what_a_body_is_inflated_to_counts_as_under_way(engine: sa.Engine, database_url: str, log: MemoryLog) -> None:
    with engine.begin() as conn:
        access.add_source(conn, "desk", "chatwoot", KEY)
        access.add_source(conn, "shop", "events", "its key")
    body = gzip.compress(BODY + b" " * 20_000)
    with TestClient(create_app(Settings(byte_budget=20_000), database_url, log)) as client:
        for path in (f"/v1/sources/desk?key={KEY}", "/v1/events?key=its+key"):
            answer = client.post(path, content=body, headers={"Content-Encoding": "gzip"})
            assert (answer.status_code, code(answer)) == (503, "log_unavailable"), answer.json()
    assert not log.events


HALF = "\ud800" + "x" * 600  # of a surrogate pair, in an id that is too long


@pytest.mark.parametrize(
    ("vendor", "status", "body"),
    [
        ("snowplow", 400, {"data": [{"e": "pv", "eid": HALF, "p": "web", "url": "x"}]}),
        ("connect", 400, {"contactId": HALF, "eventType": "INITIATED", "channel": "VOICE"}),
        ("postmark", 403, {"From": "mari@example.ee", "MessageID": HALF, "TextBody": "Where is it?"}),
    ],
)
def test_an_id_with_half_a_surrogate_pair_is_refused_as_the_vendor_expects(
    client: TestClient, engine: sa.Engine, vendor: str, status: int, body: dict[str, Any]
) -> None:
    with engine.begin() as conn:
        access.add_source(conn, "half", vendor, "its key")
    answer = client.post("/v1/sources/half?key=its+key", content=json.dumps(body))
    assert (answer.status_code, answer.json()["results"][0]["status"]) == (status, "refused")
