"""One append for many requests: what waits while the log is busy goes together as soon as it is free."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog

from services.eventlog import Appender, Draft, LogUnavailable
from services.eventlog.budget import Budget
from services.logs import kind

# Of one append: more would make it long, and all that wait with it.
MOST_BYTES = 4_000_000
MOST_DRAFTS = 5_000

HOPELESS = 0.5  # share of a request's time that is left to the first in line

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class Waiting:
    """A request's drafts, the future that ends when they are durable, and the loop's time until which it may."""

    drafts: Sequence[Draft]
    size: int
    durable: asyncio.Future[None]
    until: float


class GroupCommit:
    """Makes drafts durable, `parallel` appends at a time. Belongs to one event loop.

    `timeout` is how many seconds a request waits; what waits or is on its way counts against the budget.
    """

    def __init__(self, appender: Appender, budget: Budget, timeout: float, parallel: int) -> None:
        self._appender = appender
        self._budget = budget
        self._timeout = timeout
        self._idle = parallel
        self._queue: dict[Waiting, None] = {}  # in order, and quick to leave
        self._patient: dict[Waiting, None] = {}  # also those on their way
        self._clock: asyncio.TimerHandle | None = None  # one for all: a timer for each would take its time
        self._rounds: set[asyncio.Task[None]] = set()
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="append")

    def check(self) -> None:
        """Raise LogUnavailable when more comes than the log takes: the first in line has waited for half its time, so
        that a newcomer would wait in vain, and only hold up those who are told now to come later."""
        first = next(iter(self._queue), None)
        if first and first.until - asyncio.get_running_loop().time() < self._timeout * HOPELESS:
            raise LogUnavailable("More comes than the event log takes now; send again.")

    async def append(self, drafts: Sequence[Draft]) -> None:
        """Return when all drafts are durable. Raises LogUnavailable, at once when over the budget."""
        size = sum(draft.size for draft in drafts)
        self._budget.take(size)
        loop = asyncio.get_running_loop()
        waiting = Waiting(drafts, size, loop.create_future(), loop.time() + self._timeout)
        self._queue[waiting] = self._patient[waiting] = None
        if self._clock is None:
            self._clock = loop.call_at(waiting.until, self._give_up, loop)
        self._start_a_round()
        try:
            await waiting.durable
        finally:
            del self._patient[waiting]
            if waiting in self._queue:  # given up before its turn came
                self._leave(waiting)

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those whose time is over, and look again when that of the next one is."""
        self._clock = None
        for waiting in self._patient:
            if waiting.until > loop.time():
                self._clock = loop.call_at(waiting.until, self._give_up, loop)
                return
            if not waiting.durable.done():
                waiting.durable.set_exception(LogUnavailable("The event log does not answer in time; send again."))

    def close(self) -> None:
        """Stop the threads, without waiting for a log that hangs."""
        if self._clock:
            self._clock.cancel()
        self._threads.shutdown(wait=False)

    def _start_a_round(self) -> None:
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._round())
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)

    async def _round(self) -> None:
        try:
            while batch := self._next():
                await self._append(batch)
        finally:
            self._idle += 1

    def _next(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = count = 0
        for waiting in self._queue:
            size, count = size + waiting.size, count + len(waiting.drafts)
            if batch and (size > MOST_BYTES or count > MOST_DRAFTS):
                break
            batch.append(waiting)
        for waiting in batch:
            del self._queue[waiting]
        return batch

    async def _append(self, batch: Sequence[Waiting]) -> None:
        drafts = [draft for waiting in batch for draft in waiting.drafts]
        failure: Exception | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._appender.append, drafts)
        except Exception as error:  # whatever it is, those who wait are to know
            away = error.message if isinstance(error, LogUnavailable) else None
            log.warning("append_failed", error=kind(error), detail=away, drafts=len(drafts))
            failure = error
        self._budget.give_back(sum(waiting.size for waiting in batch))
        for waiting in batch:
            if waiting.durable.done():
                continue
            if failure:
                waiting.durable.set_exception(failure)
            else:
                waiting.durable.set_result(None)

    def _leave(self, waiting: Waiting) -> None:
        del self._queue[waiting]
        self._budget.give_back(waiting.size)
