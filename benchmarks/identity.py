"""How well people are recognised: a labelled stream of events through the real stitch, pairs of events counted.

A file is JSONL (plain or .gz), a line an event: `t` (seconds), `channel`, `ids` ({type: value}), `person`, `event_id`.
Precision: of the pairs of events given to one customer, the share that is one person's. Recall: of the pairs of one
person, the share given to one customer. Pairs that no identifier connects can't be found, so recall has a ceiling.
"""

import tempfile
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime, timedelta
from math import comb
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.labelled import Appearance, rows
from benchmarks.timelines import CHANNELS
from schemas.event import Event, Identifier
from services import database, embedded
from services.identifiers import Rules
from services.timeline.migrate import upgrade
from services.timeline.stitch import stitch

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 500


def event(row: dict[str, Any]) -> Event:
    """An event of the stream as one of ours."""
    channel = CHANNELS.get(row["channel"], row["channel"])
    return Event(
        id=row["event_id"],
        source="stream",
        type="message.received" if channel in ("email", "chat", "social") else "app.event",
        occurred_at=START + timedelta(seconds=row["t"]),
        channel=channel,
        identifiers=tuple(Identifier(type=type, value=str(value)) for type, value in row["ids"].items() if value),
    )


def customers(events: list[Event]) -> dict[str, Hashable]:
    """Each event's customer after all are stitched, on an embedded PostgreSQL of their own."""
    with tempfile.TemporaryDirectory(prefix="tellonce-quality-") as folder:
        server = embedded.start(Path(folder))
        try:
            upgrade(server.url)
            engine = database.engine(server.url)
            for first in range(0, len(events), BATCH):
                with engine.begin() as conn:
                    stitch(conn, events[first : first + BATCH], Rules(), b"quality")
            # What is attached to a shared identifier (a kiosk, a switchboard) is nobody's in particular.
            query = """SELECT event_id, CASE WHEN shared THEN event_key ELSE customer_id END AS customer_id
                       FROM events e JOIN identifiers i ON i.id = e.identifier_id"""
            with engine.connect() as conn:
                found = {row.event_id: row.customer_id for row in conn.execute(sa.text(query))}
            engine.dispose()
            return found
        finally:
            server.stop()


def pairs(groups: Iterable[Hashable]) -> int:
    """Pairs of items that share a group."""
    return sum(comb(count, 2) for count in Counter(groups).values())


def measure(path: Path) -> dict[str, float]:
    """Figures of one file."""
    stream = list(rows(path, Appearance))
    found = customers([event(row) for row in stream])
    people = {row["event_id"]: row["person"] for row in stream}
    together, right = pairs(found.values()), pairs((found[id], person) for id, person in people.items())
    crowd = Counter(customer for customer, _ in {(found[id], person) for id, person in people.items()})
    return {
        "events": len(stream),
        "people": len(set(people.values())),
        "customers": len(set(found.values())),
        "precision": round(right / together, 4) if together else 1.0,
        "recall": round(right / pairs(people.values()), 4),
        "most_people_in_a_customer": max(crowd.values()),
    }
