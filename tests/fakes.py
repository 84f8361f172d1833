"""Stand-ins that tests pass in where the real part would be a server."""

from collections.abc import Sequence
from threading import Event, Lock

from schemas.codec import decode
from schemas.event import Event as Happening
from services.eventlog import EVENTS, Draft, LogUnavailable


class MemoryLog:
    """An appender that keeps drafts in memory. It can be `away`, or wait at a `gate` that a test opens."""

    def __init__(self) -> None:
        self.appends: list[list[Draft]] = []
        self.away = False
        self.gate = Event()
        self.gate.set()
        self.waiting = Event()  # set while an append stands at the gate
        self.passing = 0  # appends that have come and are not over
        self._lock = Lock()

    @property
    def drafts(self) -> list[Draft]:
        """All that was appended, in order."""
        return [draft for append in self.appends for draft in append]

    @property
    def events(self) -> list[Happening]:
        """The events in it."""
        return [event for draft in self.drafts for event in map(decode, draft.value.split(b"\n"))]

    def append(self, drafts: Sequence[Draft], topic: str | None = EVENTS) -> None:
        with self._lock:
            self.passing += 1
        self.waiting.set()
        self.gate.wait(timeout=10)
        with self._lock:
            self.passing -= 1
            self.check()
            self.appends.append(list(drafts))

    def begin(self, drafts: Sequence[Draft]) -> None:
        """It has to be waited for."""

    def check(self) -> None:
        if self.away:
            raise LogUnavailable("the log is away")

    def close(self) -> None:
        self.gate.set()
