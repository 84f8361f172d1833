"""Replays the stored events into fresh tables and swaps them in, while workers go on."""

from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from schemas.codec import decode
from schemas.event import Event
from services import tables
from services.database import engine
from services.identifiers import Rules
from services.timeline.stitch import stitch
from services.timeline.transactions import AGAIN

DERIVED = [
    tables.arrivals, tables.events, tables.interactions, tables.identifiers, tables.links, tables.decisions,
    tables.conversations, tables.visits, tables.names, tables.marks,
]  # fmt: skip
BATCH = 2000


def rebuild(url: str, rules: Rules, progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Make identity, interactions and events anew from the stored events; their number. Decisions of people stay.

    The last events are replayed while workers wait for the tables, which are then replaced in one transaction:
    readers see the old or the new, never a mixture. `progress` is told events done and the total.
    """
    store = engine(url)
    with store.connect() as conn, store.connect().execution_options(stream_results=True) as reading:
        secret, total = _prepare(conn)
        # Transactions from here on may still be under way; they are read again once nobody writes.
        horizon = int(conn.exec_driver_sql("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").scalar_one())
        conn.commit()
        done = 0
        for tx, batch in _stored(reading, "tx < %s", horizon):
            _replay(conn, batch, rules, secret, tx)
            conn.commit()
            done += len(batch)
            progress(done, total)
        reading.rollback()
        _lock(conn)
        for tx, batch in _stored(conn, "tx >= %s", horizon):
            _replay(conn, batch, rules, secret, tx)
        count = _swap(conn)
        conn.commit()
    store.dispose()
    progress(count, count)
    return count


def _prepare(conn: sa.Connection) -> tuple[bytes, int]:
    secret = conn.scalars(sa.select(tables.deployment.c.secret)).one()
    total = conn.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
    conn.exec_driver_sql("DROP SCHEMA IF EXISTS rebuild CASCADE")
    conn.exec_driver_sql("CREATE SCHEMA rebuild")
    conn.exec_driver_sql("SET LOCAL search_path = rebuild")
    tables.metadata.create_all(conn, tables=DERIVED, checkfirst=False)
    conn.commit()
    return bytes(secret), total


def _replay(conn: sa.Connection, batch: Sequence[Event], rules: Rules, secret: bytes, tx: int) -> None:
    conn.exec_driver_sql("SET LOCAL search_path = rebuild")
    stitch(conn, batch, rules, secret, tx=tx)


def _stored(conn: sa.Connection, which: str, horizon: int) -> Iterator[tuple[int, list[Event]]]:
    """Stored events in order of their transaction, in batches, each with its last transaction."""
    query = f"SELECT tx, event::text AS event FROM public.events WHERE {which} ORDER BY tx, event_key"
    for rows in conn.exec_driver_sql(query, (horizon,)).partitions(BATCH):
        yield rows[-1].tx, [decode(row.event.encode()) for row in rows]


def _lock(conn: sa.Connection) -> None:
    """Keep everybody from the tables; again after a deadlock with who reads them in another order."""
    while True:
        try:
            conn.exec_driver_sql(f"LOCK TABLE {', '.join(f'public.{table.name}' for table in DERIVED)}")
            return
        except OperationalError as error:
            conn.rollback()
            if getattr(error.orig, "sqlstate", None) not in AGAIN:
                raise


def _swap(conn: sa.Connection) -> int:
    for table in DERIVED:
        conn.exec_driver_sql(f"DROP TABLE public.{table.name}")
        conn.exec_driver_sql(f"ALTER TABLE rebuild.{table.name} SET SCHEMA public")
    conn.exec_driver_sql("DROP SCHEMA rebuild")
    count: int = conn.exec_driver_sql("SELECT count(*) FROM public.events").scalar_one()
    return count
