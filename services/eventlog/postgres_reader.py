"""Reading the event log in PostgreSQL: readers wake at once by NOTIFY, and look by themselves now and then."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Self

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from services.eventlog import EVENTS, Batch, LogUnavailable, Record
from services.eventlog.postgres import CHANNEL
from services.eventlog.sharing import Share
from services.tables import log_heads, log_records

log = structlog.get_logger()

WAKE = 0.5  # seconds after which it looks by itself, should a NOTIFY have gone astray
BYTES = 16_000_000  # of values after which a poll takes no more


class PostgresReader:
    """A reader on a connection of its own. `engine`: its own too."""

    def __init__(self, engine: sa.Engine, group: str, batch_size: int = 1000, topic: str = EVENTS) -> None:
        self.log = topic
        self._engine, self._batch_size = engine, batch_size
        self._share = Share(engine, topic, group)
        self._conn: sa.Connection | None = None
        self._positions: dict[int, int] = {}
        self._turn = 0

    def poll(self, timeout: float) -> list[Batch]:
        """The next records; see `Reader`."""
        deadline = monotonic() + timeout
        with self._connected() as conn:
            _wait(conn, 0)  # psycopg keeps what was heard, and who is never idle would never take it
            while True:
                ends = self._ends(conn)
                if self._share.refresh(ends):
                    kept = self._positions.keys() & self._share.held
                    self._positions = {partition: self._positions[partition] for partition in kept}
                    return []
                batches = self._read(conn, ends)
                if batches or monotonic() >= deadline:
                    return batches
                _wait(conn, min(WAKE, deadline - monotonic()))

    def assigned(self) -> tuple[frozenset[int], int]:
        """The partitions held; see `Reader`."""
        return self._share.held, self._share.changes

    def seek(self, partition: int, position: int) -> None:
        """Read on from here; see `Reader`."""
        if partition not in self._share.held:
            raise ValueError(f"Partition {partition} isn't held.")
        self._positions[partition] = position

    def done(self, partition: int, position: int) -> None:
        """Nothing to do: whoever watches the lag finds `positions` in the same database."""

    def ends(self) -> dict[int, int]:
        """The end of every partition; see `Reader`."""
        with self._connected() as conn:
            return self._ends(conn)

    def renew(self) -> None:
        """New connections; see `Reader`."""
        self._disconnect()
        self._engine.dispose()

    def close(self) -> None:
        """Leave the group at once, so that the others take over; again does nothing."""
        self._share.leave()
        self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            if self._conn is None:
                self._conn = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._conn.detach()  # what listens must not go back to the pool
                self._conn.exec_driver_sql(f"LISTEN {CHANNEL}")
            yield self._conn
        except (DBAPIError, psycopg.Error) as error:
            self._disconnect()
            why = str(error).partition("\n")[0]
            raise LogUnavailable(f"The event log in PostgreSQL can't be read: {why}.") from error

    def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.invalidate()

    def _ends(self, conn: sa.Connection) -> dict[int, int]:
        heads = sa.select(log_heads.c.partition, log_heads.c.position).where(log_heads.c.topic == self.log)
        return {row.partition: row.position for row in conn.execute(heads)}

    def _read(self, conn: sa.Connection, ends: dict[int, int]) -> list[Batch]:
        """Batches of the partitions that have more, each time another one first."""
        ready = sorted(one for one, position in self._positions.items() if ends[one] != position)
        batches: list[Batch] = []
        self._turn += 1
        left, room = self._batch_size, BYTES
        for turn in range(len(ready)):
            if left > 0 and room > 0:
                partition = ready[(turn + self._turn) % len(ready)]
                batches.append(self._batch(conn, partition, left, room, ends[partition]))
                left -= len(batches[-1].records)
                room -= sum(len(record.value) for record in batches[-1].records)
        return batches

    def _batch(self, conn: sa.Connection, partition: int, limit: int, room: int, end: int) -> Batch:
        first = self._positions[partition]
        found = conn.execute(self._query(partition, first, limit, room)) if first < end else ()
        records = tuple(Record(partition, row.position, row.value) for row in found)
        if not records:
            log.error("log_records_gone", partition=partition, position=first, end=end)
        elif records[0].position != first:
            log.error("log_records_gone", partition=partition, position=first, found=records[0].position)
        step = end if first < end else 0  # a log that ends before where we are was begun anew
        self._positions[partition] = records[-1].position + 1 if records else step
        return Batch(partition, first, self._positions[partition], records)

    def _query(self, partition: int, first: int, limit: int, room: int) -> sa.Select[int, bytes]:
        columns = log_records.c
        size = sa.func.octet_length(columns.value)
        before = (sa.func.sum(size).over(order_by=columns.position) - size).label("before")
        where = columns.topic == self.log, columns.partition == partition, columns.position >= first
        some = sa.select(columns.position, columns.value, before).where(*where).order_by(columns.position)
        few = some.limit(limit).subquery()
        return sa.select(few.c.position, few.c.value).where(few.c.before < room).order_by(few.c.position)


def _wait(conn: sa.Connection, seconds: float) -> None:
    """Until something is appended, or so long."""
    driver = conn.connection.dbapi_connection
    assert isinstance(driver, psycopg.Connection)
    list(driver.notifies(timeout=max(seconds, 0), stop_after=1))
