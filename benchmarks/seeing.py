"""How soon an event is seen: from posting it until the API shows it, while others go on coming."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from benchmarks import references
from benchmarks.asking import Asking
from benchmarks.figures import Figure, Line, Reading, Run, in_rounds
from benchmarks.references import percentiles
from benchmarks.stands import Stand
from tests.e2e import stacks

EVERY = 0.1  # seconds between marked events
PAUSE = 0.005  # seconds between looks at the timeline
PATIENCE = 30  # seconds until an event must be seen


def visible(run: Run) -> Iterator[Line]:
    """Marked events of one customer, one by one."""
    rate = run.scale.background
    with Stand(run) as stand, stand.running("ingest", "timeline", "api"), stand.under(rate):
        customer = Marked(stand)
        what = f"posted → on the timeline, at {rate:,} events/s"
        beside = {"a row with NOTIFY, heard and read": lambda: references.notified(stand, EVERY)}
        yield in_rounds(run, what, customer.seen, beside)


class Marked:
    """A customer whose events are looked for."""

    def __init__(self, stand: Stand) -> None:
        self._stand, self._key = stand, stand.tellonce("keys", "add", "desk", "--role", "agent")
        self._post = Asking(stand.address("ingest"), stand.key)
        self._ask = Asking(stand.address("api"), self._key)
        self._send("first")
        stacks.wait_for(self._found, "the marked customer", PATIENCE)
        self._path = f"/v1/customers/{self._found()[0]['id']}"

    def seen(self) -> Reading:
        """Milliseconds from posting until the timeline shows it, and until the live stream brings it."""
        sent: dict[str, float] = {}
        pages: list[float] = []
        with self._streamed(sent) as live:
            ends = monotonic() + self._stand.run.scale.seconds
            while monotonic() < ends:
                mark, began = f"mark-{uuid4().hex}", monotonic()
                sent[mark] = began
                self._send(mark)
                self._wait_until_shown(mark, began)
                pages.append((monotonic() - began) * 1000)
                sleep(max(EVERY - (monotonic() - began), 0))
            stacks.wait_for(lambda: len(live) == len(sent), "the live stream to bring all", PATIENCE)
        streamed = {f"live stream {name}": value for name, value in percentiles(list(live.values())).items()}
        return percentiles(pages) | {"max ms": max(pages)} | streamed

    def _found(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._ask("/v1/search?q=marked@example.com"))["customers"]
        return found

    def _send(self, mark: str) -> None:
        named = [{"type": "email", "value": "marked@example.com"}]
        event = {"id": mark, "type": "message.received", "time": datetime.now(UTC).isoformat(), "channel": "email"}
        self._post("/v1/events", event | {"identifiers": named, "text": mark})

    def _wait_until_shown(self, mark: str, began: float) -> None:
        while mark.encode() not in self._ask(f"{self._path}/timeline?view=flat&limit=1"):
            if monotonic() > began + PATIENCE:
                raise RuntimeError(f"{mark} was not seen in {PATIENCE} s")
            sleep(PAUSE)

    @contextmanager
    def _streamed(self, sent: dict[str, float]) -> Iterator[dict[str, float]]:
        """Milliseconds by mark from sending, filled in by the live stream while the block lasts."""
        arrived: dict[str, float] = {}
        connected, over = Flag(), Flag()

        def follow() -> None:
            for line in Asking(self._stand.address("api"), self._key).lines(f"{self._path}/stream"):
                connected.set()
                if over.is_set():
                    return
                for mark in [one for one in list(sent) if one not in arrived and one.encode() in line]:
                    arrived[mark] = (monotonic() - sent[mark]) * 1000

        thread = Thread(target=follow, daemon=True)
        thread.start()
        if not connected.wait(PATIENCE):
            raise RuntimeError("the live stream says nothing")
        yield arrived
        over.set()
        self._send(f"last-{uuid4().hex}")
        thread.join(PATIENCE)


FIGURES = (Figure("visible", "one event, posted until the API shows it, while others come", visible),)
