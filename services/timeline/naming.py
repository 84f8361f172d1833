"""Whom a batch of events names, into the database: identifiers, conversations, links, decisions; then who is who."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from schemas.event import Event
from services.identifiers import Rules
from services.timeline.arrivals import stand_in
from services.timeline.bulk import Array
from services.timeline.crowds import refuse
from services.timeline.identity import Decision, Id, Link
from services.timeline.parts import Changed, settle
from services.timeline.said import Linked, Said
from services.timeline.steps import Steps


def identify(conn: sa.Connection, said: Said, rules: Rules) -> Changed:
    """Write what events say about who is who; what became another thereby."""
    following = _followers(conn, said)
    seeds = _write_identifiers(conn, said.identifier_columns)
    added = _write_links(conn, said.linked) + _write_links(conn, following)
    seeds |= refuse(conn, added, rules)
    _write_decisions(conn, said.decided)
    judged = {end for one, _ in said.decided for end in (one.left, one.right)}
    seeds |= judged
    moved, touched = settle(conn, seeds, rules.limit) if seeds else Changed()
    return Changed(moved, touched | {end for link in added for end in (link.left, link.right)} | judged)


def _write_identifiers(conn: sa.Connection, named: Sequence[Array]) -> set[Id]:
    """Add identifiers and correct known ones; those whose age changed, which may make another the oldest."""
    ids, _, _, _, sure, at, first = named
    conn.exec_driver_sql(
        """
        INSERT INTO identifiers (id, type, scope, value, verification, first_at, first_key, customer_id)
        SELECT n.*, n.id FROM unnest(%s, %s, %s, %s, %s, %s, %s)
            n(id, type, scope, value, verification, first_at, first_key)
        WHERE NOT EXISTS (SELECT FROM identifiers i WHERE i.id = n.id) ON CONFLICT DO NOTHING""",
        tuple(named),
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
        (ids, sure, at, first),
    )
    return {row.id for row in changed if row.older}


def _followers(conn: sa.Connection, said: Said) -> Linked:
    """Links from the first named party of a conversation to the stand-in for those of its events that name nobody."""
    linked = Linked()
    if not said.talks:
        return linked
    conn.exec_driver_sql(
        """
        INSERT INTO conversations AS c SELECT * FROM unnest(%s, %s, %s, %s, %s)
        ON CONFLICT (interaction_id) DO UPDATE
        SET identifier_id = excluded.identifier_id, first_at = excluded.first_at, first_key = excluded.first_key
        WHERE c.first_at IS NULL OR (excluded.first_at, excluded.first_key) < (c.first_at, c.first_key)""",
        tuple(said.talk_columns),
    )
    conn.exec_driver_sql(
        "UPDATE conversations SET unnamed = true WHERE interaction_id = ANY(%s) AND NOT unnamed", tuple(said.unnamed)
    )
    found = conn.exec_driver_sql(
        """
        SELECT first_at, uuid_send(first_key) AS key, uuid_send(identifier_id) AS party, uuid_send(interaction_id) AS id
        FROM conversations WHERE interaction_id = ANY(%s) AND unnamed AND identifier_id IS NOT NULL""",
        (said.talk_columns[0],),
    )
    for row in found:
        talk = said.talks[row.id]
        follower = stand_in(talk.event, said.secret)
        linked.add(Link(row.first_at, row.key, row.party, follower, "conversation"), talk.made(row.key))
    Steps(linked.pack()).whole()
    return linked


def _write_links(conn: sa.Connection, linked: Linked) -> list[Link]:
    """Append links that are new or earlier than known; those."""
    if not linked.columns:
        return []
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
        tuple(linked.columns),
    )
    return [linked.first[row.left, row.right, row.rule] for row in added]


def _write_decisions(conn: sa.Connection, decided: Sequence[tuple[Decision, Event]]) -> None:
    """Append what people decided, with who and why."""
    for one, event in decided:
        author = event.author
        ids = (UUID(bytes=id) for id in (one.key, one.left, one.right))
        conn.exec_driver_sql(
            "INSERT INTO decisions (occurred_at, event_key, left_id, right_id, verdict, author, reason) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (one.at, *ids, one.verdict, author and (author.name or author.id), event.data.get("reason")),
        )
