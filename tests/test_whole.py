"""Small posts that come whole are answered as all others, which the address with a slash at its end takes."""

import asyncio
import base64
import json
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from services import access
from services.ingest.app import Application, create_app
from services.settings import Settings
from services.shortcut import Exchange, Headers
from tests.builders import document
from tests.fakes import MemoryLog
from tests.wire import answers, connected, post

KEY = "src_test"
BEARER = {"Authorization": f"Bearer {KEY}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
NONE: dict[str, str] = {}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}

BINARY = {
    "ce-id": "1", "ce-type": "message.received", "ce-source": "shop", "ce-time": "2026-05-04T09:00:00Z",
    "ce-specversion": "1.0", "ce-channel": "chat",
}  # fmt: skip


@pytest.fixture
def settings() -> Settings:
    return Settings(max_events=3, max_depth=6, byte_budget=100_000, append_timeout=2)


@pytest.fixture
def application(engine: sa.Engine, database_url: str, settings: Settings, log: MemoryLog) -> Application:
    with engine.begin() as conn:
        access.add_source(conn, "shop", "events", KEY)
    return create_app(settings, database_url, log)


class Noted:
    """The application's short way, and whether it took what came."""

    def __init__(self, application: Application) -> None:
        self._take = application.shortcuts[b"/v1/events"]
        self.taken: list[bool] = []

    def take(self, headers: Headers, body: bytes, exchange: Exchange) -> bool:
        self.taken.append(self._take(headers, body, exchange))
        return self.taken[-1]


def _answered(application: Application, path: str, requests: Sequence[bytes]) -> tuple[list[bytes], list[bool]]:
    """The answers to requests at an address after its key was looked up, and which went the short way."""

    async def talk() -> tuple[list[bytes], list[bool]]:
        noted = Noted(application)
        connection, kept = connected(application, {b"/v1/events": noted.take})
        for count, request in enumerate([post(path, b"[]", BEARER), *requests], 1):
            connection.data_received(request)
            await answers(kept, count)
        return kept.written[1:], noted.taken[1:]

    return asyncio.run(talk())


@pytest.mark.parametrize(
    ("taken", "headers", "body"),
    [
        (True, BEARER, document(id="1")),
        (True, BASIC, document(id="1")),
        (True, BEARER | {"Content-Type": "text/plain"}, document(id="1")),
        (True, BEARER, [document(id="1"), document(id="1", time="2026-05-04T09:00:01Z")]),
        (True, BEARER | BATCH, [document(id="1")]),
        (True, BEARER | BINARY, {"text": "Where is it?"}),
        (True, BEARER, []),
        (False, BEARER, [document(id="1"), {"id": "2"}]),
        (False, BEARER, {"id": "2"}),
        (False, BEARER, [document() for _ in range(4)]),
        (False, BEARER, {"a": {"b": {"c": {"d": {"e": {"f": {}}}}}}}),
        (False, BEARER, "text"),
        (False, BEARER | {"Content-Encoding": "gzip"}, document(id="1")),
        (False, BEARER | {"Origin": "https://shop.example"}, document(id="1")),
        (False, {"Authorization": "Bearer other"}, document(id="1")),
        (False, NONE, document(id="1")),
        (False, BEARER, document(id="1", text="x" * 300_000)),
    ],
)  # fmt: skip
def test_the_answer_is_the_same_on_either_way(
    application: Application, taken: bool, headers: dict[str, str], body: object
) -> None:
    raw = json.dumps(body).encode()
    other = {name: "9" if value == "1" else value for name, value in headers.items()}
    long, none = _answered(application, "/v1/events/", [post("/v1/events/", raw.replace(b'"1"', b'"9"'), other)])
    short, some = _answered(application, "/v1/events", [post("/v1/events", raw, headers)])
    assert [answer.replace(b'"9"', b'"1"') for answer in long] == short
    assert (none, some) == ([], [taken])


def test_what_is_answered_is_durable_and_the_same_again_is_a_duplicate(
    application: Application, log: MemoryLog
) -> None:
    request = post("/v1/events", json.dumps(document(id="1")).encode(), BEARER)
    (first, again), taken = _answered(application, "/v1/events", [request, request])
    assert [event.id for event in log.events] == ["1"]
    assert b'"accepted":1,' in first
    assert b'"accepted":0,"duplicates":1,' in again
    assert taken == [True, True]


def test_a_request_is_not_answered_before_the_log_has_its_events(application: Application, log: MemoryLog) -> None:
    async def talk() -> list[bytes]:
        connection, kept = connected(application, application.shortcuts)
        connection.data_received(post("/v1/events", b"[]", BEARER))
        await answers(kept, 1)
        log.gate.clear()
        connection.data_received(post("/v1/events", json.dumps(document()).encode(), BEARER))
        await asyncio.to_thread(log.waiting.wait, 20)
        assert len(kept.written) == 1
        log.gate.set()
        return await answers(kept, 2)

    assert b'"accepted":1,' in asyncio.run(talk())[1]
    assert len(log.events) == 1


def test_a_log_that_is_away_is_a_503_with_retry_after(application: Application, log: MemoryLog) -> None:
    log.away = True
    request = post("/v1/events", json.dumps(document()).encode(), BEARER)
    (answer,), taken = _answered(application, "/v1/events", [request])
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: " in answer
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "log_unavailable"
    assert taken == [True]


def test_a_log_that_hangs_is_a_503_too(application: Application, log: MemoryLog) -> None:
    log.gate.clear()
    request = post("/v1/events", json.dumps(document()).encode(), BEARER)
    (answer,), taken = _answered(application, "/v1/events", [request])
    log.gate.set()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert taken == [True]
