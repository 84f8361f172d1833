"""The trace of every read of a customer: who, which, what, when, why. No trace, no answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, Header, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access import Caller
from services.api.backing import Back
from services.api.measures import Measures

LEAVE = """
    INSERT INTO reads (customer_id, reader, role, what, channel, reason)
    VALUES (:customer_id, :reader, :role, :what, :channel, :reason)"""
LEFT = sa.text(LEAVE)
Why = Annotated[str | None, Query(max_length=500, description="Why you read it; kept with the trace.")]


class Read(NamedTuple):
    """A row of a trace, but for the customer."""

    reader: str
    role: str
    what: str
    channel: str | None
    reason: str | None

    def of(self, customer: UUID) -> dict[str, object]:
        """The whole row: the parameters of LEAVE."""
        return {"customer_id": customer, **self._asdict()}


@dataclass(frozen=True)
class Trace:
    """What is kept of one request beside who and what."""

    measures: Measures
    reason: str | None

    def read(self, caller: Caller, what: str, channel: str | None = None) -> Read:
        """A read, for a statement that leaves the trace with what it reads."""
        return Read(caller.name, caller.role.value, what, channel, self.reason)

    def count(self, read: Read, customers: int) -> None:
        """Tell of so many customers that were read."""
        self.measures.reads.labels(read.role, read.what).inc(customers)

    async def leave(
        self,
        conn: AsyncConnection,
        caller: Caller,
        what: str,
        customers: Iterable[UUID],
        channel: str | None = None,
    ) -> None:
        """Write a row for each customer, committed before the answer is sent."""
        read = self.read(caller, what, channel)
        if rows := [read.of(customer) for customer in customers]:
            await conn.execute(LEFT, rows if len(rows) > 1 else rows[0])  # many at once are dearer
            self.count(read, len(rows))


async def _trace(
    backing: Back, reason: Why = None, x_reason: Annotated[str | None, Header(max_length=500)] = None
) -> Trace:
    return Trace(backing.measures, reason or x_reason)


Traced = Annotated[Trace, Depends(_trace)]
