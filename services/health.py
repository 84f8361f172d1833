"""How an instance is: what `tellonce status` says, in one piece."""

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from schemas.codec import Unreadable, decode
from services.database import engine
from services.eventlog import LogUnavailable, Reader, Record
from services.eventlog.opening import open_reader
from services.identifiers import WEAKEST
from services.settings import Settings
from services.tables import dead_letters, events, identifiers, positions, sources

LATE = 60.0  # seconds after which an event should have been stitched
PATIENCE = 15.0  # seconds to find the oldest event that was not


@dataclass
class Health:
    """`lag`: records to be stitched, by partition; `oldest`: seconds since the oldest of them was received.

    `red`: what is wrong, in words; nothing when all is well.
    """

    log: str
    events: int = 0
    customers: int = 0
    sources: dict[str, str] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    lag: dict[int, int] = field(default_factory=dict)
    oldest: float | None = None
    red: list[str] = field(default_factory=list)


def look(settings: Settings, url: str) -> Health:
    """Ask the database, which must answer, and the log, which may be away."""
    store = engine(url, pool_size=1)
    health = Health(settings.log)
    # A group of its own, so that it takes no partition from the workers.
    watching = settings.model_copy(update={"group": f"{settings.group}.status", "batch_size": 1})
    with open_reader(watching, url) as reader:
        with store.connect() as conn:
            _count(conn, health)
        try:
            done = _positions(store, reader)
            health.lag = {one: end - done.get(one, 0) for one, end in sorted(reader.ends().items())}
            health.oldest = _oldest(reader, {one: done.get(one, 0) for one, lag in health.lag.items() if lag > 0})
        except LogUnavailable as away:
            health.red.append(f"The event log does not answer: {away.message}")
    store.dispose()
    if health.oldest is not None and health.oldest > LATE:
        health.red.append(f"Events have waited for {health.oldest:.0f} s to be stitched: is the worker running?")
    return health


def _count(conn: sa.Connection, health: Health) -> None:
    named = identifiers.c.type.not_in(WEAKEST[1:])  # the others stand in for somebody who was not named
    oldest = identifiers.c.id == identifiers.c.customer_id  # as each customer has one
    to_replay = dead_letters.c.replayed_at.is_(None)
    valid = sources.c.revoked_at.is_(None)
    count = sa.func.count()
    health.events = conn.scalars(sa.select(count).select_from(events)).one()
    health.customers = conn.scalars(sa.select(count).select_from(identifiers).where(named, oldest)).one()
    reasons = sa.select(dead_letters.c.reason, count).where(to_replay).group_by(dead_letters.c.reason)
    health.dead_letters = dict(conn.execute(reasons).all())
    kinds = sa.select(sources.c.name, sources.c.kind).where(valid).order_by(sources.c.name)
    health.sources = dict(conn.execute(kinds).all())


def _positions(store: sa.Engine, reader: Reader) -> dict[int, int]:
    where = sa.select(positions.c.partition, positions.c.position).where(positions.c.topic == reader.log)
    with store.connect() as conn:
        return dict(conn.execute(where).all())


def _oldest(reader: Reader, wanted: dict[int, int]) -> float | None:
    """Seconds since the oldest of the records at these positions was received, as far as they can be read."""
    ages: list[float] = []
    seen: set[int] = set()
    change, deadline = -1, time.monotonic() + PATIENCE
    while wanted.keys() - seen and time.monotonic() < deadline:
        for batch in reader.poll(0.5):
            if batch.partition not in seen and batch.records:
                ages += _age(batch.records[0])
            seen.add(batch.partition)
        held, now = reader.assigned()
        if now != change:
            change = now
            for partition in held & wanted.keys():
                reader.seek(partition, wanted[partition])
    return max(ages, default=None)


def _age(record: Record) -> list[float]:
    with suppress(Unreadable):
        event = decode(record.value.split(b"\n", 1)[0])
        return [(datetime.now(UTC) - (event.received_at or event.occurred_at)).total_seconds()]
    return []
