"""Ingest on a port of this machine, which stores as it should but may answer otherwise; what it stored."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.codec import decode
from schemas.event import Event
from services.eventlog import EVENTS, Appender, Draft, LogUnavailable
from services.ingest.app import create_app
from services.settings import Settings
from services.tables import log_records

KEY = "src_of_the_shop"


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


class Faltering:
    """An application whose answers come to nothing on their way: the client gets `answers` first, one after another.

    Each is a status, and whether what was posted was stored all the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.answers: list[tuple[int, bool]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "OPTIONS" or not self.answers:
            await self._app(scope, receive, send)
            return
        status, is_stored = self.answers.pop(0)
        if is_stored:
            await self._app(scope, receive, _lost)
        else:
            while (await receive()).get("more_body"):
                pass
        headers = [(b"retry-after", b"1"), (b"access-control-allow-origin", b"*"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def _lost(message: Message) -> None:
    """Where an answer goes that nobody gets."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """A running server; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def ingest(database_url: str, appender: Appender) -> Iterator[tuple[str, Faltering]]:
    """Ingest, at an address, and what makes it falter."""
    faltering = Faltering(create_app(Settings(), database_url, appender))
    with serving(faltering) as address:
        yield address, faltering


def stored(engine: sa.Engine) -> list[Event]:
    """All events of the log."""
    ordered = sa.select(log_records.c.value).where(log_records.c.topic == EVENTS)
    with engine.connect() as conn:
        records = conn.scalars(ordered.order_by(log_records.c.partition, log_records.c.position)).all()
    return [event for value in records for event in map(decode, bytes(value).split(b"\n"))]


def once(events: list[Event]) -> list[Event]:
    """The events without those that the log has again with the same id, as the timeline takes them."""
    return list({event.id: event for event in reversed(events)}.values())
