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
from services.timeline.arrivals import Arrival, arrival
from services.timeline.bulk import blobs, copy, uuids
from services.timeline.identity import Id
from services.timeline.naming import identify
from services.timeline.parts import Changed
from services.timeline.plans import Plan, plan
from services.timeline.visits import assign, write_interactions, write_visiting

EVENT = "identifier_id, event_key, occurred_at, source, event_id, type, channel, direction, event, interaction_id, tx"
TAIL = Struct("!i16siq").pack


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
    return store(conn, plan([arrival(event, rules, secret) for event in events], rules, secret), tx)


def store(conn: sa.Connection, planned: Plan, tx: int | None = None) -> Outcome:
    """Store events, link their identifiers, merge and sort them into interactions, mark whose statements changed.

    The caller's transaction commits. May fail with a serialisation failure or
    deadlock (SQLSTATE 40001, 40P01): do it again, by the same plan. Idempotent.
    """
    met, present = _meet(conn, planned)
    again = [*(one for one in planned.fresh if one.key in met), *planned.again]
    conflicts = _keep_conflicts(conn, again) if again else 0
    fresh = planned.without(met) if met else planned
    outcome = Outcome(len(fresh.fresh), len(again) - conflicts, conflicts)
    if fresh.fresh:
        changed = identify(conn, fresh.said, fresh.rules)
        tx = tx or present
        visits = assign(conn, fresh.moments, tx)
        _write_events(conn, fresh, visits, tx)
        write_interactions(conn, fresh.shares, tx)
        write_visiting(conn, fresh.moments, visits, tx)
        _write_names(conn, fresh)
        outcome.moved = len(changed.moved)
        outcome.customers = _mark(conn, fresh, changed)
        conn.exec_driver_sql("NOTIFY timeline")
    return outcome


def _meet(conn: sa.Connection, planned: Plan) -> tuple[set[Id], int]:
    """The keys of those events that were met before, and the number of the present transaction (xid8, rises for ever).

    Of those that share an id the first to arrive is on the timeline; the others are kept where they can be seen.
    """
    if not planned.fresh:
        return set(), 0
    row = conn.exec_driver_sql(
        """
        WITH n AS (SELECT * FROM unnest(%s, %s) n(event_key, digest)),
             added AS (INSERT INTO arrivals SELECT * FROM n ON CONFLICT DO NOTHING RETURNING event_key)
        SELECT pg_current_xact_id()::text::bigint, ARRAY(
            SELECT uuid_send(event_key) FROM n WHERE event_key NOT IN (SELECT event_key FROM added))""",
        tuple(planned.arrivals),
    ).one()
    return set(row[1]), row[0]


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


def _write_events(conn: sa.Connection, planned: Plan, visits: Mapping[Id, Id], tx: int) -> None:
    rows = (
        row + TAIL(16, one.interaction or visits[one.key], 8, tx)
        for one, row in zip(planned.fresh, planned.rows, strict=True)
    )
    copy(conn, "events", EVENT, rows)


def _write_names(conn: sa.Connection, planned: Plan) -> None:
    if planned.names:
        conn.exec_driver_sql(
            """INSERT INTO names AS n SELECT * FROM unnest(%s, %s, %s) ON CONFLICT (identifier_id, name)
            DO UPDATE SET seen_at = excluded.seen_at WHERE excluded.seen_at > n.seen_at""",
            tuple(planned.names),
        )


def _mark(conn: sa.Connection, planned: Plan, changed: Changed) -> set[UUID]:
    """Mark the customers that may be found another: by new words of theirs, or by who is one with whom since when."""
    touched = planned.telling | changed.moved.keys() | changed.touched
    if not touched:
        return set()
    marked = conn.exec_driver_sql(
        """INSERT INTO marks (customer_id) SELECT customer_id FROM identifiers WHERE id = ANY(%s)
        UNION SELECT unnest(%s) ORDER BY 1 RETURNING customer_id""",
        (uuids(touched), uuids(changed.moved.values())),
    )
    return {row.customer_id for row in marked}
