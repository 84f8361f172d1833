"""What is on record about a customer, gathered for a brief."""

from datetime import datetime

import sqlalchemy as sa

from services.api import timelines
from services.api.briefs import PATIENCE, Context
from services.api.queries import Rows, customer_of, ids_of
from services.tables import MILESTONES, TALK

DEALINGS, VISITS = 10, 3
PARTS, LEAST = 1000, 20  # parts of interactions looked at, and of each identifier at least
NEWEST, OLDEST = 20, 10  # events of each interaction: what it came to, and how it began

# The newest of each kind; what waits for us may be older. Talk is found by its own index, so that years of visits
# don't hide it. Of each identifier as many parts are looked at as could matter, or as a brief has time for. Milestones
# come along, events whose literal condition is that of their index: a statement more would be a round trip more.
CHOSEN = sa.text(f"""
    WITH talk AS (
        SELECT part.* FROM unnest(CAST(:ids AS uuid[])) mine(id) CROSS JOIN LATERAL (
            SELECT i.* FROM interactions i WHERE i.identifier_id = mine.id AND {TALK}
            ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :parts) part),
    visit AS (
        SELECT part.* FROM unnest(CAST(:ids AS uuid[])) mine(id) CROSS JOIN LATERAL (
            SELECT i.* FROM interactions i WHERE i.identifier_id = mine.id
            ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :parts) part
        WHERE channel IN ('web', 'app') AND conversation IS NULL)
    (SELECT 'talk' AS kind, interaction_id, NULL::uuid AS event_key, NULL::jsonb AS event FROM talk
     GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC LIMIT :limit)
    UNION ALL
    (SELECT 'visit', interaction_id, NULL, NULL FROM visit
     GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC LIMIT :limit)
    UNION ALL
    (SELECT 'waiting', interaction_id, NULL, NULL FROM talk
     WHERE last_at >= :since AND channel NOT IN ('web', 'app', 'other') GROUP BY interaction_id
     HAVING max(last_inbound_at) > greatest(max(last_outbound_at), max(closed_at), '-infinity')
     ORDER BY max(last_inbound_at) DESC LIMIT :limit)
    UNION ALL
    (SELECT 'milestone', one.interaction_id, one.event_key, one.event
     FROM unnest(CAST(:ids AS uuid[])) mine(id)
     CROSS JOIN unnest(ARRAY{list(MILESTONES)}) milestone(type) CROSS JOIN LATERAL (
        SELECT e.interaction_id, e.event_key, e.event, e.occurred_at FROM events e
        WHERE e.identifier_id = mine.id AND e.type = milestone.type AND e.type IN {MILESTONES}
        ORDER BY e.occurred_at DESC LIMIT 3) one
     ORDER BY one.occurred_at DESC, one.event_key)""")


def gather(conn: sa.Connection, rows: Rows, now: datetime) -> Context:
    """The newest of everything a brief tells of the customer whose identifiers these are."""
    ids = ids_of(rows)
    parts = max(LEAST, PARTS // len(ids))
    newest = {"ids": ids, "since": now - PATIENCE, "limit": DEALINGS, "parts": parts}
    chosen = conn.execute(CHOSEN, newest).all()
    visits = [row.interaction_id for row in chosen if row.kind == "visit"][:VISITS]
    talks = [row.interaction_id for row in chosen if row.kind in ("talk", "waiting")]
    wanted = list(dict.fromkeys([*talks, *visits]))
    found = timelines.interactions(conn, ids, wanted, NEWEST, OLDEST)
    return Context(
        customer=customer_of(conn, rows, rows[0].customer_id),
        dealings=[one for one in found if one.id not in visits],
        visits=[one for one in found if one.id in visits],
        milestones=[timelines.happening(row) for row in chosen if row.kind == "milestone"],
        pending=any(row.pending for row in rows),
    )
