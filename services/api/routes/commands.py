"""Changing customers: notes, merges, unmerges. Each is an event in the log before it is answered."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from schemas.codec import to_wire
from schemas.event import Author, Role
from services import access
from services.access import Caller
from services.api import queries
from services.api.backing import Back
from services.api.callers import Agent
from services.api.routes.customers import ERRORS
from services.errors import NotFound
from services.identifiers import Rules, normalise
from services.timeline import commands

router = APIRouter(
    tags=["commands"], responses={**ERRORS, 409: {"model": ERRORS[400]["model"], "description": "It is not so now."}}
)
# Without NUL, which the log could take but PostgreSQL can't.
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000, pattern=r"^[^\x00]*$")]


class NewNote(BaseModel):
    """A note for whoever helps next."""

    text: Words = Field(examples=["Promised a call back before Friday."])


class Written(BaseModel):
    """The note as it is on the timeline."""

    customer: UUID
    event: dict[str, Any]


class NewMerge(BaseModel):
    """That two customers are one."""

    other: UUID = Field(alias="with", description="The other customer's id.")
    reason: Words | None = Field(default=None, examples=["Same person, two phones."])


class Handle(BaseModel):
    """An identifier of the customer: by `id`, or by `type` and `value`."""

    id: UUID | None = None
    type: str | None = Field(default=None, examples=["phone"])
    value: str | None = Field(default=None, examples=["+37255512345"])


class NewUnmerge(BaseModel):
    """Which identifiers are somebody else's."""

    identifiers: list[Handle] = Field(min_length=1)
    reason: Words | None = None


class Merged(BaseModel):
    """The customer that two became."""

    customer: UUID


class Unmerged(BaseModel):
    """The customers that one became."""

    customers: list[UUID]


@router.post("/v1/customers/{id}/notes", summary="Write a note")
def write_note(id: UUID, note: NewNote, back: Back, caller: Agent) -> Written:
    """It is on the timeline when this answers, and internal: the briefs of channels leave it out."""
    with back.writing.begin() as conn:
        event = commands.write_note(conn, back.desk(conn), id, note.text, author(caller))
        return Written(customer=commands.customer_of(conn, id), event=to_wire(event))


@router.post("/v1/customers/{id}/merge", summary="Say that two customers are one")
def merge(id: UUID, said: NewMerge, back: Back, caller: Agent) -> Merged:
    """Moves identifiers, never events; both ids keep resolving. It can be taken back by unmerge."""
    with back.writing.begin() as conn:
        return Merged(customer=commands.merge(conn, back.desk(conn), id, said.other, author(caller), said.reason))


@router.post("/v1/customers/{id}/unmerge", summary="Take identifiers of a customer apart")
def unmerge(id: UUID, said: NewUnmerge, back: Back, caller: Agent) -> Unmerged:
    """The identifiers named, with their history, become another customer; it stays so through every replay."""
    with back.writing.begin() as conn:
        apart = _apart(queries.members(conn, id), said.identifiers, back.rules)
        found = commands.unmerge(conn, back.desk(conn), id, apart, author(caller), said.reason)
        return Unmerged(customers=found)


def author(caller: Caller) -> Author:
    """Who asks, as the author of an event; a channel is there as a bot."""
    role = Role.bot if caller.role == access.Role.channel else Role.agent
    return Author(role=role, id=caller.name, name=caller.name)


def _apart(rows: queries.Rows, handles: list[Handle], rules: Rules) -> list[UUID]:
    """The ids of the customer's identifiers that are named. Raises NotFound."""
    found = []
    for handle in handles:
        key = normalise(handle.type or "", handle.value or "", "", rules)
        named = [row.id for row in rows if row.id == handle.id or (key and key[::2] == (row.type, row.value))]
        if not named:
            said = handle.id or f"{handle.type}:{handle.value}"
            raise NotFound(f"The customer has no {said}.", code="unknown_identifier", hint="See /identity.")
        found += named
    return found
