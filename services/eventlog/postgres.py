"""The event log as tables of the one store: no other server is needed; the commit is what makes it durable."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from time import monotonic

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from services import database
from services.eventlog import EVENTS, Draft, LogUnavailable
from services.eventlog.budget import Budget
from services.eventlog.partitions import rows
from services.tables import log_heads, log_records, positions

log = structlog.get_logger()

CHANNEL = "log"  # readers LISTEN on it
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
# From the first on, as they lie in their key, for when they were appended is in no index.
TRIM = sa.text("""
    DELETE FROM log_records WHERE ctid = ANY(ARRAY(
        SELECT first.ctid FROM positions read CROSS JOIN LATERAL (
            SELECT ctid, appended_at FROM log_records WHERE topic = read.topic AND partition = read.partition
            AND position < read.position ORDER BY position LIMIT :most) first
        WHERE read.topic = :topic AND first.appended_at < :older))""")
# What an append waits for, in the same order.
HEADS = "SELECT FROM log_heads ORDER BY topic, partition FOR NO KEY UPDATE"


class PostgresAppender:
    """One connection, on which callers take turns; who has much to append brings it together (`ingest/groupcommit`)."""

    def __init__(
        self,
        engine: sa.Engine,
        partitions: int = 3,
        timeout: float = 2.0,
        budget: int = 64_000_000,
        topic: str = EVENTS,
    ) -> None:
        url = engine.url.render_as_string(hide_password=False)
        store = database.engine(url, pool_size=1, patience=timeout, planning=database.PLANNED_ONCE)
        self._engine = store.execution_options(isolation_level="AUTOCOMMIT")
        self._partitions, self._timeout, self._topic = partitions, timeout, topic
        self._budget = Budget(budget)
        self._counts: dict[str, int] = {}
        self._counted_at = 0.0
        self._turn = Lock()
        self._conn: sa.Connection | None = None
        self._answered_at = 0.0
        self._failed = False

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        """Store drafts; see `Appender`."""
        size = sum(draft.size for draft in drafts)
        self._budget.take(size)
        try:
            if drafts:
                with self._connected() as conn:
                    self._store(conn, topic or self._topic, drafts)
        finally:
            self._budget.give_back(size)

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now: after one that did, asks for what it waits for."""
        self._budget.check()
        query = HEADS if self._failed else "SELECT"
        with self._connected() as conn:
            conn.exec_driver_sql(query)

    def close(self) -> None:
        """End, when what is under way is stored."""
        if self._turn.acquire(timeout=self._timeout):
            if self._conn is not None:
                self._conn.close()
            self._engine.dispose()
            self._turn.release()

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        """The connection, for this caller alone; asked whether it is still there unless it has just been of use."""
        if not self._turn.acquire(timeout=self._timeout):
            raise LogUnavailable(f"The event log in PostgreSQL took nothing: others waited for {self._timeout} s.")
        conn, self._conn = self._conn, None
        try:
            if conn is not None and monotonic() - self._answered_at > FRESH:
                conn.close()  # the pool asks it
                conn = None
            conn = conn or self._engine.connect()
            if self._failed and (ended := database.end_forgotten(conn)):  # whoever fell silent with the heads has them
                log.warning("sessions_ended", count=ended)
            self._failed = True
            yield conn
            self._conn, self._answered_at, self._failed = conn, monotonic(), False
        except (DBAPIError, psycopg.Error) as error:
            why = str(error).partition("\n")[0]
            raise LogUnavailable(f"The event log in PostgreSQL took nothing: {why}.") from error
        finally:
            if conn is not None and self._conn is None:
                self._counts.clear()
                conn.invalidate()
            self._turn.release()

    def _store(self, conn: sa.Connection, topic: str, drafts: Sequence[Draft]) -> None:
        if monotonic() - self._counted_at > COUNTED:
            self._counts.clear()
            self._counted_at = monotonic()
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


def ensure_topic(conn: sa.Connection, topic: str, partitions: int) -> int:
    """Make a topic, or give it more partitions, never fewer; returns how many it has."""
    heads = [{"topic": topic, "partition": partition} for partition in range(partitions)]
    conn.execute(insert(log_heads).on_conflict_do_nothing(), heads)
    return conn.scalars(sa.select(sa.func.count()).where(log_heads.c.topic == topic)).one()


def trim(conn: sa.Connection, older_than: datetime, most: int = 1000, topic: str = EVENTS) -> int:
    """Delete records from before a time that the timeline has, so many of each partition at most; how many they were.

    Nothing else ever deletes.
    """
    return conn.execute(TRIM, {"topic": topic, "older": older_than, "most": most}).rowcount


def waited(conn: sa.Connection, topic: str = EVENTS) -> float:
    """For how many seconds the oldest record has waited that the timeline does not have; 0 where it has all.

    Also where the log is another, which is not seen from here.
    """
    due = positions.c.topic == topic, positions.c.partition == log_records.c.partition
    next_ones = sa.and_(log_records.c.topic == topic, *due, log_records.c.position == positions.c.position)
    age = sa.extract("epoch", sa.func.clock_timestamp() - log_records.c.appended_at)
    longest = conn.scalars(sa.select(sa.func.max(age)).select_from(positions).join(log_records, next_ones)).one()
    return max(float(longest or 0), 0.0)
