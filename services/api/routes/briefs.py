"""The brief: prior context by any identifier, in one call."""

from datetime import UTC, datetime
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse

from services.access import Role
from services.api import briefs, lookups
from services.api.answers import Brief, Candidates
from services.api.backing import BRIEF, Back, Transaction
from services.api.callers import AgentOrChannel
from services.api.contexts import gather
from services.api.reads import Read, Traced
from services.api.routes.customers import ERRORS
from services.errors import Invalid
from services.identifiers import Rules

router = APIRouter(tags=["briefs"], responses=ERRORS)
TEXT: dict[int | str, dict[str, object]] = {
    200: {
        "content": {
            "text/plain": {"example": "Mari Maasikas. Not answered yet: 3 h ago by mail about “Lost parcel”: “…”"}
        }
    }
}


@router.get(BRIEF, summary="What a customer has told and done", response_model=Brief | Candidates, responses=TEXT)
async def brief(
    conn: Transaction,
    caller: AgentOrChannel,
    back: Back,
    trace: Traced,
    phone: Annotated[str | None, Query(max_length=512, examples=["+37255512345"])] = None,
    email: Annotated[str | None, Query(max_length=512, examples=["mari@example.com"])] = None,
    customer: Annotated[str | None, Query(max_length=512, description="A customer's id, or else an account.")] = None,
    identifier: Annotated[tuple[str, ...], Query(description="`type:value`, repeatable.")] = (),
    channel: Annotated[str | None, Query(max_length=32, description="Where the customer is now; kept.")] = None,
    format: Literal["json", "text"] = "json",
    length: Annotated[int, Query(ge=80, le=10_000, description="Characters of the text at most.")] = 500,
) -> Brief | Candidates | PlainTextResponse:
    """By any identifiers, which narrow each other down. Where several customers fit, all of them, `ambiguous`.

    As `text` it may be spoken: it names the customer, but no address and no number that they may be known by. What a
    channel's key gets has no internal notes.
    """
    named = {"phone": phone, "email": email}
    words = [f"{type}:{value}" for type, value in named.items() if value] + list(identifier)
    now = datetime.now(UTC)
    read = trace.read(caller, "brief", channel)
    found = await conn.run_sync(_found, words, customer, back.rules, now, caller.role != Role.channel, read)
    trace.count(read, len(found.candidates) if isinstance(found, Candidates) else 1)
    return PlainTextResponse(briefs.text(found, length, now)) if format == "text" else found


def _found(
    conn: sa.Connection,
    words: list[str],
    customer: str | None,
    rules: Rules,
    now: datetime,
    internal: bool,
    read: Read,
) -> Brief | Candidates:
    if not words and not customer:
        hint = "Add phone=, email=, customer= or identifier=type:value."
        raise Invalid("Nobody was asked for.", code="no_identifier", hint=hint)
    fitting = lookups.fitting(conn, lookups.asked_for(words, rules), customer)
    told = [briefs.build(gather(conn, rows, now, read), now, internal) for rows in fitting]
    return told[0] if len(told) == 1 else Candidates(candidates=told)
