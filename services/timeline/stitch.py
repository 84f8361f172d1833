"""One transaction's work: a batch of events onto the timelines of their customers, each exactly once.

Set-wise SQL, COPY where rows are many. The same for any order, batching, repetition and number of workers: what is
stored are minima, maxima, sums and sets, and who is who is decided by event time (`identity`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb

from schemas.event import Event
from services.identifiers import Rules
from services.timeline.arrivals import Arrival, arrival, names
from services.timeline.bulk import copy, copy_into, transaction_id
from services.timeline.naming import identify
from services.timeline.visits import assign, write_interactions


@dataclass
class Outcome:
    """What a batch came to: events stored, met again, met again with other content; identifiers that moved to
    another customer; the customers that changed."""

    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    moved: int = 0
    customers: set[UUID] = field(default_factory=set)


def stitch(conn: sa.Connection, events: Sequence[Event], rules: Rules, secret: bytes, tx: int | None = None) -> Outcome:
    """Store events, link their identifiers, merge and sort them into interactions, mark whose statements changed.

    The caller's transaction commits. May fail with a serialisation failure or deadlock (SQLSTATE 40001, 40P01): do
    it again. Idempotent.
    """
    arrived = [arrival(event, rules, secret) for event in events]
    fresh, conflicts = _dedupe(conn, arrived)
    outcome = Outcome(len(fresh), len(arrived) - len(fresh) - conflicts, conflicts)
    if fresh:
        moved = identify(conn, fresh, rules, secret)
        tx = tx or transaction_id(conn)
        interactions = assign(conn, fresh, tx)
        _write_events(conn, fresh, interactions, tx)
        write_interactions(conn, fresh, interactions, tx)
        _write_names(conn, fresh)
        outcome.moved = len(moved)
        outcome.customers = _mark(conn, fresh, moved)
        conn.exec_driver_sql("NOTIFY timeline")
    return outcome


def _dedupe(conn: sa.Connection, arrived: Sequence[Arrival]) -> tuple[list[Arrival], int]:
    """The events that are new, in order of age, and how many share an id with another but not the content.

    Of those the first to arrive is on the timeline; the others are kept where they can be seen.
    """
    rows = ((one.key, one.digest, place) for place, one in enumerate(arrived))
    copy(conn, "arriving", "event_key uuid, digest bytea, place int4", rows)
    added = conn.exec_driver_sql("""
        INSERT INTO arrivals SELECT DISTINCT ON (event_key) event_key, digest FROM arriving ORDER BY event_key, place
        ON CONFLICT DO NOTHING RETURNING event_key""")
    new = {row.event_key for row in added}
    fresh = {one.key: one for one in reversed(arrived) if one.key in new}
    if len(fresh) == len(arrived):
        return sorted(fresh.values(), key=lambda one: one.age), 0
    differing = conn.exec_driver_sql("""
        SELECT place FROM arriving n JOIN arrivals a USING (event_key) WHERE a.digest <> n.digest""")
    others = [arrived[row.place] for row in differing]
    _keep_conflicts(conn, others)
    return sorted(fresh.values(), key=lambda one: one.age), len(others)


def _keep_conflicts(conn: sa.Connection, others: Iterable[Arrival]) -> None:
    insert = "INSERT INTO conflicts (event_key, digest, event) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
    for one in others:
        conn.exec_driver_sql(insert, (one.key, one.digest, one.body.decode()))


def _as_it_is(body: bytes) -> bytes:
    return body


def _write_events(conn: sa.Connection, fresh: Iterable[Arrival], interactions: dict[UUID, UUID], tx: int) -> None:
    columns = (
        "identifier_id uuid, occurred_at timestamptz, event_key uuid, interaction_id uuid, source text, event_id text, "
        "type text, channel text, direction text, event jsonb, tx bigint"
    )
    rows = (
        (
            one.anchor, event.occurred_at, one.key, interactions[one.key], event.source, event.id,
            event.type, event.channel, event.direction.value, Jsonb(one.body, _as_it_is), tx,
        )
        for one in fresh
        if (event := one.event)
    )  # fmt: skip
    copy_into(conn, "events", columns, rows)


def _write_names(conn: sa.Connection, fresh: Iterable[Arrival]) -> None:
    rows = ((id, name, seen.at) for (id, name), seen in names(fresh).items())
    copy(conn, "calling", "identifier_id uuid, name text, seen_at timestamptz", rows)
    conn.exec_driver_sql("""
        INSERT INTO names AS n SELECT * FROM calling ORDER BY 1, 2 ON CONFLICT (identifier_id, name)
        DO UPDATE SET seen_at = excluded.seen_at WHERE excluded.seen_at > n.seen_at""")


def _mark(conn: sa.Connection, fresh: Iterable[Arrival], moved: dict[UUID, UUID]) -> set[UUID]:
    """Mark the customers whose statements changed: new words of theirs, or an identifier that came or went."""
    touched = {one.anchor for one in fresh if one.event.text} | moved.keys()
    found = conn.exec_driver_sql("SELECT DISTINCT customer_id FROM identifiers WHERE id = ANY(%s)", (list(touched),))
    customers = {row.customer_id for row in found} | set(moved.values())
    if customers:
        insert = "INSERT INTO marks (customer_id) SELECT * FROM unnest(%s::uuid[])"
        conn.exec_driver_sql(insert, (sorted(customers),))
    return customers
