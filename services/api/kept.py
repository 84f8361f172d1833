"""What analyse keeps of a customer, read for a brief."""

from datetime import datetime

import sqlalchemy as sa

from services.api.likely import WINDOW, Kept
from services.api.queries import Rows

# By itself, for with it the statement that reads all else of a brief would be too long for psycopg to keep.
KEPT = """
    SELECT (SELECT json_agg(issue) FROM (
        SELECT i.issue_id, i.title, i.state, i.language, i.channels, i.opened_at, i.last_at, (
            SELECT json_agg(touch) FROM (
                SELECT c.at, c.queue, c.agent, c.resolved FROM contacts c
                WHERE c.identifier_id = ANY(:own) AND c.issue_id = i.issue_id ORDER BY c.at DESC LIMIT 20) touch
            ) AS contacts
        FROM issues i WHERE i.identifier_id = ANY(:own) AND i.state <> 'resolved' AND i.last_at >= :recent
        ORDER BY i.last_at DESC, i.issue_id LIMIT 5) issue) AS issues,
    (SELECT json_agg(fact) FROM (
        SELECT one.* FROM unnest(CAST(:own AS uuid[])) mine(id) CROSS JOIN LATERAL (
            SELECT f.at, f.sort, f.kind, f.value, f.sentence, f.due FROM facts f
            WHERE f.identifier_id = mine.id ORDER BY f.at DESC LIMIT 30) one
        ORDER BY one.at DESC, one.sort, one.kind, one.value LIMIT 30) fact) AS facts"""
KEPT_IN_SHORT = sa.text(" ".join(KEPT.split()))


def kept(conn: sa.Connection, rows: Rows, now: datetime) -> Kept:
    """Of the customer whose identifiers these are; what stands on a shared one would be others'."""
    own = [row.id for row in rows if not row.shared]
    found = conn.execute(KEPT_IN_SHORT, {"own": own, "recent": now - WINDOW}).one()
    return Kept(found.issues or (), found.facts or ())
