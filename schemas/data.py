"""What the `data` of each type of event holds. Fields we know are checked, fields we don't know are kept."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from schemas.event import Name, Short, Strict


def _decimal(amount: Decimal) -> str:
    return format(amount, "f")


def _number(number: float) -> int | float:
    return int(number) if number.is_integer() else number


Number = Annotated[float, Field(allow_inf_nan=False), PlainSerializer(_number, when_used="json")]  # 9, not 9.0
Seconds = Annotated[Number, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
# Money is a decimal text on the wire and in the store ("19.90"), so that no cent is lost; numbers are read.
Amount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=6),
    PlainSerializer(_decimal, when_used="json"),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"^-?\d{1,12}(\.\d{1,6})?$"}),
]


class Data(BaseModel):
    """Base of what only one type has."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Attachment(Data):
    """A file that came along; its content is not kept here."""

    name: str | None = None
    type: str | None = Field(default=None, description="Media type.")
    bytes: Count | None = None


class Message(Data):
    """A mail, chat line or text; the words are in `text`."""

    subject: str | None = None
    html: str | None = Field(default=None, description="The message as HTML, where it came so.")
    attachments: list[Attachment] = []
    automatic: Literal["none", "reply", "bounce", "list"] = Field(
        default="none", description="Written by a machine: an out-of-office reply, a bounce, a mailing list."
    )


class Changed(Data):
    """A message that was written anew, its words in `text`, or taken back. What it said before is kept."""

    message: Short = Field(description="The id of the message's own event, of the same source.")


class Reaction(Changed):
    """A sign that was put on a message; without an emoji: that was taken off again."""

    emoji: str | None = None


class Undelivered(Changed):
    """A message of the company's that did not reach the customer."""

    reason: str | None = None
    code: str | int | None = Field(default=None, description="The channel's own code of the error.")


class Desk(Data):
    """A place in the call centre: a queue, an agent, or both."""

    queue: str | None = None
    agent: str | None = None


class Call(Desk):
    """The parties of a call that rings or starts."""

    number: str | None = Field(default=None, description="The company's own number on this call.")


class MenuChoice(Data):
    """A step in the IVR; what was said there, if anything, is in `text`."""

    path: list[str] = Field(default=[], description="The menus from the first to this one.")
    choice: str | None = Field(default=None, description="The key pressed or the option said.")
    reason: str | None = Field(default=None, description="The reason for calling that the choice stands for.")


class Turn(Data):
    """What one party of a call said; the words are in `text`."""

    speaker: Literal["customer", "agent", "bot"] = "customer"
    offset: Seconds | None = Field(default=None, description="Seconds since the call started.")
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None


class Transfer(Data):
    """Who handed the call to whom."""

    origin: Desk | None = Field(default=None, alias="from")
    target: Desk | None = Field(default=None, alias="to")
    reason: str | None = None


class Hold(Data):
    """A stretch in which the customer waited with an agent on the line."""

    seconds: Seconds | None = None
    reason: str | None = None


class Recording(Data):
    """A recording of a call, or a message left on it; what was said is in turns."""

    recording: str | None = Field(default=None, description="Address of the recording.")
    seconds: Seconds | None = None


class CallEnd(Desk):
    """How a call ended. Handle time is talk + hold + wrap-up."""

    disposition: str | None = Field(default=None, examples=["resolved", "abandoned", "voicemail", "callback"])
    ringing_seconds: Seconds | None = None
    talk_seconds: Seconds | None = None
    hold_seconds: Seconds | None = None
    wrap_up_seconds: Seconds | None = None
    recording: str | None = Field(default=None, description="Address of the recording.")


class ChatStart(Data):
    """Where a chat was opened."""

    url: str | None = None
    queue: str | None = None


class ChatEnd(Data):
    """How a chat ended."""

    disposition: str | None = None
    seconds: Seconds | None = None


class Page(Data):
    """A page of the site."""

    url: str | None = None
    title: str | None = None
    referrer: str | None = None
    name: str | None = None
    properties: dict[str, Any] = {}


class Form(Data):
    """A form that was sent; free text from it belongs in `text`."""

    form: str | None = None
    url: str | None = None
    fields: dict[str, Any] = {}


class Search(Data):
    """What was looked for, and how much was found."""

    query: str
    results: Count | None = None


class Failure(Data):
    """An error the customer saw."""

    message: str | None = None
    code: str | int | None = None
    url: str | None = None


class Named(Data):
    """A screen, or anything that happened in the app."""

    name: str
    properties: dict[str, Any] = {}


class Handle(Strict):
    """An identifier as it is matched: normalised; `scope` is its source where only that source knows it."""

    type: Name
    scope: str
    value: str


class Note(Data):
    """A note by an agent; the words are in `text`."""

    about: Handle | None = Field(default=None, description="In tellonce's own notes: whose timeline it is on.")


class Known(Data):
    """An identifier by type and value."""

    type: Name
    value: Short


class Identified(Data):
    """Who a device or an account is."""

    traits: dict[str, Any] = Field(default={}, description="What the source knows of them, such as `name`.")
    previous: Known | None = Field(default=None, description="The identifier that this customer had before.")


class Pair(Data):
    """Two identifiers that a person declared to be one customer, or two."""

    left: Handle
    right: Handle
    about: Handle | None = Field(default=None, description="The one of them on whose timeline it is.")
    reason: str | None = None


class Bar(Data):
    """An identifier that a person declared to stand for nobody."""

    identifier: Handle
    about: Handle | None = Field(default=None, description="The same, on whose timeline it is.")
    reason: str | None = None


class Passage(Strict):
    """What was said in one event, by the event's name."""

    source: Short
    event: Short = Field(description="Its id.")


class Correction(Data):
    """Two passages that a person declared to tell one issue, or not."""

    one: Passage
    other: Passage
    about: Handle | None = Field(default=None, description="On whose timeline it is.")
    reason: str | None = None


class Talk(Strict):
    """Where the customer is: a conversation of a source, or one event; either may come only later."""

    source: Short
    conversation: Short | None = None
    event: Short | None = Field(default=None, description="Its id.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.conversation is None) == (self.event is None):
            raise ValueError("say conversation or event, one of both")
        return self


class Answered(Data):
    """What a customer said when asked whether it is about an issue that is known."""

    where: Talk
    issue: Passage = Field(description="A passage of the issue.")
    same: bool
    about: Handle | None = Field(default=None, description="On whose timeline it is.")
    reason: str | None = None


class Stated(Data):
    """How an issue stands, as a person said."""

    issue: Passage = Field(description="A passage of the issue.")
    state: Literal["open", "waiting", "resolved", "reopened"]
    about: Handle | None = Field(default=None, description="On whose timeline it is.")
    reason: str | None = None
