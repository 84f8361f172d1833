"""Reading customers: who they are, their timeline, why they are one, what is new. Agents only; each read is traced."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AwareDatetime, BaseModel, Field

from schemas.event import Direction
from services.api import live, lookups, queries, timelines
from services.api.answers import Customer, Findings, Identity, Timeline, Trouble
from services.api.backing import Back, Transaction
from services.api.callers import Agent
from services.api.reads import Traced

ERRORS: dict[int | str, dict[str, object]] = {
    400: {"model": Trouble, "description": "The request can't be understood."},
    401: {"model": Trouble, "description": "No key, or an unknown one."},
    403: {"model": Trouble, "description": "The key's role does not allow it."},
    404: {"model": Trouble, "description": "There is no such customer."},
    503: {"model": Trouble, "description": "The database is away; ask again after Retry-After seconds."},
}
# Where the good answer is no JSON, errors still are.
IN_JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/Trouble"}}}
router = APIRouter(tags=["customers"], responses=ERRORS)


class Asked(BaseModel):
    """What of a timeline is asked for."""

    view: Literal["interactions", "flat"] = Field(
        default="interactions", description="By interaction with its newest events, or every event by itself."
    )
    cursor: str | None = Field(default=None, description="`next` of the page before.")
    limit: int = Field(default=20, ge=1, le=100)
    channel: list[str] = Field(default=[], description="Only these; repeatable.", examples=[["email"]])
    type: list[str] = Field(default=[], description="Only these types of events; repeatable.")
    direction: Direction | None = None
    since: AwareDatetime | None = Field(default=None, description="From this moment on.")
    until: AwareDatetime | None = Field(default=None, description="Before this moment.")
    q: str | None = Field(default=None, max_length=500, description="Words in text or subject, in any case.")
    interaction: UUID | None = Field(default=None, description="Only of this interaction.")

    def filters(self) -> timelines.Filters:
        """The same as the queries take it."""
        return timelines.Filters(
            channels=self.channel,
            types=self.type,
            direction=self.direction,
            since=self.since,
            until=self.until,
            q=self.q,
            interaction=self.interaction,
        )


class Opened(NamedTuple):
    """A stream about to start."""

    customer: UUID
    place: live.Place


@router.get("/v1/search", summary="Find customers")
async def search(
    q: Annotated[str, Query(max_length=500, description="An identifier or its start, a name, or an id.")],
    conn: Transaction,
    caller: Agent,
    back: Back,
    trace: Traced,
) -> Findings:
    """Customers by any identifier, its start, words of a name, or an id of any time; at most 20, best first."""
    found = await conn.run_sync(lookups.search, q, back.rules)
    await trace.leave(conn, caller, "search", [one.id for one in found.customers])
    return found


@router.get("/v1/customers/{id}", summary="Who a customer is")
async def customer(id: UUID, conn: Transaction, caller: Agent, trace: Traced) -> Customer:
    """By an id of any time: one from before a merge answers with the customer of today."""
    found = await conn.run_sync(queries.customer, id)
    await trace.leave(conn, caller, "customer", [found.id])
    return found


@router.get("/v1/customers/{id}/timeline", summary="What happened, newest first")
async def timeline(
    id: UUID, asked: Annotated[Asked, Query()], conn: Transaction, caller: Agent, trace: Traced
) -> Timeline:
    """By interaction with its events, or flat; the same speed at any depth. Filters show interactions that have such
    an event."""
    cursor = timelines.Cursor.read(asked.cursor) if asked.cursor else timelines.Cursor()
    rows = await conn.run_sync(queries.members, id)
    paged = timelines.events_page if asked.view == "flat" else timelines.interactions_page
    page = await conn.run_sync(paged, queries.ids_of(rows), asked.filters(), cursor, asked.limit)
    await trace.leave(conn, caller, "timeline", [rows[0].customer_id])
    return Timeline(
        customer=rows[0].customer_id, view=asked.view, items=page.items, next=str(page.next) if page.next else None
    )


@router.get("/v1/customers/{id}/identity", summary="Why they are one customer")
async def identity(id: UUID, conn: Transaction, caller: Agent, trace: Traced) -> Identity:
    """Identifiers; links with rule, event, times and why one was refused; what people decided."""
    found = await conn.run_sync(queries.identity, id)
    await trace.leave(conn, caller, "identity", [found.customer])
    return found


async def opened(
    id: UUID,
    conn: Transaction,
    caller: Agent,
    trace: Traced,
    after: Annotated[str | None, Query(description="`live` of the customer, or an event's id.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Opened:
    """Check and trace before anything is streamed. A reconnecting client's header says more than its address."""
    told = last_event_id or after
    place = live.Place.read(told) if told else await conn.run_sync(live.start)
    rows = await conn.run_sync(queries.members, id)
    await trace.leave(conn, caller, "stream", [rows[0].customer_id])
    return Opened(id, place)


@router.get(
    "/v1/customers/{id}/stream",
    summary="What is new, live",
    response_class=EventSourceResponse,
    responses={status: {**error, "model": None, "content": IN_JSON} for status, error in ERRORS.items()},
)
async def stream(start: Annotated[Opened, Depends(opened)], back: Back) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `customer` at the start and whenever identifiers come or go (read the timeline again when
    `members` is another), `event` for each new event, `reset` when the place asked for is not of this database.

    Nothing is missed between connections: send the last id again as `Last-Event-ID`, as browsers do by themselves.
    The server ends a connection after a quarter of an hour.
    """
    with back.measures.streams.track_inprogress():
        async for event in live.stream(back.reading, back.watch, start.customer, start.place):
            yield event
