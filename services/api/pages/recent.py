"""The customers of whom something was heard last."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

# From the last minute backwards until there are enough: a busy place has them there, a quiet one has few rows at all.
SPANS = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=60))
RECENT = sa.text("""
    SELECT mine.customer_id FROM interactions i JOIN identifiers mine ON mine.id = i.identifier_id
    WHERE i.last_at > :since GROUP BY mine.customer_id ORDER BY max(i.last_at) DESC LIMIT :limit""")


def recent(conn: sa.Connection, now: datetime, limit: int) -> list[UUID]:
    """At most so many customers, those heard of last first."""
    found: list[UUID] = []
    for span in SPANS:
        found = list(conn.scalars(RECENT, {"since": now - span, "limit": limit}))
        if len(found) == limit:
            break
    return found
