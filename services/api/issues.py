"""What a customer told, read for its issues, repeats and facts."""

import asyncio
from collections.abc import Sequence
from functools import cache

from sqlalchemy.ext.asyncio import AsyncConnection

from services.api import queries
from services.timeline.dossiers import dossier
from services.timeline.findings import WINDOW, Findings, Seen, findings
from services.timeline.similarity import Similarity, shipped


async def look(conn: AsyncConnection, members: queries.Rows, window: int = WINDOW) -> tuple[Sequence[Seen], Findings]:
    """What a customer of these identifiers told, and what it comes to.

    Reading texts takes milliseconds of Python, so it is done beside other requests.
    """
    known = await conn.run_sync(dossier, members)
    return known.seen, await asyncio.to_thread(findings, known, similarity(), [window])


@cache
def similarity() -> Similarity:
    """The shipped one, which learns nothing here, so that the same is always found in the same."""
    return shipped()
