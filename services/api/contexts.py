"""What is on record about a customer, gathered for a brief."""

from datetime import datetime

import sqlalchemy as sa

from services.api import kept
from services.api.answers import Interaction
from services.api.briefs import PATIENCE, Context
from services.api.queries import USED, Rows, counted, described, ids_of
from services.api.reads import LEAVE, Read
from services.api.timelines import DEALT, happening, shown
from services.tables import MILESTONES, TALK

DEALINGS, VISITS = 10, 3
PARTS, LEAST = 1000, 20  # parts of interactions looked at, and of each identifier at least
NEWEST, OLDEST = 20, 10  # events of each interaction: what it came to, and how it began

# The newest of each kind; what waits for us may be older. Talk is found by its own index, so that years of visits
# don't hide it. Of each identifier as many parts are looked at as could matter, or as a brief has time for. Milestones
# are events whose literal condition is that of their index. All in one statement, also the trace that it was read, for
# each takes more by itself, here and on the way, than what it does.
RECORD = f"""
    WITH talk AS (
        SELECT part.* FROM unnest(CAST(:ids AS uuid[])) mine(id), LATERAL (
            SELECT i.* FROM interactions i WHERE i.identifier_id = mine.id AND {TALK}
            ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :parts) part),
    visit AS (
        SELECT part.* FROM unnest(CAST(:ids AS uuid[])) mine(id), LATERAL (
            SELECT i.* FROM interactions i WHERE i.identifier_id = mine.id
            ORDER BY i.last_at DESC, i.interaction_id DESC LIMIT :parts) part
        WHERE channel IN ('web', 'app') AND conversation IS NULL),
    chosen AS (
        (SELECT interaction_id FROM talk
         GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC LIMIT :dealings)
        UNION ALL
        (SELECT interaction_id FROM visit
         GROUP BY interaction_id ORDER BY max(last_at) DESC, interaction_id DESC LIMIT :visits)
        UNION ALL
        (SELECT interaction_id FROM talk
         WHERE last_at >= :since AND channel NOT IN ('web', 'app', 'other') GROUP BY interaction_id
         HAVING max(last_inbound_at) > greatest(max(last_outbound_at), max(closed_at), '-infinity')
         ORDER BY max(last_inbound_at) DESC LIMIT :dealings)),
    milestone AS (
        SELECT one.interaction_id, one.event_key, one.event FROM unnest(CAST(:ids AS uuid[])) mine(id)
        CROSS JOIN unnest(ARRAY{list(MILESTONES)}) milestone(type) CROSS JOIN LATERAL (
            SELECT e.interaction_id, e.event_key, e.event, e.occurred_at FROM events e
            WHERE e.identifier_id = mine.id AND e.type = milestone.type AND e.type IN {MILESTONES}
            ORDER BY e.occurred_at DESC LIMIT 3) one
        ORDER BY one.occurred_at DESC, one.event_key),
    trace AS ({LEAVE})
    SELECT {USED}, {kept.KEPT},
        (SELECT json_agg(dealt) FROM ({DEALT % "ARRAY(SELECT interaction_id FROM chosen)"}) dealt) AS dealt,
        (SELECT json_agg(milestone) FROM milestone) AS milestones"""
RECORDED = sa.text(RECORD)


def gather(conn: sa.Connection, rows: Rows, now: datetime, read: Read) -> Context:
    """The newest of everything a brief tells of the customer whose identifiers these are; leaves the trace of it."""
    ids = ids_of(rows)
    asked = {"ids": ids, "since": now - PATIENCE, "parts": max(LEAST, PARTS // len(ids)), "each": counted(ids)}
    limits = {"dealings": DEALINGS, "visits": VISITS, "newest": NEWEST, "oldest": OLDEST}
    trace = read.of(rows[0].customer_id)
    record = conn.execute(RECORDED, asked | limits | kept.asked(rows, now) | trace).one()
    interactions = shown(conn, ids, record.dealt or (), NEWEST, OLDEST)
    return Context(
        customer=described(rows, rows[0].customer_id, record),
        dealings=[one for one in interactions if not _is_visit(one)],
        visits=[one for one in interactions if _is_visit(one)],
        milestones=[happening(row) for row in record.milestones or ()],
        pending=any(row.pending for row in rows),
        kept=kept.kept(record),
    )


def _is_visit(one: Interaction) -> bool:
    return one.channel in ("web", "app") and one.conversation is None
