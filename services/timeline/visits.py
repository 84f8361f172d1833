"""Visits and interactions of a batch, into the database."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from services.tables import TELLING
from services.timeline.bulk import times, uuids
from services.timeline.identity import Id
from services.timeline.interactions import Visit, Visits, revisit, visit_id
from services.timeline.shares import PART, Moments, Shares
from services.timeline.steps import Steps

NAMES = ", ".join(PART)
# How two parts of one interaction on one identifier add up.
SUM = """ON CONFLICT (identifier_id, interaction_id) DO UPDATE SET
    source = least(i.source, excluded.source), channel = least(i.channel, excluded.channel),
    started_at = least(i.started_at, excluded.started_at), last_at = greatest(i.last_at, excluded.last_at),
    events = i.events + excluded.events, inbound = i.inbound + excluded.inbound,
    outbound = i.outbound + excluded.outbound,
    last_inbound_at = greatest(i.last_inbound_at, excluded.last_inbound_at),
    last_outbound_at = greatest(i.last_outbound_at, excluded.last_outbound_at),
    closed_at = greatest(i.closed_at, excluded.closed_at), tx = greatest(i.tx, excluded.tx)"""


def assign(conn: sa.Connection, moments: Moments, tx: int) -> dict[Id, Id]:
    """The interaction of each of visits' events, by event key; extends, starts and joins visits."""
    if not moments.events:
        return {}
    known = _known(conn, moments)
    after = {device: revisit(known[device], (at for at, _ in some)) for device, some in moments.by_device.items()}
    _write_visits(conn, after)
    _move_events(conn, after, tx)
    found: dict[Id, Id] = {}
    for device, some in moments.by_device.items():
        found.update(_visiting(device, known[device], after[device], some))
    return found


def write_interactions(conn: sa.Connection, shares: Shares, tx: int) -> None:
    """Add what events add up to, to the parts of their interactions."""
    if shares.columns:
        conn.exec_driver_sql(
            f"""INSERT INTO interactions AS i (tx, identifier_id, interaction_id, {NAMES})
            SELECT %s, n.* FROM unnest(%s, %s{", %s" * len(PART)}) n {SUM}""",
            (tx, *shares.columns),
        )


def write_visiting(conn: sa.Connection, moments: Moments, visits: Mapping[Id, Id], tx: int) -> None:
    """The same of visits' events: in order after all others, as everywhere, so that nobody waits for each other."""
    shares = Shares()
    for one in moments.events:
        shares.add(one, visits[one.key])
    Steps(shares.pack()).whole()
    write_interactions(conn, shares, tx)


def _visiting(
    device: Id, known: Sequence[Visit], change: Visits, moments: Iterable[tuple[datetime, Id]]
) -> dict[Id, Id]:
    """The visit of each of a device's events, by event key."""
    standing = [visit for visit in known if visit not in change.replaced] + change.changed
    ids = [(visit, visit_id(device, visit.started_at)) for visit in standing]
    return {
        key: next(id for visit, id in ids if visit.started_at <= at <= visit.ended_at)
        for at, key in moments
    }  # fmt: skip


def _known(conn: sa.Connection, moments: Moments) -> dict[Id, list[Visit]]:
    """The visits near the moments of each device, whose identifier is locked so that nobody else sorts its visits."""
    devices = sorted(moments.by_device)
    conn.exec_driver_sql(
        "SELECT count(*) FROM (SELECT FROM identifiers WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE) locked",
        (moments.columns[0],),
    )
    near = conn.exec_driver_sql(
        """SELECT place, started_at, ended_at
        FROM unnest(%s, %s, %s) WITH ORDINALITY n(id, since, until, place)
        JOIN visits ON device_id = n.id AND started_at <= until AND ended_at >= since""",
        tuple(moments.columns),
    )
    found: dict[Id, list[Visit]] = {device: [] for device in devices}
    for place, started_at, ended_at in near:
        found[devices[place - 1]].append(Visit(started_at, ended_at))
    return found


def _write_visits(conn: sa.Connection, after: Mapping[Id, Visits]) -> None:
    gone = [
        (device, old.started_at)
        for device, change in after.items()
        for old, new in change.replaced.items()
        if old.started_at != new.started_at
    ]
    if gone:
        devices, starts = zip(*gone, strict=True)
        conn.exec_driver_sql(
            "DELETE FROM visits v USING unnest(%s, %s) g(device_id, started_at) "
            "WHERE v.device_id = g.device_id AND v.started_at = g.started_at",
            (uuids(devices), times(starts)),
        )
    if rows := [(device, *visit) for device, change in after.items() for visit in change.changed]:
        devices, starts, ends = zip(*rows, strict=True)
        conn.exec_driver_sql(
            """INSERT INTO visits SELECT * FROM unnest(%s, %s, %s)
            ON CONFLICT (device_id, started_at) DO UPDATE SET ended_at = excluded.ended_at""",
            (uuids(devices), times(starts), times(ends)),
        )


def _move_events(conn: sa.Connection, after: Mapping[Id, Visits], tx: int) -> None:
    """Where a visit turns out to have begun earlier or to be one with another, its events and parts go along; whoever
    said something in it is marked."""
    moves = {
        visit_id(device, old.started_at): visit_id(device, new.started_at)
        for device, change in after.items()
        for old, new in change.replaced.items()
        if old.started_at != new.started_at
    }
    if not moves:
        return
    there = uuids(moves), uuids(moves.values())
    conn.exec_driver_sql(
        """WITH moved AS (
            UPDATE events e SET interaction_id = m.new_id
            FROM unnest(%s, %s) m(old_id, new_id) JOIN interactions i ON i.interaction_id = m.old_id
            WHERE e.identifier_id = i.identifier_id AND e.interaction_id = m.old_id RETURNING e.identifier_id, e.type)
        INSERT INTO marks (customer_id)
        SELECT DISTINCT customer_id FROM identifiers JOIN moved ON identifier_id = id WHERE moved.type = ANY(%s)""",
        (*there, list(TELLING)),
    )
    sums = """min(source), min(channel), min(conversation), min(started_at), max(last_at),
        sum(events), sum(inbound), sum(outbound), max(last_inbound_at), max(last_outbound_at), max(closed_at)"""
    conn.exec_driver_sql(
        f"""WITH gone AS (
            DELETE FROM interactions i USING unnest(%s, %s) m(old_id, new_id)
            WHERE i.interaction_id = m.old_id RETURNING i.*, m.new_id)
        INSERT INTO interactions AS i (identifier_id, interaction_id, {NAMES}, tx)
        SELECT identifier_id, new_id, {sums}, %s FROM gone GROUP BY identifier_id, new_id {SUM}""",
        (*there, tx),
    )
