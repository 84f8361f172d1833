"""What a brief hints at, as it is answered: the likely issue, who knows it, what is on record. Pure."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class Hint(BaseModel):
    """Base of all hints: immutable."""

    model_config = ConfigDict(frozen=True)


class Familiar(Hint):
    """A queue or an agent that dealt with an issue."""

    name: str = Field(examples=["Martin"])
    last_at: AwareDatetime
    contacts: int
    resolved: bool = Field(description="They called it resolved when they dealt with it last.")
    sure: float = Field(ge=0, le=1, description="How surely they know it best.")


class Routing(Hint):
    """Who knows an issue, for an IVR or a router; null where only a bot or a phone menu touched it."""

    queue: Familiar | None
    agent: Familiar | None


class Likely(Hint):
    """The open issue that a customer probably comes about."""

    id: UUID = Field(description="For the answer: `POST /v1/customers/{id}/issues/{issue}/answer`.")
    title: str = Field(description="In the customer's own words.")
    state: str = Field(examples=["open"])
    since: AwareDatetime
    last_at: AwareDatetime
    channels: list[str]
    sure: float = Field(ge=0, le=1)
    question: str = Field(description="Ready to be spoken.", examples=["Is it about what you told us: “No internet”?"])
    language: str = Field(description="Of the question: the customer's where there are words for it, else English.")
    routing: Routing


class Known(Hint):
    """What a customer told or tried, or what we promised, with the sentence that says it."""

    sort: Literal["told", "tried", "promised"]
    kind: str = Field(examples=["order"])
    value: str = Field(examples=["48213"])
    sentence: str
    at: AwareDatetime
    due: date | None = Field(description="Of a promise: the day that was said.")
