"""A customer's dossier, read from the store: what findings are made of."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from schemas.codec import decode
from services.identifiers import OWN_SOURCE
from services.tables import CORRECTIONS, TALK, TELLING
from services.timeline.findings import Dossier, Seen, correction
from services.timeline.unions import Unions

DEALINGS, VISITS = 40, 20  # interactions looked at, visits among them
FIRST, LAST = 15, 5  # events of each part: what it is about is said at its start, what came of it at its end
NEWEST = """
    SELECT interaction_id FROM unnest(CAST(:ids AS uuid[])) mine(id) CROSS JOIN LATERAL (
        SELECT i.interaction_id, i.last_at FROM interactions i WHERE i.identifier_id = mine.id %s
        ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :%s) part
    GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC LIMIT :%s"""
SOME = """
    SELECT e.identifier_id, e.interaction_id, e.event FROM events e
    WHERE e.identifier_id = part.identifier_id AND e.interaction_id = part.interaction_id AND e.type = ANY(:types)
    ORDER BY e.occurred_at %s, e.event_key %s LIMIT :%s"""
TOLD = sa.text(f"""
    WITH chosen AS (({NEWEST % (f"AND {TALK}", "dealings", "dealings")}) UNION ({NEWEST % ("", "visits", "visits")}))
    SELECT e.identifier_id, e.interaction_id, e.event::text AS event
    FROM chosen JOIN interactions part USING (interaction_id) CROSS JOIN LATERAL (
        ({SOME % ("", "", "first")}) UNION ALL ({SOME % ("DESC", "DESC", "last")})) e
    WHERE part.identifier_id = ANY(:ids)""")
# When each link became known: when its event was accepted.
JOINED = sa.text("""
    SELECT l.left_id, l.right_id, coalesce((e.event->>'recordedtime')::timestamptz, l.linked_at) AS at
    FROM links l LEFT JOIN LATERAL (
        SELECT event FROM events e WHERE e.identifier_id IN (l.left_id, l.right_id)
        AND e.occurred_at = l.occurred_at AND e.event_key = l.event_key LIMIT 1) e ON true
    WHERE l.left_id = ANY(:ids) AND l.right_id = ANY(:ids) AND l.refused IS NULL
    UNION ALL SELECT left_id, right_id, occurred_at FROM decisions
    WHERE left_id = ANY(:ids) AND right_id = ANY(:ids) AND verdict = 'merge'""")
# The literal condition is that of the index.
CORRECTED = sa.text(f"""
    SELECT event::text AS event FROM events
    WHERE identifier_id = ANY(:ids) AND type IN {CORRECTIONS} AND source = '{OWN_SOURCE}'
    ORDER BY occurred_at DESC LIMIT 1000""")
# Who is only listed, or asked for who they are, is not shown with what they told.
SHOWN = sa.text("""
    SELECT read_at FROM reads WHERE customer_id = ANY(:ids)
    AND what NOT IN ('customer', 'identity', 'recent', 'search') ORDER BY read_at DESC LIMIT 1000""")



def dossier(conn: sa.Connection, members: Sequence[Any], dealings: int = DEALINGS, visits: int = VISITS) -> Dossier:
    """The newest dealings and visits of the customer whose identifiers these are, `id` and `shared`.

    What hangs on a shared identifier is nobody's in particular: it is told of that identifier alone.
    """
    ids = [row.id for row in members]
    own = [row.id for row in members if not row.shared]
    asked = {"types": list(TELLING), "dealings": dealings, "visits": visits, "first": FIRST, "last": LAST}
    rows = set(conn.execute(TOLD, asked | {"ids": own or ids}))  # of short ones the first are the last
    seen = [Seen(decode(row.event.encode()), str(row.interaction_id), str(row.identifier_id)) for row in rows]
    links = [(row.at, str(row.left_id), str(row.right_id)) for row in conn.execute(JOINED, {"ids": ids})]
    corrected = [correction(decode(row.event.encode())) for row in conn.execute(CORRECTED, {"ids": ids})]
    return Dossier(seen, Unions(links), list(conn.scalars(SHOWN, {"ids": ids})), corrected, bool(own))
