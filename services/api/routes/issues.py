"""What a customer's matters are, what they had to tell again, what is on record. Agents only; each read is traced."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from schemas.data import Passage, Talk
from services.access import Caller
from services.api import issues, matters, queries
from services.api.backing import Back, Backing, Transaction
from services.api.callers import Agent, AgentOrChannel
from services.api.matters import Check, Matters, Record
from services.api.reads import Traced
from services.api.routes.commands import Words, author
from services.api.routes.customers import ERRORS
from services.errors import NotFound
from services.timeline import commands
from services.timeline.dossiers import dossier
from services.timeline.facts import answering
from services.timeline.findings import WINDOW
from services.timeline.issues import State

router = APIRouter(tags=["issues"], responses=ERRORS)
Window = Annotated[int, Query(ge=1, le=30, description="Days within which coming back counts.")]


class Corrected(BaseModel):
    """Passages, and one of the issue that is meant."""

    passages: list[Passage] = Field(min_length=1, max_length=100, description="All that a call said, for instance.")
    other: Passage = Field(alias="with", description="A passage of the issue.")
    reason: Words | None = Field(default=None, examples=["The call was about the same parcel."])


class Answer(Talk):
    """What the customer said when asked whether it is about the issue, and where."""

    same: bool = Field(description="It is about this issue; otherwise about another.")


class Standing(BaseModel):
    """How an issue stands."""

    state: State
    reason: Words | None = Field(default=None, examples=["The parcel was found and delivered."])


class Noted(BaseModel):
    """The customer whose issues were corrected."""

    customer: UUID


class Question(BaseModel):
    """What somebody is about to ask a customer."""

    question: str = Field(min_length=1, max_length=2000, examples=["What is your order number?"])


@router.get("/v1/customers/{id}/issues", summary="A customer's issues and what they told again")
async def read_issues(
    id: UUID, conn: Transaction, back: Back, caller: Agent, trace: Traced, window: Window = WINDOW
) -> Matters:
    """Each matter over all channels with why every passage belongs to it, and each contact that came back about it:
    told again or only asked on, both passages side by side, and whether it could have been avoided. Of the newest 40
    dealings and 20 visits, and of each how it began and ended."""
    members = await conn.run_sync(queries.members, id)
    seen, found = await issues.look(conn, members, back.latest, window)
    await trace.leave(conn, caller, "issues", [members[0].customer_id])
    return Matters(customer=members[0].customer_id, window=window, issues=matters.matters(found, seen, window))


@router.get("/v1/customers/{id}/facts", summary="What is on record")
async def read_facts(id: UUID, conn: Transaction, back: Back, caller: Agent, trace: Traced) -> Record:
    """What they told and tried, what we promised and asked, each with the sentence and the event that say it."""
    members = await conn.run_sync(queries.members, id)
    seen, found = await issues.look(conn, members, back.latest)
    await trace.leave(conn, caller, "facts", [members[0].customer_id])
    events = {one.key: one for one in seen}
    return Record(
        customer=members[0].customer_id, facts=[matters.recorded(one, events) for one in reversed(found.facts)]
    )


@router.post("/v1/customers/{id}/check", summary="Is it on record already?")
async def check(id: UUID, asked: Question, conn: Transaction, back: Back, caller: Agent, trace: Traced) -> Check:
    """Before a question is asked, by an agent or a bot with an agent's key: the facts that answer it, so that nobody
    has to say it again. A channel's key reads facts in briefs."""
    members = await conn.run_sync(queries.members, id)
    seen, found = await issues.look(conn, members, back.latest)
    await trace.leave(conn, caller, "check", [members[0].customer_id])
    events = {one.key: one for one in seen}
    answers = [matters.recorded(one, events) for one in answering(asked.question, found.facts, back.latest.patterns)]
    return Check(customer=members[0].customer_id, known=bool(answers), answers=answers)


@router.post("/v1/customers/{id}/issues/join", summary="Say that passages belong to an issue")
def join(id: UUID, said: Corrected, back: Back, caller: Agent) -> Noted:
    """Passages of one interaction or several move to the issue of another; it stays so through every recomputation."""
    return _correct(id, said, True, back, caller)


@router.post("/v1/customers/{id}/issues/part", summary="Say that passages are another issue's")
def part(id: UUID, said: Corrected, back: Back, caller: Agent) -> Noted:
    """Each passage leaves the issue of the other; the last word on two passages counts."""
    return _correct(id, said, False, back, caller)


@router.post("/v1/customers/{id}/issues/{issue}/answer", summary="Say whether it is about a known issue")
def answer(id: UUID, issue: UUID, said: Answer, back: Back, caller: AgentOrChannel) -> Noted:
    """The customer's answer to the ready question of a brief: what they say in that conversation, or event, is of this
    issue, or is not. It may come before they said anything there, and stays so through every recomputation."""
    where = Talk(**said.model_dump(exclude={"same"}))
    with back.writing.begin() as conn:
        customer, found = issues.began(conn, id, issue)
        beside, passage = UUID(found.identifier), found.passage
        commands.answer(conn, back.desk(conn), where, beside, passage, said.same, author(caller))
    return Noted(customer=customer)


@router.post("/v1/customers/{id}/issues/{issue}/state", summary="Say how an issue stands")
def state(id: UUID, issue: UUID, said: Standing, back: Back, caller: Agent) -> Noted:
    """It stands so until more happens: a word of the customer's about a resolved issue opens it again."""
    with back.writing.begin() as conn:
        customer, found = issues.began(conn, id, issue)
        where = UUID(found.identifier)
        commands.state(conn, back.desk(conn), where, found.passage, said.state, author(caller), said.reason)
    return Noted(customer=customer)


def _correct(id: UUID, said: Corrected, same: bool, back: Backing, caller: Caller) -> Noted:
    """Raises NotFound for a passage that is none of the customer's; then nothing is kept."""
    with back.writing.begin() as conn:
        members = queries.members(conn, id)
        seen = {one.passage: one for one in dossier(conn, members).seen}
        for one in (*said.passages, said.other):
            if one not in seen:
                hint = "Take source and event of a member of /issues."
                raise NotFound(f"The customer said nothing in {one.source} {one.event}.", code="no_passage", hint=hint)
        passages = {one: UUID(seen[one].identifier) for one in said.passages}
        commands.correct(conn, back.desk(conn), passages, said.other, same, author(caller), said.reason)
    return Noted(customer=members[0].customer_id)
