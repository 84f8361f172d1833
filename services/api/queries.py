"""Reads of a customer: who they are, why, and how to find them. Run by `AsyncConnection.run_sync`."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.api.answers import (
    ChannelSummary,
    Customer,
    Decision,
    Found,
    Identity,
    KnownIdentifier,
    Link,
    Neighbour,
)
from services.errors import NotFound

Rows = Sequence[Any]  # rows of a query, with its columns as attributes

SETTLED = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"  # all transactions below it are over
WHOLE = f"""
    SELECT mine.*, {SETTLED} AS settled, EXISTS (SELECT FROM marks WHERE marks.customer_id = mine.id) AS pending
    FROM identifiers mine WHERE mine.customer_id IN (SELECT customer_id FROM identifiers WHERE %s)
    ORDER BY mine.first_at, mine.first_key, mine.id"""
MEMBERS, MEMBERS_BY_KEY = sa.text(WHOLE % "id = :asked"), sa.text(WHOLE % "type = :type AND value = :value")
COUNTED, LEAST = 2000, 50  # parts of interactions that figures are made of, and of each identifier at least
NAMES = """
    SELECT name FROM names WHERE identifier_id = ANY(:ids) GROUP BY name ORDER BY max(seen_at) DESC, name"""
CHANNELS = """
    SELECT channel, count(*) AS interactions, sum(events)::bigint AS events, min(first_at) AS first_at,
        max(last_at) AS last_at, bool_or(cut) AS cut
    FROM (
        SELECT min(channel) AS channel, sum(events) AS events, min(started_at) AS first_at,
            max(last_at) AS last_at, bool_or(cut) AS cut
        FROM unnest(CAST(:ids AS uuid[])) mine(id) CROSS JOIN LATERAL (
            SELECT *, count(*) OVER () = :each AS cut FROM (
                SELECT interaction_id, channel, events, started_at, last_at FROM interactions i
                WHERE i.identifier_id = mine.id ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :each) i
        ) part GROUP BY interaction_id) whole
    GROUP BY channel ORDER BY max(last_at) DESC, channel"""
USED = f"ARRAY({NAMES}) AS names, (SELECT json_agg(used) FROM ({CHANNELS}) used) AS channels"
ALL_USED = sa.text(f"SELECT {USED}")
LINKS = sa.text("""
    SELECT left_id, right_id, rule, occurred_at, linked_at, source, event_id, refused FROM links
    WHERE left_id = ANY(:ids) OR right_id = ANY(:ids) ORDER BY occurred_at DESC, event_key DESC LIMIT 1000""")
DECISIONS = sa.text("""
    SELECT left_id, right_id, verdict, author, reason, occurred_at FROM decisions
    WHERE left_id = ANY(:ids) OR right_id = ANY(:ids) ORDER BY occurred_at DESC, event_key DESC""")
# Whoever was taken from another and has no interaction was seen when their newest identifier was first.
LAST_SEEN = sa.text("""
    SELECT mine.customer_id, coalesce(max(part.last_at), max(mine.first_at)) AS last_at
    FROM identifiers mine LEFT JOIN LATERAL (
        SELECT last_at FROM interactions WHERE identifier_id = mine.id ORDER BY last_at DESC LIMIT 1) part ON true
    WHERE mine.customer_id = ANY(:customers) GROUP BY mine.customer_id""")


def members(conn: sa.Connection, asked: UUID) -> Rows:
    """A customer's identifiers, oldest first, by a customer's id of any time. Raises NotFound."""
    found = conn.execute(MEMBERS, {"asked": asked}).all()
    if not found:
        raise NotFound(f"There is no customer {asked}.", code="unknown_customer", hint="Search by an identifier.")
    return found


def members_by_key(conn: sa.Connection, type: str, value: str) -> Rows:
    """The same, by an identifier in any scope; none where it is unknown, shared, or of several customers."""
    found = conn.execute(MEMBERS_BY_KEY, {"type": type, "value": value}).all()
    shared = any(row.shared for row in found if (row.type, row.value) == (type, value))
    return [] if shared or len({row.customer_id for row in found}) > 1 else found


def customer(conn: sa.Connection, asked: UUID) -> Customer:
    """Who a customer is. Raises NotFound."""
    return customer_of(conn, members(conn, asked), asked)


def customer_of(conn: sa.Connection, rows: Rows, asked: UUID) -> Customer:
    """The customer whose identifiers these are."""
    ids = ids_of(rows)
    return described(rows, asked, conn.execute(ALL_USED, {"ids": ids, "each": counted(ids)}).one())


def counted(ids: Sequence[UUID]) -> int:
    """How many parts of interactions of each identifier figures are made of: `each` of USED."""
    return max(LEAST, COUNTED // len(ids))


def described(rows: Rows, asked: UUID, used: Any) -> Customer:
    """The customer whose identifiers these are, by a row with USED."""
    channels = [ChannelSummary.model_validate(channel) for channel in used.channels or ()]
    return Customer(
        id=rows[0].customer_id,
        asked=asked,
        name=next(iter(used.names), None),
        names=used.names,
        identifiers=identifiers_shown(rows),
        channels=channels,
        interactions=sum(channel.interactions for channel in channels),
        events=sum(channel.events for channel in channels),
        at_least=any(channel["cut"] for channel in used.channels or ()),
        first_seen=min([rows[0].first_at, *(channel.first_at for channel in channels)]),
        last_seen=max([rows[-1].first_at, *(channel.last_at for channel in channels)]),
        members=fingerprint(ids_of(rows)),
        live=f"{rows[0].settled - 1}-{UUID(int=2**128 - 1)}",
    )


def identity(conn: sa.Connection, asked: UUID) -> Identity:
    """Why a customer is who they are. Raises NotFound."""
    rows = members(conn, asked)
    ids = ids_of(rows)
    links, decisions = conn.execute(LINKS, {"ids": ids}).all(), conn.execute(DECISIONS, {"ids": ids}).all()
    ends = {end for row in (*links, *decisions) for end in (row.left_id, row.right_id)} - set(ids)
    others = conn.execute(sa.text("SELECT * FROM identifiers WHERE id = ANY(:ids)"), {"ids": list(ends)}).all()
    return Identity(
        customer=rows[0].customer_id,
        identifiers=[Neighbour(**_identifier(row).model_dump(), customer=row.customer_id) for row in (*rows, *others)],
        links=[Link(left=row.left_id, right=row.right_id, **row._mapping) for row in links],
        decisions=[Decision(left=row.left_id, right=row.right_id, **row._mapping) for row in decisions],
    )


def overviews(conn: sa.Connection, customers: Sequence[UUID]) -> list[Found]:
    """Several customers in short, in the order given; ids that are no customer's now are left out."""
    asked = {"customers": list(customers)}
    seen = {row.customer_id: row.last_at for row in conn.execute(LAST_SEEN, asked)}
    owned: dict[UUID, list[Any]] = {}
    query = "SELECT * FROM identifiers WHERE customer_id = ANY(:customers) ORDER BY first_at, first_key, id"
    for row in conn.execute(sa.text(query), asked):
        owned.setdefault(row.customer_id, []).append(row)
    owner = {row.id: id for id, rows in owned.items() for row in rows}
    names: dict[UUID, str] = {}
    query = "SELECT identifier_id, name FROM names WHERE identifier_id = ANY(:ids) ORDER BY seen_at, name"
    for row in conn.execute(sa.text(query), {"ids": list(owner)}):
        names[owner[row.identifier_id]] = row.name
    return [
        Found(
            id=id,
            name=names.get(id),
            identifiers=identifiers_shown(owned[id]),
            last_seen=seen.get(id, owned[id][-1].first_at),
        )
        for id in customers
        if id in owned
    ]


def fingerprint(ids: Iterable[UUID]) -> str:
    """A short word that is another whenever the set of identifiers is."""
    return hashlib.blake2b(b"".join(sorted(id.bytes for id in ids)), digest_size=8).hexdigest()


def ids_of(rows: Rows) -> list[UUID]:
    """The ids of identifiers."""
    return [row.id for row in rows]


def identifiers_shown(rows: Rows) -> list[KnownIdentifier]:
    """Identifiers as they are shown."""
    return [_identifier(row) for row in rows]


def _identifier(row: Any) -> KnownIdentifier:
    return KnownIdentifier(
        id=row.id,
        type=row.type,
        scope=row.scope,
        value=row.value,
        verification=row.verification,
        shared=row.shared,
        first_seen=row.first_at,
    )
