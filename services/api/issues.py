"""What a customer told, read for its issues, repeats and facts."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api import queries
from services.timeline.dossiers import dossier
from services.timeline.findings import WINDOW, Findings, Seen, findings
from services.timeline.learning import Latest


async def look(
    conn: AsyncConnection, members: queries.Rows, latest: Latest, window: int = WINDOW
) -> tuple[Sequence[Seen], Findings]:
    """What a customer of these identifiers told, and what it comes to.

    Reading texts takes milliseconds of Python, so it is done beside other requests.
    """
    known = await conn.run_sync(dossier, members)
    by = await asyncio.to_thread(latest.take, await conn.run_sync(latest.newer))
    return known.seen, await asyncio.to_thread(findings, known, by.similarity, [window], by.patterns)
