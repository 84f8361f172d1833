"""Reading the event log in PostgreSQL: readers of a group share the partitions and wake at once by NOTIFY."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from threading import RLock, Thread
from time import monotonic
from types import TracebackType
from typing import Self
from uuid import uuid4

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from services.eventlog import EVENTS, Batch, LogUnavailable, Record
from services.eventlog.postgres import CHANNEL
from services.timeline.tables import log_heads, log_readers, log_records

log = structlog.get_logger()

BEAT = 1.0  # seconds between signs of life
ALIVE = 10  # seconds of silence after which a reader counts as gone
PATIENCE = 300.0  # seconds without a poll after which a reader counts as stuck and keeps silent
WAKE = 0.5  # seconds after which it looks by itself, should a NOTIFY have gone astray
BYTES = 16_000_000  # of values a poll takes from a partition


class PostgresReader:
    """A reader on a connection of its own; a thread shows that it lives while the caller is busy with a batch."""

    def __init__(self, engine: sa.Engine, group: str, batch_size: int = 1000, topic: str = EVENTS) -> None:
        self.log = topic
        self._engine, self._batch_size = engine, batch_size
        self._me = {
            "topic": topic,
            "group": group,
            "reader": f"{socket.gethostname()}:{os.getpid()}:{uuid4()}",
        }
        self._conn: sa.Connection | None = None
        self._lock = RLock()
        self._held: frozenset[int] = frozenset()
        self._changes = 0
        self._positions: dict[int, int] = {}
        self._turn = 0
        self._polled_at = self._shared_at = float("-inf")
        self._closing = Flag()
        self._beating = Thread(target=self._beat, name="log-reader", daemon=True)
        self._beating.start()

    def poll(self, timeout: float) -> list[Batch]:
        """The next records; see `Reader`."""
        deadline = monotonic() + timeout
        with self._connected() as conn:
            while True:
                self._polled_at = monotonic()
                changed = self._share(conn)
                batches = self._read(conn)
                if batches or changed or monotonic() >= deadline:
                    return batches
                _wait(conn, min(WAKE, deadline - monotonic()))

    def assigned(self) -> tuple[frozenset[int], int]:
        """The partitions held; see `Reader`."""
        return self._held, self._changes

    def seek(self, partition: int, position: int) -> None:
        """Read on from here; see `Reader`."""
        if partition not in self._held:
            raise ValueError(f"Partition {partition} isn't held.")
        self._positions[partition] = position

    def done(self, partition: int, position: int) -> None:
        """Nothing to do: whoever watches the lag finds `positions` in the same database."""

    def ends(self) -> dict[int, int]:
        """The end of every partition; see `Reader`."""
        with self._connected() as conn:
            return self._ends(conn)

    def close(self) -> None:
        """Leave the group at once, so that the others take over; again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._beating.join()
        try:
            with self._connected() as conn:
                conn.execute(log_readers.delete().where(*self._own()))
                conn.close()
        except LogUnavailable as away:
            log.warning("log_reader_left_silently", detail=str(away), seconds=ALIVE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        with self._lock:
            try:
                if self._conn is None:
                    self._conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                    self._conn.detach()  # what listens must not go back to the pool
                    self._conn.exec_driver_sql(f"LISTEN {CHANNEL}")
                yield self._conn
            except (DBAPIError, psycopg.Error) as error:
                if self._conn is not None:
                    self._conn.invalidate()
                    self._conn = None
                why = str(error).partition("\n")[0]
                raise LogUnavailable(f"The event log in PostgreSQL can't be read: {why}.") from error

    def _own(self) -> list[sa.ColumnElement[bool]]:
        return [log_readers.c[name] == value for name, value in self._me.items()]

    def _beat(self) -> None:
        alive = log_readers.update().where(*self._own()).values(seen_at=sa.func.now())
        while not self._closing.wait(BEAT):
            if monotonic() - self._polled_at < PATIENCE:
                try:
                    with self._connected() as conn:
                        conn.execute(alive)
                except LogUnavailable as away:
                    log.warning("log_reader_not_seen", detail=str(away))

    def _share(self, conn: sa.Connection) -> bool:
        """Once a beat: find who else reads and take this reader's part; whether it changed.

        The silent are removed by whoever notices first. A reader that finds itself removed was replaced for a
        while: it starts anew.
        """
        if monotonic() - self._shared_at < BEAT:
            return False
        rejoined = self._join(conn)
        group = log_readers.c.topic == self._me["topic"], log_readers.c.group == self._me["group"]
        readers = conn.scalars(sa.select(log_readers.c.reader).where(*group).order_by(log_readers.c.reader)).all()
        place = readers.index(self._me["reader"])
        held = frozenset(partition for partition in self._ends(conn) if partition % len(readers) == place)
        self._shared_at = monotonic()
        if held == self._held and not rejoined:
            return False
        kept = frozenset() if rejoined else held
        self._positions = {one: position for one, position in self._positions.items() if one in kept}
        self._held, self._changes = held, self._changes + 1
        return True

    def _join(self, conn: sa.Connection) -> bool:
        """Remove the silent, show life; whether that was as a newcomer."""
        silent = log_readers.c.seen_at < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, ALIVE)
        group = log_readers.c.topic == self._me["topic"], log_readers.c.group == self._me["group"]
        conn.execute(log_readers.delete().where(*group, silent))
        if conn.execute(log_readers.update().where(*self._own()).values(seen_at=sa.func.now())).rowcount:
            return False
        conn.execute(log_readers.insert().values(self._me))
        return True

    def _ends(self, conn: sa.Connection) -> dict[int, int]:
        heads = sa.select(log_heads.c.partition, log_heads.c.position).where(log_heads.c.topic == self.log)
        return {row.partition: row.position for row in conn.execute(heads)}

    def _read(self, conn: sa.Connection) -> list[Batch]:
        """Batches of the partitions that have more, each time another one first."""
        self._turn += 1
        ends = self._ends(conn)
        ready = sorted(partition for partition, position in self._positions.items() if ends[partition] != position)
        batches: list[Batch] = []
        for turn in range(len(ready)):
            left = self._batch_size - sum(len(batch.records) for batch in batches)
            if left > 0:
                partition = ready[(turn + self._turn) % len(ready)]
                batches.append(self._batch(conn, partition, left, ends[partition]))
        return batches

    def _batch(self, conn: sa.Connection, partition: int, limit: int, end: int) -> Batch:
        first = self._positions[partition]
        if first > end:
            log.error("log_restarted", partition=partition, position=first, end=end)
            self._positions[partition] = 0
            return Batch(partition, first, 0, ())
        records = [Record(partition, *row) for row in conn.execute(self._query(partition, first, limit))]
        if not records or records[0].position != first:
            log.error(
                "log_records_gone",
                partition=partition,
                first=first,
                end=records[0].position if records else end,
            )
        self._positions[partition] = records[-1].position + 1 if records else end
        return Batch(partition, first, self._positions[partition], records)

    def _query(self, partition: int, first: int, limit: int) -> sa.Select[int, bytes]:
        columns = log_records.c
        size = sa.func.octet_length(columns.value)
        before = (sa.func.sum(size).over(order_by=columns.position) - size).label("before")
        where = columns.topic == self.log, columns.partition == partition, columns.position >= first
        found = sa.select(columns.position, columns.value, before).where(*where).order_by(columns.position).limit(limit)
        some = found.subquery()
        return sa.select(some.c.position, some.c.value).where(some.c.before < BYTES).order_by(some.c.position)


def _wait(conn: sa.Connection, seconds: float) -> None:
    """Until something is appended, or so long."""
    driver = conn.connection.dbapi_connection  # that of a detached connection has no driver_connection
    assert isinstance(driver, psycopg.Connection)
    list(driver.notifies(timeout=max(seconds, 0), stop_after=1))
