"""Customers' dossiers, read from the store: what findings are made of."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from schemas.codec import Unreadable, decode
from services.identifiers import OWN_SOURCE
from services.tables import CORRECTIONS, TALK, TELLING
from services.timeline.findings import Dossier, Seen
from services.timeline.unions import Unions
from services.timeline.words import word

DEALINGS, VISITS = 40, 20  # interactions looked at, visits among them
FIRST, LAST = 15, 5  # events of each part: what it is about is said at its start, what came of it at its end
NEWEST = """
    SELECT interaction_id FROM mine CROSS JOIN LATERAL (
        SELECT i.interaction_id, i.last_at FROM interactions i WHERE i.identifier_id = mine.id %s
        ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :%s) part
    WHERE mine.customer_id = whose.customer_id
    GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC LIMIT :%s"""
SOME = """
    SELECT e.identifier_id, e.interaction_id, e.event FROM events e
    WHERE e.identifier_id = part.identifier_id AND e.interaction_id = part.interaction_id AND e.type = ANY(:types)
    ORDER BY e.occurred_at %s, e.event_key %s LIMIT :%s"""
MINE = "mine AS (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:customers AS uuid[])) mine(id, customer_id))"
# MATERIALIZED, else it would be found out anew for each identifier whose the chosen are.
TOLD = sa.text(f"""
    WITH {MINE}, chosen AS MATERIALIZED (
        SELECT whose.customer_id, one.interaction_id FROM (SELECT DISTINCT customer_id FROM mine) whose
        CROSS JOIN LATERAL (({NEWEST % (f"AND {TALK}", "dealings", "dealings")})
            UNION ({NEWEST % ("", "visits", "visits")})) one)
    SELECT chosen.customer_id, e.identifier_id, e.interaction_id, e.event::text AS event
    FROM chosen JOIN interactions part USING (interaction_id)
    JOIN mine ON mine.id = part.identifier_id AND mine.customer_id = chosen.customer_id
    CROSS JOIN LATERAL (({SOME % ("", "", "first")}) UNION ALL ({SOME % ("DESC", "DESC", "last")})) e""")
# When each link became known: when the first of the events that make it was accepted, whichever was stitched first. Of
# two whom people took apart the first merge after that counts alone.
JOINED = sa.text(f"""
    WITH {MINE}, decided AS (
        SELECT least(left_id, right_id) AS left_id, greatest(left_id, right_id) AS right_id, occurred_at, verdict
        FROM decisions WHERE left_id = ANY(:ids)
    ), apart AS (
        SELECT left_id, right_id, max(occurred_at) AS at FROM decided WHERE verdict = 'unmerge' GROUP BY 1, 2
    ), known AS (
        SELECT l.left_id, l.right_id, coalesce((e.event->>'recordedtime')::timestamptz, l.linked_at) AS at
        FROM (
            SELECT DISTINCT ON (left_id, right_id) * FROM links WHERE left_id = ANY(:ids) AND refused IS NULL
            ORDER BY left_id, right_id, occurred_at, event_key) l
        LEFT JOIN LATERAL (
            SELECT event FROM events e WHERE e.identifier_id IN (l.left_id, l.right_id)
            AND e.occurred_at = l.occurred_at AND e.event_key = l.event_key LIMIT 1) e ON true
        WHERE (least(l.left_id, l.right_id), greatest(l.left_id, l.right_id))
            NOT IN (SELECT left_id, right_id FROM apart)
        UNION ALL SELECT left_id, right_id, occurred_at
        FROM decided LEFT JOIN apart USING (left_id, right_id)
        WHERE verdict = 'merge' AND occurred_at >= coalesce(apart.at, '-infinity'))
    SELECT mine.customer_id, known.* FROM known JOIN mine ON mine.id = left_id
    JOIN mine other ON other.id = right_id AND other.customer_id = mine.customer_id""")
# The literal condition is that of the index.
CORRECTED = sa.text(f"""
    WITH {MINE} SELECT whose.customer_id, one.event::text AS event
    FROM (SELECT DISTINCT customer_id FROM mine) whose CROSS JOIN LATERAL (
        SELECT event FROM mine JOIN events ON identifier_id = mine.id
        WHERE mine.customer_id = whose.customer_id AND type IN {CORRECTIONS} AND source = '{OWN_SOURCE}'
        ORDER BY occurred_at DESC LIMIT 1000) one""")
# Who is only listed, or asked for who they are, is not shown with what they told, nor who is evidence of a figure to
# anybody who helps.
SHOWN = sa.text(f"""
    WITH {MINE} SELECT whose.customer_id, one.read_at
    FROM (SELECT DISTINCT customer_id FROM mine) whose CROSS JOIN LATERAL (
        SELECT read_at FROM mine JOIN reads ON reads.customer_id = mine.id
        WHERE mine.customer_id = whose.customer_id
        AND what NOT IN ('customer', 'evidence', 'identity', 'recent', 'search')
        ORDER BY read_at DESC LIMIT 1000) one""")


def dossier(conn: sa.Connection, members: Sequence[Any]) -> Dossier:
    """Of the customer whose identifiers these are; see `dossiers`."""
    return dossiers(conn, members)[members[0].customer_id]


def dossiers(
    conn: sa.Connection, members: Sequence[Any], dealings: int = DEALINGS, visits: int = VISITS
) -> dict[UUID, Dossier]:
    """The newest dealings and visits of each customer whose identifiers these are: `id`, `customer_id`, `shared`.

    What hangs on a shared identifier is nobody's in particular: it is told of that identifier alone.
    """
    persons = {row.customer_id for row in members if not row.shared}
    told = [row for row in members if not row.shared or row.customer_id not in persons]
    asked = {"types": list(TELLING), "dealings": dealings, "visits": visits, "first": FIRST, "last": LAST}
    seen, joined, shown, words = (defaultdict[UUID, list[Any]](list) for _ in range(4))
    for row in set(conn.execute(TOLD, asked | _named(told))):  # of short ones the first are the last
        with suppress(Unreadable):  # it was read once, or would not be stored; the page shows it as it is
            event = decode(row.event.encode())
            seen[row.customer_id].append(Seen(event, str(row.interaction_id), str(row.identifier_id)))
    for row in conn.execute(JOINED, _named(members)):
        joined[row.customer_id].append((row.at, str(row.left_id), str(row.right_id)))
    for row in conn.execute(CORRECTED, _named(members)):
        words[row.customer_id].append(word(decode(row.event.encode())))
    for row in conn.execute(SHOWN, _named(members)):
        shown[row.customer_id].append(row.read_at)
    return {
        id: Dossier(seen[id], Unions(joined[id]), shown[id], words[id], id in persons)
        for id in dict.fromkeys(row.customer_id for row in members)
    }


def _named(members: Sequence[Any]) -> dict[str, list[UUID]]:
    return {"ids": [row.id for row in members], "customers": [row.customer_id for row in members]}
