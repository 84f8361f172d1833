"""The contact that a survey's answer is about: a conversation of another source, found when the answer is read.

So it doesn't matter which of the two arrived first, and the answer stays an interaction of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.api.answers import About, Happening
from services.timeline.interactions import interaction_of

FOUND = sa.text("""
    SELECT interaction_id AS interaction, min(channel) AS channel, min(started_at) AS started_at FROM interactions
    WHERE identifier_id = ANY(:ids) AND interaction_id = ANY(:asked) GROUP BY interaction_id""")


def joined(conn: sa.Connection, ids: Sequence[UUID], items: Sequence[Happening]) -> list[Happening]:
    """A customer's events, answers to surveys with what they are about, where that is the same customer's."""
    asked = {item.key: id for item in items if (id := _contact(item.event))}
    if not asked:
        return list(items)
    rows = conn.execute(FOUND, {"ids": list(ids), "asked": list(set(asked.values()))})
    found = {row.interaction: About(**row._mapping) for row in rows}
    return [item.model_copy(update={"about": found.get(asked.get(item.key))}) for item in items]


def _contact(event: Mapping[str, Any]) -> UUID | None:
    """The interaction of the conversation that an answer names."""
    contact = event["data"].get("contact") if event["type"] == "feedback.received" else None
    match contact:
        case {"source": str(source), "conversation": str(conversation)}:
            return interaction_of(source, conversation)
    return None
