"""The worker: reads the log and stitches, one transaction for what was read at once.

Three outcomes and no more: a record that can't be read is set aside once, with its bytes; a database or log that is
away is waited for; who lost a partition commits nothing and claims anew what is still held. A worker that would set
aside too much stops without committing.
"""

from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from threading import Event as Flag
from time import monotonic

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from services import pressure
from services.database import LONG_PATIENCE, end_forgotten, is_away
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
from services.timeline.transactions import Taken, Taking, Transactions

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
        self._looked_at = float("-inf")
        dead = DeadLetters(self.appender, self.dead_share, self.dead_window)
        self._transactions = Transactions(self.engine, self.rules, self.secret, dead, self.measures)
        self._taken: Taken | None = None  # what is stored next

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
                self.engine.dispose()  # what it keeps open may be half open,
                self.reader.renew()  # and so may what the log keeps open, which would be found out only then
                stop.wait(pause)
                pause = min(pause * 2, 5.0)

    def step(self, timeout: float = 0.5) -> int:
        """Claim what is newly held and store what was read, and decode meanwhile what comes next; the records stored.

        Raises what storing raised; then nothing is stored.
        """
        self._look()
        self._claim()
        taken, self._taken = self._taken or self._take(timeout).whole(), None
        self._measure()
        if not taken.batches:
            return 0
        size = sum(len(record.value) for record in taken.records)
        self._rests_until = monotonic() + rest(size)
        coming = self._take(0) if size >= FEW else None  # else there was no more
        self._transactions.store(taken, coming)
        for batch in taken.batches:
            self.reader.done(batch.partition, batch.end)
        self._taken = coming.whole() if coming else None
        return len(taken.records)

    def _take(self, timeout: float) -> Taking:
        """A portion of what was polled, or is polled now."""
        if not self._ahead:
            self._ahead.extend(batch for batch in self.reader.poll(timeout) if batch.partition in self._claims)
        return self._transactions.take(self.reader.log, portion(self._ahead), dict(self._claims))

    def _forget(self) -> None:
        """Claim anew what is held, and so read on from where the store is."""
        self._claims.clear()
        self._ahead.clear()
        self._taken = None
        self._change = -1
        self._looked_at = float("-inf")

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

    def _look(self) -> None:
        """See how the database is; what was left there in the middle of a statement would hold up whoever goes on."""
        if monotonic() - self._looked_at < PRESSURE:
            return
        with self.engine.begin() as conn:
            if ended := end_forgotten(conn):
                log.warning("sessions_ended", count=ended)
            self.measures.store(pressure.look(conn))
        self._looked_at = monotonic()

    def _measure(self, every: float = 2.0, clock: Callable[[], float] = monotonic) -> None:
        if clock() - self._measured_at < every:
            return
        ends = self.reader.ends()  # should it fail, it is asked again at once: a silent log reads like an empty one
        query = "SELECT partition, position FROM positions WHERE topic = %s"
        with self.engine.connect() as conn:
            done = {row.partition: row.position for row in conn.exec_driver_sql(query, (self.reader.log,))}
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
