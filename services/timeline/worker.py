"""The worker: reads the log and stitches, one transaction a batch.

Three outcomes and no more: a record that can't be read is set aside once, with its bytes; a database or log that is
away is waited for; a worker that lost its partition, or would set aside too much, stops without committing.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import NamedTuple

import sqlalchemy as sa
import structlog
import uvicorn
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError

from schemas.codec import Unreadable, decode
from services import pressure
from services.database import engine as make_engine
from services.errors import Problem
from services.eventlog import DEAD, Appender, Batch, Draft, LogUnavailable, Reader, Record
from services.eventlog.opening import open_appender, open_reader
from services.eventlog.positions import Claim, Fenced, advance, claim
from services.identifiers import Rules
from services.settings import Settings
from services.tables import deployment
from services.timeline.arrivals import Arrival, arrival
from services.timeline.known import Known
from services.timeline.measures import Measures
from services.timeline.stitch import Outcome, store

log = structlog.get_logger()
AGAIN = frozenset({"40001", "40P01"})  # serialisation failure, deadlock: the same again will do
TRIES = 10
PRESSURE = 15.0  # seconds between looks at how the database is


class TooManyDead(Problem):
    """More records than the configured share can't be read: more likely a bad deploy than bad records."""


class DeadLetter(NamedTuple):
    """A record set aside, with a stable reason and what was wrong in words."""

    record: Record
    reason: str
    detail: str


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
        self._known = Known()
        self._recent: deque[bool] = deque(maxlen=self.dead_window)
        self._measured_at = 0.0
        self._pressed_at = float("-inf")

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set. Raises TooManyDead; everything else that can go away is waited for."""
        self._remember_dead(stop)
        pause = 0.1
        while not stop.is_set():
            try:
                self.step()
                self.measures.alive()
                pause = 0.1
            except Fenced as lost:
                self.measures.fences.inc()
                log.warning("partition_lost", detail=str(lost))
                self._forget()
                stop.wait(0.5)
            except (OperationalError, InterfaceError, LogUnavailable) as away:
                self.measures.waits.labels(type(away).__name__).inc()
                log.warning("waiting", error=type(away).__name__, detail=str(away).splitlines()[0], seconds=pause)
                self._forget()
                stop.wait(pause)
                pause = min(pause * 2, 5.0)

    def step(self, timeout: float = 0.5) -> int:
        """Claim what is newly held, read once, stitch what came; the number of records."""
        self._claim()
        batches = self.reader.poll(timeout)
        for batch in batches:
            if held := self._claims.get(batch.partition):
                self._stitch(batch, held)
        self._measure()
        return sum(len(batch.records) for batch in batches)

    def _forget(self) -> None:
        """Claim anew what is held, and so read on from where the store is."""
        self._claims.clear()
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

    def _stitch(self, batch: Batch, held: Claim) -> None:
        started = monotonic()
        arrived, unreadable = self._read(batch.records)
        self.measures.lag.reading(batch.partition, arrived)
        for attempt in range(1, TRIES + 1):
            try:
                outcome, dead = self._commit(batch, held, arrived, unreadable)
                break
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in AGAIN or attempt == TRIES:
                    raise
                self.measures.retries.inc()
        self.reader.done(batch.partition, batch.end)
        self._recent.extend([True] * len(dead) + [False] * (len(batch.records) - len(dead)))
        delay = self.measures.lag.stitched(batch.partition, arrived)
        reasons = [letter.reason for letter in dead]
        self.measures.batch(outcome, reasons, len(batch.records), monotonic() - started, delay)

    def _commit(
        self, batch: Batch, held: Claim, arrived: Sequence[Arrival], dead: list[DeadLetter]
    ) -> tuple[Outcome, list[DeadLetter]]:
        """One transaction: the events, the dead letters, the position behind its fence."""
        try:
            with self.engine.begin() as conn:
                try:
                    outcome = self._store(conn, arrived)
                except DataError:
                    outcome, unstorable = self._one_by_one(conn, batch.records)
                    dead = dead + unstorable
                self._halt_if_too_many(len(dead), len(batch.records))
                self._set_aside(conn, dead)
                advance(conn, self.reader.log, batch.partition, batch.first, batch.end, held.generation)
        except BaseException:
            self._known.forget()
            raise
        return outcome, dead

    def _store(self, conn: sa.Connection, arrived: Sequence[Arrival]) -> Outcome:
        """Store events, or nothing of them. Raises DataError."""
        try:
            with conn.begin_nested():
                return store(conn, arrived, self.rules, self.secret, self._known)
        except DataError:
            self._known.forget()
            raise

    def _one_by_one(self, conn: sa.Connection, records: Iterable[Record]) -> tuple[Outcome, list[DeadLetter]]:
        """Find the records that the database refuses; the others go through."""
        total, dead = Outcome(), []
        for record in records:
            arrived, _ = self._read([record])
            try:
                one = self._store(conn, arrived)
            except DataError as error:
                dead.append(DeadLetter(record, "unstorable", str(error.orig).splitlines()[0]))
                continue
            total.stored += one.stored
            total.duplicates += one.duplicates
            total.conflicts += one.conflicts
            total.moved += one.moved
        return total, dead

    def _read(self, records: Iterable[Record]) -> tuple[list[Arrival], list[DeadLetter]]:
        """The events of the records that can be read whole, and the records that can't."""
        arrived, dead = [], []
        for record in records:
            try:
                arrived += [arrival(decode(line), self.rules, self.secret) for line in record.value.split(b"\n")]
            except Unreadable as error:
                dead.append(DeadLetter(record, error.reason, error.detail))
        return arrived, dead

    def _set_aside(self, conn: sa.Connection, dead: Sequence[DeadLetter]) -> None:
        """Keep dead letters in the store, once each, and append them to their topic for whoever watches it."""
        if not dead:
            return
        insert = """INSERT INTO dead_letters (topic, partition, position, reason, detail, record)
                    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (topic, partition, position) DO NOTHING"""
        for letter in dead:
            record = letter.record
            where = self.reader.log, record.partition, record.position
            conn.exec_driver_sql(insert, (*where, letter.reason, letter.detail, record.value))
            log.error("record_set_aside", partition=where[1], position=where[2], reason=letter.reason)
        self.appender.append(
            [Draft(f"{one.record.partition}-{one.record.position}", one.record.value) for one in dead], DEAD
        )

    def _halt_if_too_many(self, dead: int, records: int) -> None:
        if dead and sum(self._recent) + dead > max(self.dead_share * self.dead_window, 1):
            raise TooManyDead(
                f"{sum(self._recent) + dead} of the last {len(self._recent) + records} records can't be read, more "
                f"than the share of {self.dead_share:.0%} of {self.dead_window}. Nothing of this batch was set aside.",
                code="too_many_dead",
                hint="See `tellonce dead list`; go back to the version before, or raise TELLONCE_DEAD_SHARE.",
            )

    def _remember_dead(self, stop: Flag) -> None:
        """Count those of the last hour, so that a restart doesn't start the share anew."""
        query = "SELECT count(*) FROM dead_letters WHERE dead_at > now() - interval '1 hour' AND replayed_at IS NULL"
        while not stop.is_set():
            try:
                with self.engine.connect() as conn:
                    count = conn.exec_driver_sql(query).scalar_one()
                self._recent.extend([True] * min(count, self.dead_window))
                return
            except OperationalError as away:
                log.warning("waiting", error=type(away).__name__, seconds=1)
                stop.wait(1)

    def _measure(self, every: float = 2.0, clock: Callable[[], float] = monotonic) -> None:
        if clock() - self._measured_at < every:
            return
        self._measured_at = clock()
        ends = self.reader.ends()
        query = "SELECT partition, position FROM positions WHERE topic = %s"
        with self.engine.connect() as conn:
            done = {row.partition: row.position for row in conn.exec_driver_sql(query, (self.reader.log,))}
            if clock() - self._pressed_at > PRESSURE:
                self._pressed_at = clock()
                self.measures.store(pressure.look(conn))
        self.measures.lag.behind({one: end - done.get(one, 0) for one, end in ends.items() if one in self._claims})


def run(settings: Settings, database_url: str, stop: Flag) -> None:
    """Run one worker until `stop` is set, with its `/healthz`, `/readyz` and `/metrics` on `timeline_port`.

    Raises TooManyDead.
    """
    embedded = settings.data if settings.data and (settings.data / "postgres").exists() else None
    measures = Measures(embedded)
    server = uvicorn.Server(
        uvicorn.Config(measures.app(), settings.host, settings.timeline_port, log_config=None, access_log=False)
    )
    serving = Thread(target=server.run, daemon=True)
    serving.start()
    engine = make_engine(database_url)
    measures.pools.watch("timeline", engine.pool)
    try:
        with engine.connect() as conn:
            secret = bytes(conn.scalars(sa.select(deployment.c.secret)).one())
        with open_reader(settings, database_url) as reader, closing(open_appender(settings, database_url)) as appender:
            share, window = settings.dead_share, settings.dead_window
            Worker(engine, reader, appender, settings.rules(), secret, measures, share, window).run(stop)
    finally:
        server.should_exit = True
        serving.join(timeout=5)
        engine.dispose()
