"""A customer's timeline: pages by keyset over the identifiers, the same speed at any depth."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.api.answers import Happening, Interaction
from services.api.descriptions import describe, describe_interaction
from services.errors import Invalid

EVENT = "e.event_key, e.interaction_id, e.occurred_at, e.event"

# The newest interactions by the part with the greatest `last_at`, of which there is one; %s: further conditions.
INTERACTIONS = """
    SELECT part.interaction_id, part.last_at FROM unnest(CAST(:ids AS uuid[])) mine(id) CROSS JOIN LATERAL (
        SELECT i.interaction_id, i.last_at FROM interactions i
        WHERE i.identifier_id = mine.id AND (i.last_at, i.interaction_id) < (CAST(:at AS timestamptz), :key) %s
        AND NOT EXISTS (
            SELECT FROM interactions o WHERE o.interaction_id = i.interaction_id AND o.identifier_id = ANY(:ids)
            AND (o.last_at, o.identifier_id) > (i.last_at, i.identifier_id))
        ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :limit
    ) part ORDER BY part.last_at DESC, part.interaction_id DESC LIMIT :limit"""
# Any of its parts may hold the event that is looked for.
MATCHING = """EXISTS (
    SELECT FROM interactions p JOIN events e USING (identifier_id, interaction_id)
    WHERE p.interaction_id = i.interaction_id AND p.identifier_id = ANY(:ids) AND %s)"""
EVENTS = f"""
    SELECT one.* FROM unnest(CAST(:ids AS uuid[])) mine(id) CROSS JOIN LATERAL (
        SELECT {EVENT} FROM events e
        WHERE e.identifier_id = mine.id AND (e.occurred_at, e.event_key) < (CAST(:at AS timestamptz), :key) %s
        ORDER BY e.occurred_at DESC, e.event_key DESC LIMIT :limit
    ) one ORDER BY one.occurred_at DESC, one.event_key DESC LIMIT :limit"""
SUMS = sa.text("""
    SELECT interaction_id AS id, min(source) AS source, min(channel) AS channel, min(conversation) AS conversation,
        min(started_at) AS started_at, max(last_at) AS last_at, sum(events)::bigint AS events,
        sum(inbound)::bigint AS inbound, sum(outbound)::bigint AS outbound,
        max(last_inbound_at) AS last_inbound_at, max(last_outbound_at) AS last_outbound_at,
        max(closed_at) AS closed_at
    FROM interactions WHERE identifier_id = ANY(:ids) AND interaction_id = ANY(:interactions)
    GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC""")
# Of each part the newest events, and the oldest where asked: what a call was about is said at its start.
ITEMS = sa.text(f"""
    SELECT DISTINCT ON (one.occurred_at, one.event_key) one.* FROM interactions part CROSS JOIN LATERAL (
        (SELECT {EVENT} FROM events e
         WHERE e.identifier_id = part.identifier_id AND e.interaction_id = part.interaction_id
         ORDER BY e.occurred_at DESC, e.event_key DESC LIMIT :newest)
        UNION ALL
        (SELECT {EVENT} FROM events e
         WHERE e.identifier_id = part.identifier_id AND e.interaction_id = part.interaction_id
         ORDER BY e.occurred_at, e.event_key LIMIT :oldest)
    ) one WHERE part.identifier_id = ANY(:ids) AND part.interaction_id = ANY(:interactions)
    ORDER BY one.occurred_at, one.event_key""")


class Cursor(NamedTuple):
    """A place on a timeline: everything older comes next. Opaque to callers."""

    at: str = "infinity"
    key: UUID = UUID(int=2**128 - 1)

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(f"{self.at}|{self.key}".encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises Invalid with code bad_cursor."""
        try:
            decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
            at, _, key = decoded.partition("|")
            return cls(datetime.fromisoformat(at).isoformat(), UUID(key))
        except (binascii.Error, ValueError):
            raise Invalid(
                "This cursor is none of ours.",
                code="bad_cursor",
                hint="Send `next` of the page before, unchanged.",
            ) from None


@dataclass(frozen=True)
class Filters:
    """What to show of a timeline; empty: everything. Of interactions, those with at least one such event."""

    channels: Sequence[str] = ()
    types: Sequence[str] = ()
    direction: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None
    interaction: UUID | None = None

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """SQL conditions on an event `e`, without the channel, and their parameters."""
        like = self.q and "%" + self.q.translate({ord(sign): f"\\{sign}" for sign in "\\%_"}) + "%"
        wanted = {
            "e.type = ANY(:types)": ("types", list(self.types)),
            "e.direction = :direction": ("direction", self.direction),
            "e.occurred_at >= :since": ("since", self.since),
            "e.occurred_at < :until": ("until", self.until),
            "(e.event->'data'->>'text' ILIKE :q OR e.event->'data'->>'subject' ILIKE :q)": ("q", like),
            "e.interaction_id = :interaction": ("interaction", self.interaction),
        }
        found = {condition: pair for condition, pair in wanted.items() if pair[1]}
        return list(found), {**dict(found.values()), "channels": list(self.channels)}


@dataclass(frozen=True)
class Page:
    """A page and where the next, older one starts; None at the end."""

    items: list[Any] = field(default_factory=list)
    next: Cursor | None = None


def interactions_page(
    conn: sa.Connection, ids: Sequence[UUID], filters: Filters, cursor: Cursor, limit: int, newest: int = 20
) -> Page:
    """A customer's interactions by their last event, newest first, each with its `newest` events, oldest first."""
    conditions, parameters = filters.conditions()
    further = ["i.channel = ANY(:channels)"] if filters.channels else []
    if filters.since:
        further.append("i.last_at >= :since")
    if conditions:
        further.append(MATCHING % " AND ".join(conditions))
    query = INTERACTIONS % "".join(f" AND {one}" for one in further)
    rows = _rows(conn, query, parameters, ids, cursor, limit)
    items = interactions(conn, ids, [row.interaction_id for row in rows[:limit]], newest)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(items, last and Cursor(last.last_at.isoformat(), last.interaction_id))


def events_page(conn: sa.Connection, ids: Sequence[UUID], filters: Filters, cursor: Cursor, limit: int) -> Page:
    """A customer's events, newest first."""
    conditions, parameters = filters.conditions()
    if filters.channels:
        conditions.append("e.channel = ANY(:channels)")
    query = EVENTS % "".join(f" AND {one}" for one in conditions)
    rows = _rows(conn, query, parameters, ids, cursor, limit)
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(list(map(happening, rows[:limit])), last and Cursor(last.occurred_at.isoformat(), last.event_key))


def interactions(
    conn: sa.Connection, ids: Sequence[UUID], wanted: Sequence[UUID], newest: int, oldest: int = 0
) -> list[Interaction]:
    """These interactions of a customer, newest first, with their newest and oldest events in order of time."""
    asked = {"ids": list(ids), "interactions": list(wanted), "newest": newest, "oldest": oldest}
    items: dict[UUID, list[Happening]] = {id: [] for id in wanted}
    for row in conn.execute(ITEMS, asked) if wanted else ():
        items[row.interaction_id].append(happening(row))
    sums = conn.execute(SUMS, asked).all() if wanted else ()
    return [_interaction(row, items[row.id], newest, oldest) for row in sums]


def happening(row: Any) -> Happening:
    """A row of events as it is shown."""
    return Happening(key=row.event_key, interaction=row.interaction_id, summary=describe(row.event), event=row.event)


def _interaction(row: Any, items: list[Happening], newest: int, oldest: int) -> Interaction:
    if len(items) > newest + oldest:  # several identifiers' parts brought as many each
        items = [*items[:oldest], *items[-newest:]]
    summary = describe_interaction(row.channel, row.events, [item.event for item in items])
    return Interaction(**row._mapping, summary=summary, items=items)


def _rows(
    conn: sa.Connection,
    query: str,
    parameters: dict[str, Any],
    ids: Sequence[UUID],
    cursor: Cursor,
    limit: int,
) -> Sequence[Any]:
    """The rows of a page and one more, by which the end is seen."""
    asked = parameters | {"ids": list(ids), **cursor._asdict(), "limit": limit + 1}
    return conn.execute(sa.text(query), asked).all()
