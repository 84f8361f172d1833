"""The event log as tables of the one store: no other server is needed; the commit is what makes it durable."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from services import database
from services.eventlog import EVENTS, Draft, LogUnavailable
from services.eventlog.budget import Budget
from services.eventlog.partitions import rows
from services.tables import log_heads, log_records, positions

CHANNEL = "log"  # readers LISTEN on it
GROUP = 8_000_000  # bytes after which a transaction takes no more in
COUNTED = 10.0  # seconds until a topic's partitions are counted again: there may be more
FRESH = 1.0  # seconds for which a connection that answered is not asked anew whether it is there

# All in one statement, which is its own transaction, so in one answer. The rows of the heads stay locked until the
# commit: within a partition commits come in the order of positions, so that a reader never skips one that is still
# to come. Locked in order, so that appenders never wait for each other in a circle.
STORE = """
WITH given AS (
  SELECT partition, value, row_number() OVER (PARTITION BY partition ORDER BY place) - 1 AS place
  FROM unnest(%(partitions)s::int4[], %(values)b::bytea[]) WITH ORDINALITY AS given (partition, value, place)
), heads AS MATERIALIZED (
  SELECT partition FROM log_heads WHERE topic = %(topic)s AND partition = ANY (%(partitions)s::int4[])
  ORDER BY partition FOR NO KEY UPDATE
), moved AS (
  UPDATE log_heads head SET position = head.position + added.records
  FROM heads JOIN (SELECT partition, count(*) AS records FROM given GROUP BY partition) added USING (partition)
  WHERE head.topic = %(topic)s AND head.partition = heads.partition
  RETURNING head.partition, head.position - added.records AS first
), stored AS (
  INSERT INTO log_records (topic, partition, position, value)
  SELECT %(topic)s, partition, first + place, value FROM given JOIN moved USING (partition) RETURNING 1
)
SELECT count(*), pg_notify(%(channel)s, %(topic)s) FROM stored
"""


class _Entry(NamedTuple):
    """What one caller waits for."""

    topic: str
    drafts: Sequence[Draft]
    size: int
    done: Future[None]


class PostgresAppender:
    """One thread writes what all callers bring meanwhile in one transaction, so that they share its commit."""

    def __init__(
        self,
        engine: sa.Engine,
        partitions: int = 3,
        timeout: float = 2.0,
        budget: int = 64_000_000,
        topic: str = EVENTS,
    ) -> None:
        url = engine.url.render_as_string(hide_password=False)
        store = database.engine(url, pool_size=1, patience=timeout)
        self._engine = store.execution_options(isolation_level="AUTOCOMMIT")
        self._partitions, self._timeout, self._topic = partitions, timeout, topic
        self._budget = Budget(budget)
        self._counts: dict[str, int] = {}
        self._counted_at = 0.0
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._conn: sa.Connection | None = None
        self._answered_at = 0.0
        self._thread = Thread(target=self._write, name="log-appender", daemon=True)
        self._thread.start()

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        """Store drafts; see `Appender`."""
        if drafts:
            self._submit(drafts, topic or self._topic)

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now."""
        self._budget.check()
        self._submit((), self._topic)

    def close(self) -> None:
        """Store what is waiting and end."""
        self._queue.put(None)
        self._thread.join(self._timeout)
        if self._conn is not None and not self._thread.is_alive():
            self._conn.close()
        self._engine.dispose()

    def _submit(self, drafts: Sequence[Draft], topic: str) -> None:
        entry = _Entry(topic, drafts, sum(draft.size for draft in drafts), Future())
        self._budget.take(entry.size)
        self._queue.put(entry)
        try:
            entry.done.result(self._timeout)
        except (DBAPIError, psycopg.Error, TimeoutError) as error:
            entry.done.cancel()
            why = str(error).partition("\n")[0] or f"no answer in {self._timeout} s"
            raise LogUnavailable(f"The event log in PostgreSQL took nothing: {why}.") from error

    def _write(self) -> None:
        while entries := self._waiting():
            wanted = [entry for entry in entries if entry.done.set_running_or_notify_cancel()]
            try:
                self._store(wanted)
            except Exception as error:  # it belongs to the callers; this thread serves the next ones
                self._counts.clear()
                for entry in wanted:
                    entry.done.set_exception(error)
            else:
                for entry in wanted:
                    entry.done.set_result(None)
            finally:
                self._budget.give_back(sum(entry.size for entry in entries))

    def _waiting(self) -> list[_Entry]:
        """All that has come, at least one; empty when closed."""
        entries: list[_Entry] = []
        size = 0
        entry = self._queue.get()
        while entry:
            entries.append(entry)
            size += entry.size
            if size >= GROUP or self._queue.empty():
                return entries
            entry = self._queue.get()
        if entries:
            self._queue.put(None)  # closed: for the next call to find
        return entries

    def _store(self, entries: Iterable[_Entry]) -> None:
        if monotonic() - self._counted_at > COUNTED:
            self._counts.clear()
            self._counted_at = monotonic()
        drafts: dict[str, list[Draft]] = {}
        for entry in entries:
            drafts.setdefault(entry.topic, []).extend(entry.drafts)
        conn = self._connected()
        try:
            for topic, some in drafts.items():
                if some:
                    self._store_topic(conn, topic, some)
                else:
                    conn.exec_driver_sql("SELECT")  # a check
        except BaseException:
            self._conn = None
            conn.invalidate()
            raise
        self._answered_at = monotonic()

    def _store_topic(self, conn: sa.Connection, topic: str, drafts: Sequence[Draft]) -> None:
        if topic not in self._counts:
            self._counts[topic] = ensure_topic(conn, topic, self._partitions)
        found = rows(drafts, self._counts[topic])
        driver = conn.connection.driver_connection
        assert driver is not None
        arguments = {
            "topic": topic,
            "channel": CHANNEL,
            "partitions": [row.partition for row in found],
            "values": [row.value for row in found],
        }
        ((stored, _),) = driver.execute(STORE, arguments, prepare=True).fetchall()
        if stored != len(found):
            raise LogUnavailable(f"Of {len(found)} records {stored} were stored: partitions of {topic} are missing.")

    def _connected(self) -> sa.Connection:
        """The connection, which is asked whether it is still there unless it has just been of use."""
        if self._conn is not None and monotonic() - self._answered_at < FRESH:
            return self._conn
        if self._conn is not None:
            self._conn.close()  # the pool asks it
        self._conn = None
        self._conn = self._engine.connect()
        self._answered_at = monotonic()
        return self._conn


def ensure_topic(conn: sa.Connection, topic: str, partitions: int) -> int:
    """Make a topic, or give it more partitions, never fewer; returns how many it has."""
    heads = [{"topic": topic, "partition": partition} for partition in range(partitions)]
    conn.execute(insert(log_heads).on_conflict_do_nothing(), heads)
    return conn.scalars(sa.select(sa.func.count()).where(log_heads.c.topic == topic)).one()


def trim(conn: sa.Connection, older_than: datetime, topic: str = EVENTS) -> int:
    """Delete the records from before a time that the timeline has; returns how many. Nothing else ever deletes."""
    read = positions.c.topic == topic, positions.c.partition == log_records.c.partition
    old = log_records.c.topic == topic, log_records.c.appended_at < older_than
    gone = log_records.delete().where(*old, *read, log_records.c.position < positions.c.position)
    return conn.execute(gone).rowcount
