"""One immutable fact from a source. On the wire it is a CloudEvents 1.0 event (see `schemas.codec`)."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_validator

CHANNELS = ("email", "phone", "chat", "web", "app", "sms", "social", "in_person", "other")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Short = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Direction(StrEnum):
    """Who it came from, seen from the company."""

    inbound = "inbound"
    outbound = "outbound"
    internal = "internal"


class Role(StrEnum):
    """What the author of an event is to the company."""

    customer = "customer"
    agent = "agent"
    bot = "bot"
    system = "system"


class Verification(StrEnum):
    """How sure it is that an identifier is the customer's.

    `verified`: the channel attests it (signed in, DKIM passed, STIR "A"). `claimed`: typed or said.
    `observed`: seen in passing (device, cookie).
    """

    verified = "verified"
    claimed = "claimed"
    observed = "observed"


class Strict(BaseModel):
    """Base of the contract's models: immutable, and a misspelt field is an error instead of a loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Author(Strict):
    """Who wrote, said or did it."""

    role: Role = Role.customer
    id: Short | None = None
    name: Short | None = None


class Identifier(Strict):
    """A handle of the customer, as the source wrote it; normalised later, never here."""

    type: Name
    value: Short
    verification: Verification | None = Field(
        default=None, description="Left out: `observed` for devices, else `claimed`."
    )


class Reference(Strict):
    """A thing the event is about, by the number people use for it."""

    type: Name = Field(examples=["order", "invoice", "case"])
    value: Short


class Event(Strict):
    """What happened, where, when, to whom. `data` holds what only its type has (`schemas.types`)."""

    id: Short = Field(description="Unique within its source and the same on every retry.")
    source: Short = Field(description="The registered source; `name/path` where a source has several emitters.")
    type: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
    occurred_at: AwareDatetime = Field(description="When it happened (CloudEvents `time`), with its time zone.")
    received_at: AwareDatetime | None = Field(
        default=None, description="When ingest accepted it (CloudEvents extension `recordedtime`)."
    )
    channel: Name = Field(description="Where the customer was.")
    direction: Direction = Direction.inbound
    author: Author | None = None
    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=50)] = ()
    conversation: Short | None = Field(default=None, description="The source's own key for the conversation.")
    text: str | None = Field(default=None, description="What was written or said, whole.")
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    references: Annotated[tuple[Reference, ...], Field(max_length=100)] = ()
    data: dict[str, Any] = Field(default_factory=dict)
    extensions: dict[str, str | int | bool] = Field(
        default_factory=dict, description="CloudEvents attributes that are not ours, kept as they came."
    )

    @field_validator("occurred_at", "received_at")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        return moment and moment.astimezone(UTC)

    @property
    def system(self) -> str:
        """The registered source's name, without the path of the emitter behind it."""
        return self.source.split("/", 1)[0]
