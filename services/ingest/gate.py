"""The one process that appends to the log for all that take requests on a port.

A client of Kafka works by threads, and whoever takes requests hardly ever lets go of Python's lock: here nobody keeps
it from them. What all of them hand over while the log is busy goes together, in fewer and larger appends.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from services.eventlog import Draft, LogUnavailable, Swift
from services.eventlog.budget import Budget
from services.ingest.frames import Frames, unpacked
from services.ingest.groupcommit import APART, GroupCommit, Threads
from services.ingest.measures import Measures, TimedSwift
from services.ingest.siblings import Siblings

PARALLEL = 2  # appends: Kafka's are on their way at once, but each costs a request
MERCY = 7.0  # seconds for others to have what they have taken stored, when all are stopped
LOOK = 0.05  # seconds between looks whether they have


class Straight(Threads):
    """To the log without a thread, except where it has to be waited for first; see `Appending`."""

    def __init__(self, appender: Swift, timeout: float) -> None:
        super().__init__(appender, PARALLEL, APART / 2)
        self._swift, self._timeout = appender, timeout

    def begin(self, drafts: Sequence[Draft]) -> asyncio.Future[None]:
        """Append, and give it up when the time is over."""
        begun = self._swift.begin(drafts)
        if begun is None:
            return super().begin(drafts)
        late = asyncio.get_running_loop().call_later(self._timeout, self._swift.give_up, begun)
        ended = asyncio.wrap_future(begun)
        ended.add_done_callback(lambda _: late.cancel())
        return ended


class Gate:
    """Takes drafts on a Unix socket and answers when they are durable."""

    def __init__(self, appender: Swift, budget: int, timeout: float) -> None:
        self.measures = Measures()
        self._appender = appender
        self._commits = GroupCommit(Straight(TimedSwift(appender, self.measures), timeout), Budget(budget), timeout)
        self._checks = ThreadPoolExecutor(1, thread_name_prefix="checks")
        self._checking: asyncio.Future[LogUnavailable | None] | None = None
        self._connected: set[Frames] = set()

    async def serve(self, listen: Path, place: Path | None, stop: asyncio.Event) -> None:
        """Take them until it is to stop and those who hand over have gone. `place`: see `Siblings`."""
        listen.unlink(missing_ok=True)  # of one that was killed
        loop = asyncio.get_running_loop()
        async with (
            Siblings(self.measures.registry, place).listening(),
            await loop.create_unix_server(self._new, listen),
        ):
            await stop.wait()
            await self._rest()
        self._commits.close()
        self._checks.shutdown(wait=False)

    def _new(self) -> Frames:
        frames = Frames(self._come, self._connected.discard)
        self._connected.add(frames)
        return frames

    async def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + MERCY
        while self._connected and loop.time() < until:
            await asyncio.sleep(LOOK)

    def _come(self, frames: Frames, number: int, body: bytes) -> None:
        settled = partial(_answer, frames, number)
        if not body:
            self._asked().add_done_callback(lambda asked: settled(asked.result()))
            return
        try:
            self._commits.begin(unpacked(body), settled)
        except LogUnavailable as full:
            settled(full)

    def _asked(self) -> asyncio.Future[LogUnavailable | None]:
        """The log's answer whether it is there; all who ask meanwhile have the same."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.get_running_loop().run_in_executor(self._checks, self._check)
        return self._checking

    def _check(self) -> LogUnavailable | None:
        try:
            self._appender.check()
        except LogUnavailable as away:
            return away
        return None


def _answer(frames: Frames, number: int, failure: Exception | None) -> None:
    """Say how it ended; of what is no answer of the log only that it failed."""
    said = failure.message if isinstance(failure, LogUnavailable) else "The event log can't be used; send again."
    frames.send(number, said.encode() if failure else b"")
