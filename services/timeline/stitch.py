"""One transaction's work: a batch of events onto the timelines of their customers, each exactly once.

Set-wise SQL on packed arrays, COPY for the events. The same for any order, batching, repetition and number of workers:
what is stored are minima, maxima, sums and sets, and who is who is decided by event time (`identity`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct
from uuid import UUID

import sqlalchemy as sa

from schemas.event import Event
from services.identifiers import Rules
from services.tables import CORRECTIONS, TELLING
from services.timeline.arrivals import Arrival, arrival, names
from services.timeline.bulk import EIGHT, blobs, copy, texts, time, times, uuids, word
from services.timeline.bulk import field as packed
from services.timeline.identity import Id
from services.timeline.naming import identify
from services.timeline.parts import Changed
from services.timeline.visits import assign, write_interactions

EVENT = "identifier_id, event_key, interaction_id, occurred_at, source, event_id, type, channel, direction, tx, event"
IDS = Struct("!i16si16si16s").pack
JSONB = Struct("!iB").pack
JSONB_VERSION = 1
MARKING = frozenset({*TELLING, *CORRECTIONS})  # types of events that change what is found of a customer


@dataclass
class Outcome:
    """What a batch came to: events stored, met again, met again with other content; identifiers that moved to
    another customer; the customers that changed."""

    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    moved: int = 0
    customers: set[UUID] = field(default_factory=set)

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.stored + other.stored, self.duplicates + other.duplicates, self.conflicts + other.conflicts,
            self.moved + other.moved, self.customers | other.customers,
        )  # fmt: skip


def stitch(conn: sa.Connection, events: Iterable[Event], rules: Rules, secret: bytes, tx: int | None = None) -> Outcome:
    """Store events; see `store`. `tx`: the transaction whose they are said to be, where not the present one."""
    return store(conn, [arrival(event, rules, secret) for event in events], rules, secret, tx)


def store(
    conn: sa.Connection, arrived: Sequence[Arrival], rules: Rules, secret: bytes, tx: int | None = None
) -> Outcome:
    """Store events, link their identifiers, merge and sort them into interactions, mark whose statements changed.

    The caller's transaction commits. May fail with a serialisation failure or
    deadlock (SQLSTATE 40001, 40P01): do it again. Idempotent.
    """
    fresh, conflicts, present = _dedupe(conn, arrived)
    outcome = Outcome(len(fresh), len(arrived) - len(fresh) - conflicts, conflicts)
    if fresh:
        changed = identify(conn, fresh, rules, secret)
        tx = tx or present
        interactions = assign(conn, fresh, tx)
        _write_events(conn, fresh, interactions, tx)
        write_interactions(conn, fresh, interactions, tx)
        _write_names(conn, fresh)
        outcome.moved = len(changed.moved)
        outcome.customers = _mark(conn, fresh, changed)
        conn.exec_driver_sql("NOTIFY timeline")
    return outcome


def _dedupe(conn: sa.Connection, arrived: Sequence[Arrival]) -> tuple[list[Arrival], int, int]:
    """The events that are new, in order of age; how many share an id with another but not the content; and the
    number of the present transaction (xid8, rises for ever).

    Of those that share an id the first to arrive is on the timeline; the others are kept where they can be seen.
    """
    first = {one.key: one for one in reversed(arrived)}
    keys = sorted(first)
    row = conn.exec_driver_sql(
        """
        WITH n AS (SELECT * FROM unnest(%s, %s) n(event_key, digest)),
             added AS (INSERT INTO arrivals SELECT * FROM n ON CONFLICT DO NOTHING RETURNING event_key)
        SELECT pg_current_xact_id()::text::bigint, ARRAY(
            SELECT uuid_send(event_key) FROM n WHERE event_key NOT IN (SELECT event_key FROM added))""",
        (uuids(keys), blobs(first[key].digest for key in keys)),
    ).one()
    met = set(row[1])
    fresh = sorted((one for one in first.values() if one.key not in met), key=lambda one: one.age)
    again = [one for one in arrived if one.key in met or one is not first[one.key]]
    return fresh, _keep_conflicts(conn, again) if again else 0, row[0]


def _keep_conflicts(conn: sa.Connection, again: Sequence[Arrival]) -> int:
    """Keep those of other content than what arrived first under their id; how many."""
    rows = conn.exec_driver_sql(
        """SELECT place FROM unnest(%s, %s) WITH ORDINALITY n(event_key, digest, place)
        JOIN arrivals a USING (event_key) WHERE a.digest <> n.digest""",
        (uuids(one.key for one in again), blobs(one.digest for one in again)),
    )
    others = [again[row.place - 1] for row in rows]
    insert = "INSERT INTO conflicts (event_key, digest, event) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    for one in others:
        conn.exec_driver_sql(insert, (UUID(bytes=one.key), one.digest, one.body.decode()))
    return len(others)


def _write_events(conn: sa.Connection, fresh: Iterable[Arrival], interactions: Mapping[Id, Id], tx: int) -> None:
    transaction = EIGHT(8, tx)
    rows = (
        b"".join((
            IDS(16, one.anchor, 16, one.key, 16, interactions[one.key]), time(event.occurred_at),
            word(event.source), packed(event.id.encode()), word(event.type), word(event.channel),
            word(event.direction.value), transaction, JSONB(len(one.body) + 1, JSONB_VERSION), one.body,
        ))
        for one in fresh
        if (event := one.event)
    )  # fmt: skip
    copy(conn, "events", EVENT, rows)


def _write_names(conn: sa.Connection, fresh: Iterable[Arrival]) -> None:
    if rows := sorted((id, name, seen.at) for (id, name), seen in names(fresh).items()):
        ids, called, seen = zip(*rows, strict=True)
        conn.exec_driver_sql(
            """INSERT INTO names AS n SELECT * FROM unnest(%s, %s, %s) ON CONFLICT (identifier_id, name)
            DO UPDATE SET seen_at = excluded.seen_at WHERE excluded.seen_at > n.seen_at""",
            (uuids(ids), texts(called), times(seen)),
        )


def _mark(conn: sa.Connection, fresh: Iterable[Arrival], changed: Changed) -> set[UUID]:
    """Mark the customers that may be found another: by new words of theirs, or by who is one with whom since when."""
    touched = {one.anchor for one in fresh if one.event.type in MARKING} | changed.moved.keys() | changed.touched
    if not touched:
        return set()
    marked = conn.exec_driver_sql(
        """INSERT INTO marks (customer_id) SELECT customer_id FROM identifiers WHERE id = ANY(%s)
        UNION SELECT unnest(%s) ORDER BY 1 RETURNING customer_id""",
        (uuids(touched), uuids(changed.moved.values())),
    )
    return {row.customer_id for row in marked}
