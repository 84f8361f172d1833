"""Whom a batch of events names, into the database: identifiers, conversations, links, decisions; then who is who."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.event import Verification
from services.identifiers import SURENESS, Key, Rules, identifier_id
from services.timeline.arrivals import Arrival, alias, links, stand_in, verdict
from services.timeline.bulk import optional_uuids, texts, times, uuids
from services.timeline.crowds import refuse
from services.timeline.identity import Age, Decision, Id, Link
from services.timeline.parts import Changed, settle


def identify(conn: sa.Connection, fresh: Sequence[Arrival], rules: Rules, secret: bytes) -> Changed:
    """Write what events, in order of age, say about who is who; what became another thereby."""
    named, joined, decided = _Named(secret), list[Link](), list[Decision]()
    for one in fresh:
        named.add(one)
        if len(one.named) > 1:
            joined += links(one)
        if before := alias(one, rules):
            joined.append(Link(*one.age, one.anchor, named.mention(before, one.age), "alias"))
        if said := verdict(one):
            word, left, right = said
            decided.append(Decision(*one.age, named.mention(left, one.age), named.mention(right, one.age), word))
    joined += _followers(conn, fresh, secret)
    seeds = _write_identifiers(conn, named.rows)
    added = _write_links(conn, joined, fresh)
    seeds |= refuse(conn, added, rules)
    _write_decisions(conn, decided, fresh)
    seeds |= {end for word in decided for end in (word.left, word.right)}
    moved, touched = settle(conn, seeds, rules.limit) if seeds else Changed()
    ends = {end for link in added for end in (link.left, link.right)}
    return Changed(moved, touched | ends | {end for word in decided for end in (word.left, word.right)})


class _Named:
    """The identifiers of a batch: each with its best verification and its age."""

    def __init__(self, secret: bytes) -> None:
        self.rows: dict[Id, tuple[Key, Verification, Age]] = {}
        self._secret = secret

    def add(self, one: Arrival) -> None:
        """Note whom an event names."""
        for id, (key, sure) in one.named.items():
            self._note(id, key, sure, one.age)

    def mention(self, key: Key, age: Age) -> Id:
        """Note an identifier that somebody speaks of; its id."""
        id = identifier_id(key, self._secret)
        self._note(id, key, Verification.observed, age)
        return id

    def _note(self, id: Id, key: Key, sure: Verification, age: Age) -> None:
        _, best, first = self.rows.get(id, (key, sure, age))
        self.rows[id] = key, max(best, sure, key=SURENESS.index), min(first, age)


def _write_identifiers(conn: sa.Connection, named: Mapping[Id, tuple[Key, Verification, Age]]) -> set[Id]:
    """Add identifiers and correct known ones; those whose age changed, which may make another the oldest."""
    ids = sorted(named)
    kinds, scopes, values = (texts(column) for column in zip(*(named[id][0] for id in ids), strict=True))
    sure, at = texts(named[id][1].value for id in ids), times(named[id][2].at for id in ids)
    first = uuids(named[id][2].key for id in ids)
    conn.exec_driver_sql(
        """
        INSERT INTO identifiers (id, type, scope, value, verification, first_at, first_key, customer_id)
        SELECT n.*, n.id FROM unnest(%s, %s, %s, %s, %s, %s, %s)
            n(id, type, scope, value, verification, first_at, first_key)
        WHERE NOT EXISTS (SELECT FROM identifiers i WHERE i.id = n.id) ON CONFLICT DO NOTHING""",
        (uuids(ids), kinds, scopes, values, sure, at, first),
    )
    changed = conn.exec_driver_sql(
        """
        UPDATE identifiers i SET first_at = least(i.first_at, n.at),
            first_key = CASE WHEN (n.at, n.key) < (i.first_at, i.first_key) THEN n.key ELSE i.first_key END,
            verification = CASE WHEN n.verification = 'verified' OR i.verification = 'observed'
                THEN n.verification ELSE i.verification END
        FROM unnest(%s, %s, %s, %s) n(id, verification, at, key)
        WHERE n.id = i.id AND ((n.at, n.key) < (i.first_at, i.first_key) OR n.verification <> i.verification
            AND (n.verification = 'verified' OR i.verification = 'observed'))
        RETURNING uuid_send(i.id) AS id, (i.first_at, i.first_key) = (n.at, n.key) AS older""",
        (uuids(ids), sure, at, first),
    )
    return {row.id for row in changed if row.older}


def _followers(conn: sa.Connection, fresh: Sequence[Arrival], secret: bytes) -> list[Link]:
    """Links from the first named party of a conversation to the stand-in for those of its events that name nobody."""
    talks: dict[Id, tuple[Arrival, Id | None, Age | None, bool]] = {}
    for one in fresh:
        if one.interaction and one.event.conversation:
            _, party, age, unnamed = talks.get(one.interaction, (one, None, None, False))
            if not one.unnamed and age is None:
                party, age = one.anchor, one.age
            talks[one.interaction] = one, party, age, unnamed or one.unnamed
    ids = sorted(talks)
    if not ids:
        return []
    ages = [talks[id][2] for id in ids]
    conn.exec_driver_sql(
        """
        INSERT INTO conversations AS c SELECT * FROM unnest(%s, %s, %s, %s, %s::bool[])
        ON CONFLICT (interaction_id) DO UPDATE
        SET identifier_id = excluded.identifier_id, first_at = excluded.first_at, first_key = excluded.first_key
        WHERE c.first_at IS NULL OR (excluded.first_at, excluded.first_key) < (c.first_at, c.first_key)""",
        (
            uuids(ids), optional_uuids(talks[id][1] for id in ids), times(age and age.at for age in ages),
            optional_uuids(age and age.key for age in ages), [talks[id][3] for id in ids],
        ),
    )  # fmt: skip
    conn.exec_driver_sql(
        "UPDATE conversations SET unnamed = true WHERE interaction_id = ANY(%s) AND NOT unnamed",
        (uuids(id for id in ids if talks[id][3]),),
    )
    found = conn.exec_driver_sql(
        """
        SELECT first_at, uuid_send(first_key) AS key, uuid_send(identifier_id) AS party, uuid_send(interaction_id) AS id
        FROM conversations WHERE interaction_id = ANY(%s) AND unnamed AND identifier_id IS NOT NULL""",
        (uuids(ids),),
    )
    return [
        Link(row.first_at, row.key, row.party, stand_in(talks[row.id][0].event, secret), "conversation")
        for row in found
    ]


def _write_links(conn: sa.Connection, joined: Iterable[Link], fresh: Sequence[Arrival]) -> list[Link]:
    """Append links that are new or earlier than known; those."""
    first: dict[tuple[Id, Id, str], Link] = {}
    for link in joined:
        name = link.left, link.right, link.rule
        first[name] = min(first.get(name, link), link)
    if not first:
        return []
    new = sorted(first.values(), key=lambda link: (link.left, link.right))
    origin = {one.key: (one.event.source, one.event.id) for one in fresh}
    sources, ids = (texts(column) for column in zip(*(origin.get(one.key, (None, None)) for one in new), strict=True))
    # A link that an earlier batch's event makes: that event is stored on the left end.
    added = conn.exec_driver_sql(
        """
        INSERT INTO links (left_id, right_id, occurred_at, event_key, rule, source, event_id)
        SELECT left_id, right_id, at, key, rule, coalesce(n.source, e.source, ''), coalesce(n.event_id, e.event_id, '')
        FROM unnest(%s, %s, %s, %s, %s, %s, %s) n(left_id, right_id, at, key, rule, source, event_id)
        LEFT JOIN events e ON n.source IS NULL AND (e.identifier_id, e.occurred_at, e.event_key) = (left_id, at, key)
        WHERE NOT EXISTS (
            SELECT FROM links l WHERE l.left_id = n.left_id AND l.right_id = n.right_id AND l.rule = n.rule
            AND (l.occurred_at, l.event_key) <= (n.at, n.key))
        ON CONFLICT DO NOTHING RETURNING uuid_send(left_id) AS left, uuid_send(right_id) AS right, rule""",
        (
            uuids(link.left for link in new), uuids(link.right for link in new), times(link.at for link in new),
            uuids(link.key for link in new), texts(link.rule for link in new), sources, ids,
        ),
    )  # fmt: skip
    return [first[row.left, row.right, row.rule] for row in added]


def _write_decisions(conn: sa.Connection, decided: Sequence[Decision], fresh: Iterable[Arrival]) -> None:
    """Append what people decided, with who and why."""
    events = {one.key: one.event for one in fresh} if decided else {}
    for one in decided:
        author = events[one.key].author
        ids = (UUID(bytes=id) for id in (one.key, one.left, one.right))
        conn.exec_driver_sql(
            "INSERT INTO decisions (occurred_at, event_key, left_id, right_id, verdict, author, reason) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (one.at, *ids, one.verdict, author and (author.name or author.id), events[one.key].data.get("reason")),
        )
