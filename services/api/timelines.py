"""A customer's timeline: pages by keyset over the identifiers, the same speed at any depth."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from services.api.answers import Happening, Interaction
from services.api.contacts import joined
from services.api.oddities import marks
from services.api.revisions import applied
from services.errors import Invalid

Row = Mapping[Any, Any]  # by column

EVENT = "e.event_key, e.interaction_id, e.occurred_at, e.event"

# What each identifier has from its place on, newest first: what fits, and the last that was looked at, with how many.
SCAN = """
    SELECT mine.id AS mine, one.* FROM
    unnest(CAST(:mine AS uuid[]), CAST(:ats AS timestamptz[]), CAST(:keys AS uuid[])) mine(id, at, key)
    CROSS JOIN LATERAL (%s) one WHERE one.fits OR one.place = one.scanned"""
# An interaction is met at the part with the greatest `last_at`, of which there is one.
INTERACTIONS = (
    SCAN
    % """
    SELECT i.last_at AS at, i.interaction_id AS key, %s NOT EXISTS (
            SELECT FROM interactions o WHERE o.interaction_id = i.interaction_id AND o.identifier_id = ANY(:ids)
            AND (o.last_at, o.identifier_id) > (i.last_at, i.identifier_id)) %s AS fits,
        row_number() OVER (ORDER BY i.last_at DESC, i.interaction_id DESC) AS place, count(*) OVER () AS scanned
    FROM (
        SELECT * FROM interactions i
        WHERE i.identifier_id = mine.id AND (i.last_at, i.interaction_id) < (mine.at, mine.key) %s
        ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :each) i"""
)
# Any of its parts may hold the event that is looked for.
MATCHING = """EXISTS (
    SELECT FROM interactions p JOIN events e USING (identifier_id, interaction_id)
    WHERE p.interaction_id = i.interaction_id AND p.identifier_id = ANY(:ids) AND %s)"""
EVENTS = (
    SCAN
    % """
    SELECT e.occurred_at AS at, e.event_key AS key, e.event_key, e.interaction_id, e.occurred_at, e.event, %s AS fits,
        row_number() OVER (ORDER BY e.occurred_at DESC, e.event_key DESC) AS place, count(*) OVER () AS scanned
    FROM (
        SELECT * FROM events e
        WHERE e.identifier_id = mine.id AND (e.occurred_at, e.event_key) < (mine.at, mine.key) %s
        ORDER BY e.occurred_at DESC, e.event_key DESC LIMIT :each) e"""
)
# How many rows one page may look at, so that it takes no longer however rare what is looked for.
EVENTS_LOOKED_AT, PARTS_LOOKED_AT, PARTS_LOOKED_INTO = 3000, 3000, 400
SPARE = 4  # rows of each identifier beyond twice its share of a page: who has more than that is asked again
# Of each part the newest events, and the oldest where asked: what a call was about is said at its start. An
# interaction comes with its events as one JSON: a statement more costs more than all of its rows.
DEALT = f"""
    SELECT whole.*, (
        SELECT json_agg(item ORDER BY occurred_at, event_key) FROM (
            SELECT DISTINCT ON (one.occurred_at, one.event_key) one.*,
                (SELECT count(*) FROM conflicts c WHERE c.event_key = one.event_key) AS conflicts
            FROM interactions part CROSS JOIN LATERAL (
                (SELECT {EVENT} FROM events e
                 WHERE e.identifier_id = part.identifier_id AND e.interaction_id = part.interaction_id
                 ORDER BY e.occurred_at DESC, e.event_key DESC LIMIT :newest)
                UNION ALL
                (SELECT {EVENT} FROM events e
                 WHERE e.identifier_id = part.identifier_id AND e.interaction_id = part.interaction_id
                 AND part.events > :newest ORDER BY e.occurred_at, e.event_key LIMIT :oldest)
            ) one WHERE part.identifier_id = ANY(:ids) AND part.interaction_id = whole.id) item) AS items
    FROM (
        SELECT interaction_id AS id, min(source) AS source, min(channel) AS channel, min(conversation) AS conversation,
            min(started_at) AS started_at, max(last_at) AS last_at, sum(events)::bigint AS events,
            sum(inbound)::bigint AS inbound, sum(outbound)::bigint AS outbound,
            max(last_inbound_at) AS last_inbound_at, max(last_outbound_at) AS last_outbound_at,
            max(closed_at) AS closed_at
        FROM interactions WHERE identifier_id = ANY(:ids) AND interaction_id = ANY(%s) GROUP BY interaction_id) whole
    ORDER BY last_at DESC, id DESC"""
DEALT_BY_ID = sa.text(DEALT % "CAST(:interactions AS uuid[])")
CONFLICTS = sa.text("SELECT event_key, count(*) AS number FROM conflicts WHERE event_key = ANY(:keys) GROUP BY 1")


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

    def range(self, row: str, at: str) -> str:
        """SQL conditions by which an index finds `row`s, whose time is the column `at`."""
        interaction = f"AND {row}.interaction_id = :interaction" if self.interaction else ""
        return f"{interaction} AND {row}.{at} >= :since" if self.since else interaction

    def conditions(self) -> list[str]:
        """SQL conditions on an event `e`, without those of channel and interaction."""
        wanted = {
            "e.type = ANY(:types)": self.types,
            "e.direction = :direction": self.direction,
            "e.occurred_at >= :since": self.since,
            "e.occurred_at < :until": self.until,
            "(e.event->'data'->>'text' ILIKE :q OR e.event->'data'->>'subject' ILIKE :q)": self.q,
        }
        return [condition for condition, value in wanted.items() if value]

    def parameters(self) -> dict[str, Any]:
        """What all these conditions speak of."""
        like = self.q and "%" + self.q.translate({ord(sign): f"\\{sign}" for sign in "\\%_"}) + "%"
        lists = {"types": list(self.types), "channels": list(self.channels)}
        return {**vars(self), **lists, "q": like}


@dataclass(frozen=True)
class Page:
    """A page and where the next, older one starts; None at the end. Where little fits it may hold few or none and go
    on nevertheless: it looked at as much as one page may."""

    items: list[Any] = field(default_factory=list)
    next: Cursor | None = None


def interactions_page(
    conn: sa.Connection, ids: Sequence[UUID], filters: Filters, cursor: Cursor, limit: int, newest: int = 20
) -> Page:
    """A customer's interactions by their last event, newest first, each with its `newest` events, oldest first."""
    conditions = filters.conditions()
    channel = "i.channel = ANY(:channels) AND" if filters.channels else ""
    matching = f"AND {MATCHING % ' AND '.join(conditions)}" if conditions else ""
    query = INTERACTIONS % (channel, matching, filters.range("i", "last_at"))
    budget = PARTS_LOOKED_INTO if conditions else PARTS_LOOKED_AT
    rows, place = _scan(conn, query, filters.parameters(), ids, cursor, limit, budget)
    return Page(interactions(conn, ids, [row.key for row in rows], newest), place)


def events_page(conn: sa.Connection, ids: Sequence[UUID], filters: Filters, cursor: Cursor, limit: int) -> Page:
    """A customer's events, newest first."""
    conditions = filters.conditions()
    if filters.channels:
        conditions.append("e.channel = ANY(:channels)")
    until = "AND e.occurred_at < :until" if filters.until else ""
    query = EVENTS % (" AND ".join(conditions) or "true", f"{filters.range('e', 'occurred_at')} {until}")
    rows, place = _scan(conn, query, filters.parameters(), ids, cursor, limit, EVENTS_LOOKED_AT)
    return Page(_happenings(conn, ids, rows), place)


def interactions(
    conn: sa.Connection, ids: Sequence[UUID], wanted: Sequence[UUID], newest: int, oldest: int = 0
) -> list[Interaction]:
    """These interactions of a customer, newest first, with their newest and oldest events in order of time."""
    asked = {"ids": list(ids), "interactions": list(wanted), "newest": newest, "oldest": oldest}
    return shown(conn, ids, conn.execute(DEALT_BY_ID, asked).mappings().all() if wanted else (), newest, oldest)


def shown(conn: sa.Connection, ids: Sequence[UUID], rows: Sequence[Row], newest: int, oldest: int) -> list[Interaction]:
    """Rows of DEALT, as columns or from JSON, as they are shown."""
    items: dict[UUID, list[Happening]] = defaultdict(list)
    for item in joined(conn, ids, [happening(item, item["conflicts"]) for row in rows for item in row["items"] or ()]):
        items[item.interaction].append(item)
    return [_interaction(row, items[UUID(str(row["id"]))], newest, oldest) for row in rows]


def happening(row: Row, conflicts: int = 0) -> Happening:
    """A row of events as it is shown; `conflicts`: how many other contents came under its id."""
    event = row["event"]
    words = marks(event, conflicts)
    return Happening(key=row["event_key"], interaction=row["interaction_id"], event=event, marks=words)


def _happenings(conn: sa.Connection, ids: Sequence[UUID], rows: Sequence[Any]) -> list[Happening]:
    keys = {"keys": [row.event_key for row in rows]}
    found = {row.event_key: row.number for row in conn.execute(CONFLICTS, keys)}
    return joined(conn, ids, [happening(row._mapping, found.get(row.event_key, 0)) for row in rows])


def _interaction(row: Row, items: list[Happening], newest: int, oldest: int) -> Interaction:
    items = applied(items)
    if len(items) > newest + oldest:  # several identifiers' parts brought as many each
        items = [*items[:oldest], *items[-newest:]]
    return Interaction(**{**row, "items": items})


def _scan(
    conn: sa.Connection,
    query: str,
    parameters: dict[str, Any],
    ids: Sequence[UUID],
    cursor: Cursor,
    limit: int,
    budget: int,
) -> tuple[list[Any], Cursor | None]:
    """The newest rows that fit, at most `limit`, and where to go on; None when everything was looked at.

    Each identifier is read from its own place on, the newest places first, until there are enough or `budget` rows
    were looked at. What is newer than all places is whole.
    """
    places: dict[UUID, tuple[Any, UUID]] = dict.fromkeys(ids, (cursor.at, cursor.key))
    share = SPARE + 2 * (limit + 1) // len(ids)  # of a page, which all identifiers fill together
    asked, each, found = list(places), max(2, min(limit + 1, share, budget // len(ids) // 4)), list[Any]()
    while True:
        here = {"mine": asked, "ats": [places[id][0] for id in asked], "keys": [places[id][1] for id in asked]}
        rows = conn.execute(sa.text(query), {**parameters, **here, "ids": list(ids), "each": each}).all()
        ends = {row.mine: row for row in rows if row.place == row.scanned}
        for id in asked:
            if id in ends and ends[id].scanned == each:
                places[id] = ends[id].at, ends[id].key
            else:
                del places[id]
        found += [row for row in rows if row.fits]
        budget -= sum(row.scanned for row in ends.values())
        horizon = max(places.values(), default=None)
        whole = sorted((row for row in found if not horizon or (row.at, row.key) >= horizon), key=_place, reverse=True)
        if len(whole) > limit:
            return whole[:limit], Cursor(whole[limit - 1].at.isoformat(), whole[limit - 1].key)
        if not horizon or budget <= 0:
            return whole, horizon and Cursor(horizon[0].isoformat(), horizon[1])
        asked = sorted(places, key=lambda id: places[id], reverse=True)[: (len(places) + 1) // 2]
        each = max(2, min(each * 2, budget // len(asked)))


def _place(row: Any) -> tuple[datetime, UUID]:
    return row.at, row.key
