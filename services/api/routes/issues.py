"""What a customer's matters are, what they had to tell again, what is on record. Agents only; each read is traced."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from services.api import issues, matters
from services.api.backing import Transaction
from services.api.callers import Agent
from services.api.matters import Check, Matters, Record
from services.api.reads import Traced
from services.api.routes.customers import ERRORS
from services.timeline.facts import answering

router = APIRouter(tags=["issues"], responses=ERRORS)
Window = Annotated[int, Query(ge=1, le=30, description="Days within which coming back counts.")]


class Question(BaseModel):
    """What somebody is about to ask a customer."""

    question: str = Field(min_length=1, max_length=2000, examples=["What is your order number?"])


@router.get("/v1/customers/{id}/issues", summary="A customer's issues and what they told again")
async def read_issues(id: UUID, conn: Transaction, caller: Agent, trace: Traced, window: Window = 14) -> Matters:
    """Each matter over all channels with why every passage belongs to it, and each contact that came back about it:
    told again or only asked on, both passages side by side, and whether it could have been avoided. Of the newest 100
    dealings and 30 visits."""
    customer, seen, found = await issues.look(conn, id, window)
    await trace.leave(conn, caller, "issues", [customer])
    return Matters(customer=customer, window=window, issues=matters.matters(found, seen))


@router.get("/v1/customers/{id}/facts", summary="What is on record")
async def read_facts(id: UUID, conn: Transaction, caller: Agent, trace: Traced) -> Record:
    """What they told and tried, what we promised and asked, each with the sentence and the event that say it."""
    customer, seen, found = await issues.look(conn, id)
    await trace.leave(conn, caller, "facts", [customer])
    events = {one.key: one for one in seen}
    return Record(customer=customer, facts=[matters.recorded(one, events) for one in reversed(found.facts)])


@router.post("/v1/customers/{id}/check", summary="Is it on record already?")
async def check(id: UUID, asked: Question, conn: Transaction, caller: Agent, trace: Traced) -> Check:
    """Before an agent or a bot asks a question: the facts that answer it, so that nobody has to say it again."""
    customer, seen, found = await issues.look(conn, id)
    await trace.leave(conn, caller, "check", [customer])
    events = {one.key: one for one in seen}
    answers = [matters.recorded(one, events) for one in answering(asked.question, found.facts)]
    return Check(customer=customer, known=bool(answers), answers=answers)
