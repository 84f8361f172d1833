"""Visits and interactions of a batch, into the database."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from services.timeline.arrivals import Arrival
from services.timeline.bulk import copy
from services.timeline.interactions import SILENCE, Part, Visit, Visits, revisit, visit_id, visit_of

PART = """source text, channel text, conversation text, started_at timestamptz, last_at timestamptz,
    events bigint, inbound bigint, outbound bigint,
    last_inbound_at timestamptz, last_outbound_at timestamptz, closed_at timestamptz""".replace("\n    ", " ")
NAMES = [column.split()[0] for column in PART.split(", ")]
# How two parts of one interaction on one identifier add up.
SUM = """ON CONFLICT (identifier_id, interaction_id) DO UPDATE SET
    source = least(i.source, excluded.source), channel = least(i.channel, excluded.channel),
    started_at = least(i.started_at, excluded.started_at), last_at = greatest(i.last_at, excluded.last_at),
    events = i.events + excluded.events, inbound = i.inbound + excluded.inbound,
    outbound = i.outbound + excluded.outbound,
    last_inbound_at = greatest(i.last_inbound_at, excluded.last_inbound_at),
    last_outbound_at = greatest(i.last_outbound_at, excluded.last_outbound_at),
    closed_at = greatest(i.closed_at, excluded.closed_at), tx = greatest(i.tx, excluded.tx)"""


def assign(conn: sa.Connection, fresh: Sequence[Arrival], tx: int) -> dict[UUID, UUID]:
    """Each event's interaction, by event key; extends, starts and joins visits where events are visits' events."""
    moments: dict[UUID, list[datetime]] = defaultdict(list)
    for one in fresh:
        if one.visiting:
            moments[one.visiting].append(one.event.occurred_at)
    known = _known(conn, moments) if moments else {}
    after = {device: revisit(known.get(device, ()), at) for device, at in moments.items()}
    _write_visits(conn, after)
    _move_events(conn, after, tx)
    standing = {
        device: [visit for visit in known.get(device, ()) if visit not in change.replaced] + change.changed
        for device, change in after.items()
    }
    return {
        one.key: one.interaction or visit_id(device, visit_of(standing[device], one.event.occurred_at))
        for one in fresh
        if (device := one.visiting or one.key)
    }


def write_interactions(conn: sa.Connection, fresh: Iterable[Arrival], interactions: dict[UUID, UUID], tx: int) -> None:
    """Add the events to the parts of their interactions."""
    parts: dict[tuple[UUID, UUID], Part] = {}
    for one in fresh:
        event, name = one.event, (one.anchor, interactions[one.key])
        if name not in parts:
            parts[name] = Part(event.system, event.channel, event.conversation, event.occurred_at, event.occurred_at)
        parts[name].add(event)
    rows = ((*name, *(getattr(part, column) for column in NAMES), tx) for name, part in parts.items())
    copy(conn, "adding", f"identifier_id uuid, interaction_id uuid, {PART}, tx bigint", rows)
    columns = f"identifier_id, interaction_id, {', '.join(NAMES)}, tx"
    conn.exec_driver_sql(
        f"INSERT INTO interactions AS i ({columns}) SELECT * FROM adding ORDER BY identifier_id, interaction_id {SUM}"
    )


def _known(conn: sa.Connection, moments: dict[UUID, list[datetime]]) -> dict[UUID, list[Visit]]:
    """The visits near the moments of each device, whose identifier is locked so that nobody else sorts its visits."""
    conn.exec_driver_sql(
        "SELECT id FROM identifiers WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", (list(moments),)
    )
    rows = ((device, min(at) - SILENCE, max(at) + SILENCE) for device, at in moments.items())
    copy(conn, "visiting", "device_id uuid, since timestamptz, until timestamptz", rows)
    found: dict[UUID, list[Visit]] = defaultdict(list)
    near = "SELECT v.* FROM visits v JOIN visiting n USING (device_id) WHERE started_at <= until AND ended_at >= since"
    for row in conn.exec_driver_sql(near):
        found[row.device_id].append(Visit(row.started_at, row.ended_at))
    return found


def _write_visits(conn: sa.Connection, after: dict[UUID, Visits]) -> None:
    gone = [(device, old.started_at) for device, change in after.items() for old in change.replaced]
    if gone:
        devices, starts = (list(column) for column in zip(*gone, strict=True))
        conn.exec_driver_sql(
            "DELETE FROM visits v USING unnest(%s::uuid[], %s::timestamptz[]) g(device_id, started_at) "
            "WHERE v.device_id = g.device_id AND v.started_at = g.started_at",
            (devices, starts),
        )
    rows = [(device, *visit) for device, change in after.items() for visit in change.changed]
    if rows:
        devices, starts, ends = (list(column) for column in zip(*rows, strict=True))
        insert = "INSERT INTO visits SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[])"
        conn.exec_driver_sql(insert, (devices, starts, ends))


def _move_events(conn: sa.Connection, after: dict[UUID, Visits], tx: int) -> None:
    """Where a visit turns out to have begun earlier or to be one with another, its events and parts go along."""
    moves = {
        visit_id(device, old): visit_id(device, new)
        for device, change in after.items()
        for old, new in change.replaced.items()
        if old.started_at != new.started_at
    }
    if not moves:
        return
    copy(conn, "moving", "old_id uuid, new_id uuid", moves.items())
    conn.exec_driver_sql("""
        UPDATE events e SET interaction_id = m.new_id FROM moving m JOIN interactions i ON i.interaction_id = m.old_id
        WHERE e.identifier_id = i.identifier_id AND e.interaction_id = m.old_id""")
    sums = """min(source), min(channel), min(conversation), min(started_at), max(last_at),
        sum(events), sum(inbound), sum(outbound), max(last_inbound_at), max(last_outbound_at), max(closed_at)"""
    conn.exec_driver_sql(
        f"""WITH gone AS (
            DELETE FROM interactions i USING moving m WHERE i.interaction_id = m.old_id RETURNING i.*, m.new_id)
        INSERT INTO interactions AS i (identifier_id, interaction_id, {", ".join(NAMES)}, tx)
        SELECT identifier_id, new_id, {sums}, %s FROM gone GROUP BY identifier_id, new_id {SUM}""",
        (tx,),
    )
