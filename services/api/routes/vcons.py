"""A customer's history in a form that other systems read. Agents only; each read is traced."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from services.api import queries, timelines, vcons
from services.api.backing import Transaction
from services.api.callers import Agent
from services.api.reads import Traced
from services.api.routes.customers import ERRORS
from services.api.summaries import subject

KIND = "application/vcon+json"
router = APIRouter(tags=["customers"], responses=ERRORS)


class Asked(BaseModel):
    """What of a history is asked for."""

    interaction: UUID | None = Field(default=None, description="Only this interaction.")
    since: AwareDatetime | None = Field(default=None, description="From this moment on.")
    until: AwareDatetime | None = Field(default=None, description="Before this moment.")
    limit: int = Field(default=1000, ge=1, le=1000, description="Events, the newest first.")
    cursor: str | None = Field(default=None, description="`Next-Cursor` of the answer before.")


@router.get(
    "/v1/customers/{id}/vcon",
    summary="A history as a vCon",
    response_class=JSONResponse,
    responses={
        200: {
            "description": "draft-ietf-vcon-vcon-core, unsigned. `Next-Cursor` where there is more.",
            "content": {KIND: {"schema": {"type": "object"}}},
        }
    },
)
async def vcon(
    id: UUID, asked: Annotated[Asked, Query()], conn: Transaction, caller: Agent, trace: Traced
) -> JSONResponse:
    """A customer's messages and calls, or those of one interaction, as dialogs; what was said on calls as transcripts;
    all else as a report. For handing a history on, and for taking it along."""
    cursor = timelines.Cursor.read(asked.cursor) if asked.cursor else timelines.Cursor()
    filters = timelines.Filters(interaction=asked.interaction, since=asked.since, until=asked.until)
    rows = await conn.run_sync(queries.members, id)
    customer = await conn.run_sync(queries.customer_of, rows, id)
    page = await conn.run_sync(timelines.events_page, queries.ids_of(rows), filters, cursor, asked.limit)
    await trace.leave(conn, caller, "vcon", [customer.id])
    events = [item.event for item in reversed(page.items)]
    body = vcons.vcon(customer, events, subject(events) if asked.interaction else None, datetime.now(UTC))
    return JSONResponse(body, headers={"Next-Cursor": str(page.next)} if page.next else None, media_type=KIND)
