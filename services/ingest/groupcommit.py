"""One append for many requests: what waits while the log is busy goes together as soon as it is free."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from services.eventlog import Appender, Draft, LogUnavailable
from services.eventlog.budget import Budget
from services.logs import kind

# Of one append: more would make it long, and all that wait with it.
MOST_BYTES = 4_000_000
MOST_DRAFTS = 5_000

APART, FEW = 0.004, 16  # seconds from one append of few requests to the next, and how many are few

HOPELESS = 0.5  # share of a request's time that is left to the first in line

log = structlog.get_logger()


class Appending(Protocol):
    """What groups are handed to, `parallel` at a time, and few requests `apart` seconds apart at least: each append
    costs here and in the log, for whatever it holds."""

    parallel: int
    apart: float

    def begin(self, drafts: Sequence[Draft]) -> asyncio.Future[None]:
        """Begin to append; it ends as `Appender.append` does. Never blocks."""

    def close(self) -> None: ...


class Threads:
    """An appender that blocks, by a thread for each append at a time; see `Appending`. It stays the caller's."""

    def __init__(self, appender: Appender, parallel: int = 1, apart: float = APART) -> None:
        self.parallel, self.apart = parallel, apart
        self._appender = appender
        self._threads = ThreadPoolExecutor(parallel, thread_name_prefix="append")

    def begin(self, drafts: Sequence[Draft]) -> asyncio.Future[None]:
        """Append, by a thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._appender.append, drafts)

    def close(self) -> None:
        """Stop the threads, without waiting for a log that hangs."""
        self._threads.shutdown(wait=False)


# Hears that a request's drafts are durable, or why that is not known.
Settled = Callable[[Exception | None], None]


@dataclass(eq=False, slots=True)
class Waiting:
    """A request's drafts, who hears of their end, and the loop's time until which it is to be."""

    drafts: Sequence[Draft]
    size: int
    settled: Settled
    until: float


class GroupCommit:
    """Makes drafts durable, as many appends at a time as the log likes. Belongs to one event loop.

    `timeout` is how many seconds a request waits; what waits or is on its way counts against the budget.
    """

    def __init__(self, log: Appending, budget: Budget, timeout: float) -> None:
        self._log = log
        self._budget = budget
        self._timeout = timeout
        self._idle = log.parallel
        self._queue: dict[Waiting, None] = {}  # in order, and quick to leave
        self._patient: dict[Waiting, None] = {}  # also those on their way
        self._clock: asyncio.TimerHandle | None = None  # one for all: a timer for each would take its time
        self._began = float("-inf")  # the last append, by the loop's time
        self._rounds: set[asyncio.Task[None]] = set()

    def check(self) -> None:
        """Raise LogUnavailable when more comes than the log takes: the first in line has waited for half its time, so
        that a newcomer would wait in vain, and only hold up those who are told now to come later."""
        first = next(iter(self._queue), None)
        if first and first.until - asyncio.get_running_loop().time() < self._timeout * HOPELESS:
            raise LogUnavailable("More comes than the event log takes now; send again.")

    async def append(self, drafts: Sequence[Draft]) -> None:
        """Return when all drafts are durable. Raises LogUnavailable, at once when over the budget."""
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self.begin(drafts, partial(_tell, durable))
        try:
            await durable
        finally:
            self._forget(waiting)

    def begin(self, drafts: Sequence[Draft], settled: Settled) -> Waiting:
        """The same for who does not wait: `settled` hears of the end, once. Raises LogUnavailable when over the
        budget, and then it hears nothing."""
        size = sum(draft.size for draft in drafts)
        self._budget.take(size)
        loop = asyncio.get_running_loop()
        waiting = Waiting(drafts, size, settled, loop.time() + self._timeout)
        self._queue[waiting] = self._patient[waiting] = None
        if self._clock is None:
            self._clock = loop.call_at(waiting.until, self._give_up, loop)
        self._start_a_round()
        return waiting

    def close(self) -> None:
        """End what hands over to the log, without waiting for one that hangs."""
        if self._clock:
            self._clock.cancel()
        self._log.close()

    def _give_up(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell those whose time is over, and look again when that of the next one is."""
        self._clock = None
        over = [waiting for waiting in self._patient if waiting.until <= loop.time()]
        for waiting in over:
            self._forget(waiting)
            loop.call_soon(waiting.settled, LogUnavailable("The event log does not answer in time; send again."))
        if next_one := next(iter(self._patient), None):
            self._clock = loop.call_at(next_one.until, self._give_up, loop)

    def _forget(self, waiting: Waiting) -> None:
        """Whoever waits for it is told now, or gone."""
        self._patient.pop(waiting, None)
        if waiting in self._queue:  # given up before its turn came
            del self._queue[waiting]
            self._budget.give_back(waiting.size)

    def _start_a_round(self) -> None:
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._round())
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)

    async def _round(self) -> None:
        """Append as long as something waits; those whose drafts are durable hear of it while the next are on their
        way."""
        done: Sequence[Waiting] = ()
        failure: Exception | None = None
        while self._queue:
            if (rest := self._rest()) > 0:
                self._settle(done, failure)
                done = ()
                await asyncio.sleep(rest)
            if batch := self._next():
                appended = self._appended(batch)
                self._settle(done, failure)
                done, failure = batch, await _outcome(appended, len(batch))
        self._idle += 1  # before any of those comes again
        self._settle(done, failure)

    def _rest(self) -> float:
        """Seconds in which more requests may come to the next append."""
        return self._began + self._log.apart - asyncio.get_running_loop().time() if len(self._queue) < FEW else 0.0

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

    def _appended(self, batch: Sequence[Waiting]) -> asyncio.Future[None]:
        """Begin to append."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        try:
            return self._log.begin([draft for waiting in batch for draft in waiting.drafts])
        except Exception as error:  # as if it had begun: else the round would end, and nothing more be accepted
            failed: asyncio.Future[None] = loop.create_future()
            failed.set_exception(error)
            return failed

    def _settle(self, batch: Sequence[Waiting], failure: Exception | None) -> None:
        """Tell who still waits, each by itself, so that one who fails at it holds up nobody."""
        tell = asyncio.get_running_loop().call_soon
        self._budget.give_back(sum(waiting.size for waiting in batch))
        for waiting in batch:
            if waiting in self._patient:
                del self._patient[waiting]
                tell(waiting.settled, failure)


def _tell(durable: asyncio.Future[None], failure: Exception | None) -> None:
    if durable.done():  # cancelled: who waited is gone
        return
    if failure:
        durable.set_exception(failure)
    else:
        durable.set_result(None)


async def _outcome(appended: asyncio.Future[None], requests: int) -> Exception | None:
    """None, or what went wrong."""
    try:
        await appended
    except Exception as error:  # whatever it is, those who wait are to know
        away = error.message if isinstance(error, LogUnavailable) else None
        log.warning("append_failed", error=kind(error), detail=away, requests=requests)
        return error
    return None
