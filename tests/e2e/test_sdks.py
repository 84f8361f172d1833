"""The real clients, unmodified, post over HTTP to a running server; what they posted is in the event log."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
import rudderstack.analytics.client
import segment.analytics.client
import sqlalchemy as sa
import uvicorn
from cloudevents.core.bindings import http as binding
from cloudevents.core.v1.event import CloudEvent

from schemas.codec import decode
from schemas.event import Event
from services import access
from services.eventlog import EVENTS, Appender, Draft, LogUnavailable
from services.eventlog.opening import ensure_topics, open_appender
from services.ingest.app import create_app
from services.settings import Settings
from services.tables import log_records

KEY = "src_of_the_shop"
NODE = Path(__file__).parent / "node"
MANY = 230
SDKS = (segment.analytics.client, rudderstack.analytics.client)


class Stuttering:
    """A real appender whose log is away for the first few appends."""

    def __init__(self, appender: Appender, away: int) -> None:
        self._appender = appender
        self.away = away

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        if self.away:
            self.away -= 1
            raise LogUnavailable("away for a moment")
        self._appender.append(drafts, topic)

    def check(self) -> None:
        self._appender.check()

    def close(self) -> None:
        self._appender.close()


@contextmanager
def _serving(database_url: str, appender: Appender, settings: Settings) -> Iterator[str]:
    """A running server; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(settings, database_url, appender)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def appender(database_url: str, engine: sa.Engine) -> Iterator[Stuttering]:
    with engine.begin() as conn:
        access.add_source(conn, "shop", "segment", KEY)
    ensure_topics(Settings(), database_url)
    with closing(Stuttering(open_appender(Settings(), database_url), away=0)) as appender:
        yield appender


@pytest.fixture
def address(database_url: str, appender: Stuttering) -> Iterator[str]:
    with _serving(database_url, appender, Settings()) as address:
        yield address


def _stored(engine: sa.Engine) -> list[Event]:
    ordered = sa.select(log_records.c.value).where(log_records.c.topic == EVENTS)
    with engine.connect() as conn:
        records = conn.scalars(ordered.order_by(log_records.c.partition, log_records.c.position)).all()
    return [event for value in records for event in map(decode, bytes(value).split(b"\n"))]


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
    _check(_stored(engine))


@pytest.mark.parametrize("sdk", SDKS, ids=["segment", "rudderstack"])
def test_a_python_client_that_meets_a_log_that_is_away_posts_again(
    address: str, appender: Stuttering, engine: sa.Engine, sdk: Any
) -> None:
    appender.away = 1
    _post_all(sdk.Client(KEY, host=address))
    assert appender.away == 0
    _check(_stored(engine))


@pytest.fixture(scope="session")
def modules() -> Path:
    """The Node clients, installed once into the cache as the lock file says."""
    if not shutil.which("npm"):
        miss = "Node.js with npm is not here; install it to run the Node clients"
        pytest.fail(miss) if os.environ.get("CI") == "true" else pytest.skip(miss)
    folder = Path(__file__).parents[2] / ".cache/node"
    shutil.copytree(NODE, folder, dirs_exist_ok=True)
    lock, installed = (NODE / "package-lock.json").read_bytes(), folder / "installed.json"
    if not installed.is_file() or installed.read_bytes() != lock:
        quick = ["--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        subprocess.run(["npm", "ci", *quick], cwd=folder, check=True, timeout=240)
        installed.write_bytes(lock)
    return folder


@pytest.mark.parametrize("sdk", ["segment", "rudderstack"])
def test_a_node_client_delivers_all_it_was_given(modules: Path, address: str, engine: sa.Engine, sdk: str) -> None:
    subprocess.run(["node", f"{sdk}.js", address, KEY, str(MANY)], cwd=modules, check=True, timeout=60)
    _check(_stored(engine))


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
    [event] = _stored(engine)
    assert (event.id, event.source, event.channel, event.text) == ("e-1", "shop/chat/web", "chat", "Kus mu pakk on?")
    assert event.extensions["subject"] == "kõne 100%"
    assert [(one.type, one.value) for one in event.identifiers] == [("email", "mari@example.com")]
