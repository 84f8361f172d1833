"""What analyse keeps of a customer, read for a brief."""

from datetime import datetime
from typing import Any

from services.api.likely import WINDOW, Kept
from services.api.queries import Rows

# Columns of what a brief reads.
KEPT = """
    (SELECT json_agg(issue) FROM (
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


def asked(rows: Rows, now: datetime) -> dict[str, Any]:
    """What these columns ask of the customer whose identifiers these are; on a shared one stands what is others'."""
    return {"own": [row.id for row in rows if not row.shared], "recent": now - WINDOW}


def kept(record: Any) -> Kept:
    """By a row with these columns."""
    return Kept(record.issues or (), record.facts or ())
