"""What the routes stand on: connections, the log, wakes and metrics, made when the application starts."""

from asyncio import Task
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.api.live import Watch
from services.api.measures import Measures
from services.eventlog import Appender
from services.identifiers import Rules
from services.settings import Settings
from services.tables import deployment
from services.timeline.commands import Desk
from services.timeline.learning import Latest

# Asked for most, and of customers of any size by the same few statements, which are planned once.
BRIEF = "/v1/brief"


@dataclass(frozen=True)
class Backing:
    """Reads go by `reading`, on the event loop, briefs by `telling`; commands block, and go by `writing` in a worker
    thread.

    Whether it is ready is found out by `looking`, which no other request can use up. `watching` is the running
    `watch`, which wakes the live streams; `latest`, by what likeness is told.
    """

    settings: Settings
    appender: Appender
    rules: Rules
    reading: AsyncEngine
    telling: AsyncEngine
    writing: sa.Engine
    looking: AsyncEngine
    watch: Watch
    watching: Task[None]
    measures: Measures
    latest: Latest

    def desk(self, conn: sa.Connection) -> Desk:
        """What commands need."""
        secret = conn.scalars(sa.select(deployment.c.secret)).one()
        return Desk(self.appender, self.rules, secret, self.settings.masking())


def backing(request: Request) -> Backing:
    """The backing of the application that a request came to."""
    found: Backing = request.app.state.backing
    return found


async def transaction(request: Request) -> AsyncIterator[AsyncConnection]:
    """A connection for the route, whose every statement is committed when it is done."""
    back = backing(request)
    async with (back.telling if request.url.path == BRIEF else back.reading).connect() as conn:
        yield conn


async def _backing(request: Request) -> Backing:
    return backing(request)  # a dependency that is not async is sent to a thread, which costs more than it does


Back = Annotated[Backing, Depends(_backing)]
Transaction = Annotated[AsyncConnection, Depends(transaction, scope="function")]
