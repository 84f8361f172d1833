"""Whom a batch of events names, into the database: identifiers, conversations, links, decisions; then who is who."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.event import Verification
from services.identifiers import SURENESS, Key, Rules, identifier_id
from services.timeline.arrivals import Arrival, alias, links, stand_in, verdict
from services.timeline.bulk import copy
from services.timeline.identity import Age, Decision, Link
from services.timeline.parts import settle


def identify(conn: sa.Connection, fresh: Sequence[Arrival], rules: Rules, secret: bytes) -> dict[UUID, UUID]:
    """Write what events, in order of age, say about who is who; the identifiers that moved, and whom they left."""
    named, joined, decided = _Named(secret), [link for one in fresh for link in links(one)], list[Decision]()
    for one in fresh:
        named.add(one)
        if before := alias(one, rules):
            joined.append(Link(*one.age, one.anchor, named.mention(before, one.age), "alias"))
        if said := verdict(one):
            word, left, right = said
            decided.append(Decision(*one.age, named.mention(left, one.age), named.mention(right, one.age), word))
    seeds = _write_identifiers(conn, named.rows)
    seeds |= _write_links(conn, joined + _followers(conn, fresh, secret), fresh)
    _write_decisions(conn, decided, fresh)
    seeds |= {end for word in decided for end in (word.left, word.right)}
    return settle(conn, seeds, rules.limit) if seeds else {}


class _Named:
    """Each identifier of a batch with its best verification and its age."""

    def __init__(self, secret: bytes) -> None:
        self.rows: dict[UUID, tuple[Key, Verification, Age]] = {}
        self._secret = secret

    def add(self, one: Arrival) -> None:
        """Note whom an event names."""
        for id, (key, sure) in one.named.items():
            self._note(id, key, sure, one.age)

    def mention(self, key: Key, age: Age) -> UUID:
        """Note an identifier that somebody speaks of; its id."""
        id = identifier_id(key, self._secret)
        self._note(id, key, Verification.observed, age)
        return id

    def _note(self, id: UUID, key: Key, sure: Verification, age: Age) -> None:
        _, best, first = self.rows.get(id, (key, sure, age))
        self.rows[id] = key, max(best, sure, key=SURENESS.index), min(first, age)


def _write_identifiers(conn: sa.Connection, named: Mapping[UUID, tuple[Key, Verification, Age]]) -> set[UUID]:
    """Add identifiers and correct known ones; those whose age changed, which may make another the oldest."""
    columns = "id uuid, type text, scope text, value text, verification text, first_at timestamptz, first_key uuid"
    copy(conn, "naming", columns, ((id, *key, sure.value, *age) for id, (key, sure, age) in named.items()))
    conn.exec_driver_sql("""
        INSERT INTO identifiers (id, type, scope, value, verification, first_at, first_key, customer_id)
        SELECT n.*, n.id FROM naming n WHERE NOT EXISTS (SELECT FROM identifiers i WHERE i.id = n.id)
        ORDER BY n.id ON CONFLICT DO NOTHING""")
    conn.exec_driver_sql("""
        UPDATE identifiers i SET verification = n.verification FROM naming n
        WHERE n.id = i.id AND n.verification <> i.verification
            AND (n.verification = 'verified' OR i.verification = 'observed')""")
    older = conn.exec_driver_sql("""
        UPDATE identifiers i SET first_at = n.first_at, first_key = n.first_key FROM naming n
        WHERE n.id = i.id AND (n.first_at, n.first_key) < (i.first_at, i.first_key) RETURNING i.id""")
    return {row.id for row in older}


def _followers(conn: sa.Connection, fresh: Sequence[Arrival], secret: bytes) -> list[Link]:
    """Links from the first named party of a conversation to the stand-in for those of its events that name nobody."""
    talks: dict[UUID, tuple[UUID | None, UUID | None, Age | None, bool]] = {}
    for one in fresh:
        if one.interaction and (follower := stand_in(one, secret)):
            _, party, age, unnamed = talks.get(one.interaction, (follower, None, None, False))
            if not one.unnamed and age is None:
                party, age = one.anchor, one.age
            talks[one.interaction] = follower, party, age, unnamed or one.unnamed
    columns = "interaction_id uuid, identifier_id uuid, first_at timestamptz, first_key uuid, unnamed bool"
    rows = ((id, party, *(age or (None, None)), unnamed) for id, (_, party, age, unnamed) in talks.items())
    copy(conn, "talking", columns, rows)
    conn.exec_driver_sql("""
        INSERT INTO conversations AS c SELECT * FROM talking ORDER BY interaction_id
        ON CONFLICT (interaction_id) DO UPDATE
        SET identifier_id = excluded.identifier_id, first_at = excluded.first_at, first_key = excluded.first_key
        WHERE c.first_at IS NULL OR (excluded.first_at, excluded.first_key) < (c.first_at, c.first_key)""")
    conn.exec_driver_sql("""
        UPDATE conversations c SET unnamed = true FROM talking t
        WHERE t.interaction_id = c.interaction_id AND t.unnamed AND NOT c.unnamed""")
    known = conn.exec_driver_sql("""
        SELECT c.* FROM conversations c JOIN talking USING (interaction_id)
        WHERE c.unnamed AND c.identifier_id IS NOT NULL""")
    return [
        Link(row.first_at, row.first_key, row.identifier_id, follower, "conversation")
        for row in known
        if (follower := talks[row.interaction_id][0])
    ]


def _write_links(conn: sa.Connection, joined: Iterable[Link], fresh: Sequence[Arrival]) -> set[UUID]:
    """Append links that are new or earlier than known; the identifiers that they touch."""
    first: dict[tuple[UUID, UUID, str], Link] = {}
    for link in joined:
        name = link.left, link.right, link.rule
        first[name] = min(first.get(name, link), link)
    origin = {one.key: (one.event.source, one.event.id) for one in fresh}
    columns = "left_id uuid, right_id uuid, at timestamptz, key uuid, rule text, source text, event_id text"
    rows = ((one.left, one.right, one.at, one.key, one.rule, *origin.get(one.key, ("", ""))) for one in first.values())
    copy(conn, "linking", columns, rows)
    # A link that an earlier batch's event makes: that event is stored on the left end.
    added = conn.exec_driver_sql("""
        INSERT INTO links (left_id, right_id, occurred_at, event_key, rule, source, event_id)
        SELECT left_id, right_id, at, key, rule, coalesce(e.source, n.source), coalesce(e.event_id, n.event_id)
        FROM linking n LEFT JOIN events e ON (e.identifier_id, e.occurred_at, e.event_key) = (left_id, at, key)
        WHERE NOT EXISTS (
            SELECT FROM links l WHERE l.left_id = n.left_id AND l.right_id = n.right_id AND l.rule = n.rule
            AND (l.occurred_at, l.event_key) <= (n.at, n.key))
        ORDER BY left_id, right_id ON CONFLICT DO NOTHING RETURNING left_id, right_id""")
    return {end for row in added for end in (row.left_id, row.right_id)}


def _write_decisions(conn: sa.Connection, decided: Iterable[Decision], fresh: Iterable[Arrival]) -> None:
    """Append what people decided, with who and why."""
    events = {one.key: one.event for one in fresh}
    for one in decided:
        author = events[one.key].author
        conn.exec_driver_sql(
            "INSERT INTO decisions (occurred_at, event_key, left_id, right_id, verdict, author, reason) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (*one, author and (author.name or author.id), events[one.key].data.get("reason")),
        )
