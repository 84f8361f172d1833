"""The worker: reads the log and stitches, one transaction for what was read at once.

Three outcomes and no more: a record that can't be read is set aside once, with its bytes; a database or log that is
away is waited for; a worker that lost its partition, or would set aside too much, stops without committing.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from threading import Event as Flag
from time import monotonic

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from services import pressure
from services.database import LONG_PATIENCE, is_away
from services.database import engine as make_engine
from services.eventlog import Appender, Batch, LogUnavailable, Reader
from services.eventlog.opening import open_appender, open_reader
from services.eventlog.positions import Claim, Fenced, claim
from services.identifiers import Rules
from services.logs import kind
from services.server import aside
from services.settings import Settings
from services.tables import deployment
from services.timeline.deadletters import DeadLetters
from services.timeline.measures import Measures
from services.timeline.transactions import Taken, Transactions

log = structlog.get_logger()

PORTION = 1_000_000  # bytes to a transaction: some two thousand events, which share its cost and wait for no more
FEW = 250_000  # bytes; a transaction of less is followed by a rest, as each takes some twenty statements for any number
REST = 0.05  # seconds at most, in which more gathers
PRESSURE = 15.0  # seconds between looks at how the database is


@dataclass
class Worker:
    """One reader of the log and the transactions it makes. `stop` ends `run` after the batch at hand."""

    engine: sa.Engine
    reader: Reader
    appender: Appender
    rules: Rules
    secret: bytes
    measures: Measures
    dead_share: float = 0.2
    dead_window: int = 500

    def __post_init__(self) -> None:
        self._claims: dict[int, Claim] = {}
        self._change = -1
        self._ahead: deque[Batch] = deque()  # polled, and not yet taken
        self._measured_at = 0.0
        self._rests_until = 0.0
        self._pressed_at = float("-inf")
        dead = DeadLetters(self.appender, self.dead_share, self.dead_window)
        self._transactions = Transactions(self.engine, self.rules, self.secret, dead, self.measures)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._storing: Future[Taken] | None = None

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. Raises TooManyDead; everything else that can go away is waited for."""
        self._remember_dead(stop)
        pause = 0.1
        while not stop.is_set():
            try:
                self.step()
                self.measures.beat.alive()
                stop.wait(max(self._rests_until - monotonic(), 0))
                pause = 0.1
            except Fenced as lost:
                self.measures.fences.inc()
                log.warning("partition_lost", detail=str(lost))
                self._forget()
                stop.wait(0.5)
            except (DBAPIError, LogUnavailable) as away:
                if not (isinstance(away, LogUnavailable) or is_away(away)):
                    raise
                self.measures.beat.away()
                self.measures.waits.labels(type(away).__name__).inc()
                log.warning("waiting", error=kind(away), detail=str(away).splitlines()[0], seconds=pause)
                self._forget()
                self.engine.dispose()  # what it keeps open may be half open
                stop.wait(pause)
                pause = min(pause * 2, 5.0)
        with suppress(Fenced, DBAPIError):  # what is not stored now is read again
            self._finish()

    def step(self, timeout: float = 0.5) -> int:
        """Claim what is newly held and read, while what was read before is being stored; the records stored since.

        What was read is being stored when it returns. Raises what storing raised; then nothing is under way.
        """
        try:
            self._claim()
            if not self._ahead:
                self._ahead.extend(batch for batch in self.reader.poll(timeout) if batch.partition in self._claims)
            batches = portion(self._ahead)
            taken = self._transactions.take(self.reader.log, batches, dict(self._claims))
            self._measure()
        finally:
            stored = self._finish()
        if batches:
            self._rests_until = monotonic() + rest(sum(len(record.value) for record in taken.records))
            self._storing = self._thread.submit(self._transactions.store, taken)
        return stored

    def _finish(self) -> int:
        """Wait for what is being stored; how many records that was. Raises what storing raised."""
        storing, self._storing = self._storing, None
        if storing is None:
            return 0
        stored = storing.result()
        for batch in stored.batches:
            self.reader.done(batch.partition, batch.end)
        return len(stored.records)

    def _forget(self) -> None:
        """Claim anew what is held, and so read on from where the store is."""
        self._claims.clear()
        self._ahead.clear()
        self._change = -1

    def _claim(self) -> None:
        held, change = self.reader.assigned()
        if change == self._change:
            return
        self._claims = {partition: one for partition, one in self._claims.items() if partition in held}
        for partition in sorted(held - self._claims.keys()):
            with self.engine.begin() as conn:
                self._claims[partition] = mine = claim(conn, self.reader.log, partition)
            self.reader.seek(partition, mine.position)
            self.measures.claims.inc()
            log.info("partition_claimed", partition=partition, position=mine.position, generation=mine.generation)
        self._change = change

    def _remember_dead(self, stop: Flag) -> None:
        while not stop.is_set():
            try:
                with self.engine.connect() as conn:
                    self._transactions.dead.remember(conn)
                return
            except DBAPIError as away:
                if not is_away(away):
                    raise
                log.warning("waiting", error=kind(away), seconds=1)
                stop.wait(1)

    def _measure(self, every: float = 2.0, clock: Callable[[], float] = monotonic) -> None:
        if clock() - self._measured_at < every:
            return
        ends = self.reader.ends()  # should it fail, it is asked again at once: a silent log reads like an empty one
        query = "SELECT partition, position FROM positions WHERE topic = %s"
        with self.engine.connect() as conn:
            done = {row.partition: row.position for row in conn.exec_driver_sql(query, (self.reader.log,))}
            if clock() - self._pressed_at > PRESSURE:
                self._pressed_at = clock()
                self.measures.store(pressure.look(conn))
        self._measured_at = clock()
        self.measures.lag.behind({one: end - done.get(one, 0) for one, end in ends.items() if one in self._claims})


def rest(size: int) -> float:
    """Seconds in which more may gather after a transaction of so many bytes: the fewer, the longer."""
    return REST * max(1 - size / FEW, 0)


def portion(ahead: deque[Batch], most: int = PORTION) -> list[Batch]:
    """Take batches off, the last of them in part, until they have so many bytes."""
    taken, size = list[Batch](), 0
    while ahead and size < most:
        batch, count = ahead.popleft(), 0
        while count < len(batch.records) and size < most:
            size += len(batch.records[count].value)
            count += 1
        if count < len(batch.records):
            cut = batch.records[count].position
            ahead.appendleft(replace(batch, first=cut, records=batch.records[count:]))
            batch = replace(batch, end=cut, records=batch.records[:count])
        taken.append(batch)
    return taken


def run(settings: Settings, database_url: str, stop: Flag) -> None:
    """Run one worker until `stop` is set, with its `/healthz`, `/readyz` and `/metrics` on `timeline_port`.

    Raises TooManyDead.
    """
    embedded = settings.data if settings.data and (settings.data / "postgres").exists() else None
    measures = Measures(embedded)
    engine = make_engine(database_url, patience=LONG_PATIENCE)
    measures.pools.watch("timeline", engine)
    with aside(measures.beat.app("The worker waits for its database or log."), settings.host, settings.timeline_port):
        try:
            with engine.connect() as conn:
                secret = bytes(conn.scalars(sa.select(deployment.c.secret)).one())
            with (
                open_reader(settings, database_url) as reader,
                closing(open_appender(settings, database_url)) as appender,
            ):
                share, window = settings.dead_share, settings.dead_window
                Worker(engine, reader, appender, settings.rules(), secret, measures, share, window).run(stop)
        finally:
            engine.dispose()
