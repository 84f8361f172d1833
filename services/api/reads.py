"""The trace of every read of a customer: who, which, what, when, why. No trace, no answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Header, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access import Caller
from services.api.backing import Back
from services.api.measures import Measures

LEFT = sa.text("""
    INSERT INTO reads (customer_id, reader, role, what, channel, reason)
    VALUES (:customer_id, :reader, :role, :what, :channel, :reason)""")
Why = Annotated[str | None, Query(max_length=500, description="Why you read it; kept with the trace.")]


@dataclass(frozen=True)
class Trace:
    """What is kept of one request beside who and what."""

    measures: Measures
    reason: str | None

    async def leave(
        self,
        conn: AsyncConnection,
        caller: Caller,
        what: str,
        customers: Iterable[UUID],
        channel: str | None = None,
    ) -> None:
        """Write a row for each customer, committed before the answer is sent."""
        row = {
            "reader": caller.name,
            "role": caller.role.value,
            "what": what,
            "channel": channel,
            "reason": self.reason,
        }
        if rows := [{"customer_id": customer, **row} for customer in customers]:
            await conn.execute(LEFT, rows if len(rows) > 1 else rows[0])  # many at once are dearer
            self.measures.reads.labels(caller.role.value, what).inc(len(rows))


async def _trace(
    backing: Back, reason: Why = None, x_reason: Annotated[str | None, Header(max_length=500)] = None
) -> Trace:
    return Trace(backing.measures, reason or x_reason)


Traced = Annotated[Trace, Depends(_trace)]
