"""What a customer told, read for its issues, repeats and facts."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.api import queries
from services.errors import NotFound
from services.timeline.dossiers import dossier
from services.timeline.findings import WINDOW, Findings, Seen, findings
from services.timeline.issues import named_by
from services.timeline.learning import Latest


async def look(
    conn: AsyncConnection, members: queries.Rows, latest: Latest, window: int = WINDOW
) -> tuple[Sequence[Seen], Findings]:
    """What a customer of these identifiers told, and what it comes to.

    Reading texts takes milliseconds of Python, so it is done beside other requests.
    """
    known, newer = await conn.run_sync(dossier, members), await conn.run_sync(latest.newer)

    def found() -> Findings:
        by = latest.take(newer)
        return findings(known, by.similarity, [window], by.patterns)

    return known.seen, await asyncio.to_thread(found)


def began(conn: sa.Connection, id: UUID, issue: UUID) -> tuple[UUID, Seen]:
    """A customer with the passage that an issue's id names, though an earlier one begins it now. Raises NotFound."""
    rows = queries.members(conn, id)
    found = next((one for one in dossier(conn, rows).seen if UUID(named_by(one.key)) == issue), None)
    if found is None:
        raise NotFound(f"The customer has no issue {issue}.", code="no_issue", hint="Take an id of a brief or /issues.")
    return rows[0].customer_id, found
