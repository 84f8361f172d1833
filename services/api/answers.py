"""What the API answers, as models. Pure: queries fill them, pages and JSON show them."""

from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, computed_field

from schemas.event import Verification
from services.api.descriptions import describe
from services.api.hints import Known, Likely
from services.api.oddities import data_of
from services.api.summaries import describe_interaction

NEXT = """`cursor` of the next, older page; null at the end. A page looks at a limited number of events, however rare
what is asked for: it may hold few items or none and go on nevertheless."""


class Answer(BaseModel):
    """Base of all answers: immutable."""

    model_config = ConfigDict(frozen=True)


class Trouble(Answer):
    """The one form of every error."""

    code: str = Field(description="Stable; programs decide by it.", examples=["unknown_customer"])
    message: str = Field(examples=["Nobody is known by this."])
    hint: str = Field(description="What to do next.", examples=["Check the identifier, or take it as a new customer."])


class KnownIdentifier(Answer):
    """A handle of a customer, normalised."""

    id: UUID
    type: str = Field(examples=["phone"])
    scope: str = Field(description="The only source that knows ids of this kind; empty: they mean the same everywhere.")
    value: str = Field(examples=["+37255512345"])
    verification: Verification
    shared: bool = Field(description="Seen with several accounts (a switchboard, a family's phone): it links nobody.")
    first_seen: AwareDatetime


class ChannelSummary(Answer):
    """How much a customer has used one channel."""

    channel: str = Field(examples=["email"])
    interactions: int
    events: int
    first_at: AwareDatetime
    last_at: AwareDatetime


class Customer(Answer):
    """Who a customer is and how they were reached."""

    id: UUID = Field(description="The present id. Ids from before a merge keep resolving to it.")
    asked: UUID = Field(description="The id that was asked for.")
    name: str | None = Field(examples=["Mari Maasikas"])
    names: list[str] = Field(description="All names they went by, newest first.")
    identifiers: list[KnownIdentifier] = Field(description="Oldest first.")
    channels: list[ChannelSummary] = Field(description="Most recently used first.")
    interactions: int
    events: int
    at_least: bool = Field(
        default=False,
        description="There is more than is counted: the numbers, here and by channel, are of the newest only.",
    )
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    members: str = Field(description="Changes whenever identifiers come or go; the live stream says so too.")
    live: str = Field(description="Where to start the live stream (`?after=`) so that nothing after this is missed.")


class Revision(Answer):
    """What became of a message after it was written."""

    at: AwareDatetime = Field(description="When it was edited last, or taken back.")
    text: str | None = Field(description="The words that stand; null if it was taken back.")
    deleted: bool
    earlier: list[str] = Field(description="What it said before, oldest first.")


class About(Answer):
    """The dealing that a survey's answer is about, as the survey says; it is the same customer's."""

    interaction: UUID
    channel: str = Field(examples=["phone"])
    started_at: AwareDatetime


class Happening(Answer):
    """One event on a timeline."""

    key: UUID = Field(description="The same for every delivery of the event.")
    interaction: UUID
    event: dict[str, Any] = Field(description="The event as CloudEvents JSON.")
    revision: Revision | None = Field(
        default=None,
        description="In interactions: set if the message was edited or taken back; `event` stays as it was.",
    )
    marks: list[str] = Field(
        default=[],
        description="What is odd about it: characters replaced, a wrong clock, other contents under the same id.",
        examples=[["came again with other content"]],
    )
    about: About | None = Field(default=None, description="Of a survey's answer: what it is about, if it is known.")

    @computed_field(  # type: ignore[prop-decorator]
        description="In a short English sentence.", examples=["Customer wrote: “My parcel is lost.”"]
    )
    @cached_property
    def summary(self) -> str:
        """With the words that stand. Made when it is asked for: a brief reads many and tells few."""
        revised = self.revision and {**self.event, "data": {**data_of(self.event), "text": self.revision.text}}
        return describe(revised or self.event)


class Interaction(Answer):
    """One dealing on one channel: a call, a chat, a mail conversation, a visit."""

    id: UUID
    source: str
    channel: str
    conversation: str | None = Field(description="The source's own key for it.")
    started_at: AwareDatetime
    last_at: AwareDatetime
    events: int
    inbound: int
    outbound: int
    last_inbound_at: AwareDatetime | None
    last_outbound_at: AwareDatetime | None
    closed_at: AwareDatetime | None
    items: list[Happening] = Field(
        description="Its newest events, oldest first; all of them by `view=flat&interaction=`."
    )

    @computed_field(examples=["Mail “Lost parcel”, 3 messages"])  # type: ignore[prop-decorator]
    @cached_property
    def summary(self) -> str:
        """What it was, judged by these events."""
        return describe_interaction(self.channel, self.events, [item.event for item in self.items])


class Timeline(Answer):
    """A page of a customer's timeline, newest first."""

    customer: UUID
    view: Literal["interactions", "flat"]
    items: list[Interaction] | list[Happening]
    next: str | None = Field(description=NEXT)


class Link(Answer):
    """That one event named two identifiers, or that somebody said they are one."""

    left: UUID
    right: UUID
    rule: str = Field(examples=["same event"])
    occurred_at: AwareDatetime
    linked_at: AwareDatetime
    source: str
    event_id: str
    refused: str | None = Field(description="Why it does not make its ends one customer; null: it does.")


class Decision(Answer):
    """What a person decided about two identifiers, or about one (`bar`)."""

    left: UUID
    right: UUID
    verdict: str = Field(examples=["merge"])
    author: str | None
    reason: str | None
    occurred_at: AwareDatetime


class Neighbour(KnownIdentifier):
    """An identifier at an end of a link or decision, with the customer it belongs to."""

    customer: UUID


class Identity(Answer):
    """Why a customer is who they are: identifiers, what links them, what people decided."""

    customer: UUID
    identifiers: list[Neighbour] = Field(description="The customer's own, and others at the far end of refused links.")
    links: list[Link] = Field(description="Newest first, at most 1,000.")
    decisions: list[Decision] = Field(description="Newest first.")


class Found(Answer):
    """A customer that a search found."""

    id: UUID
    name: str | None
    identifiers: list[KnownIdentifier]
    last_seen: AwareDatetime


class Findings(Answer):
    """What a search found, best first."""

    query: str
    customers: list[Found]


class Words(Answer):
    """Something written or said."""

    at: AwareDatetime
    by: str | None = Field(default=None, examples=["Anna"])
    text: str


class Recap(Answer):
    """One interaction as a brief tells it."""

    id: UUID
    channel: str
    subject: str | None
    started_at: AwareDatetime
    last_at: AwareDatetime
    said: list[Words] = Field(description="What the customer said, the three longest in order of time, shortened.")
    answered: Words | None = Field(description="What we said last.")
    path: list[str] = Field(description="The way through the phone menu.", examples=[["Internet", "Faults"]])
    reason: str | None = Field(description="What the caller chose as reason.")
    outcome: str | None = Field(examples=["resolved"])


class Deed(Answer):
    """What a customer did or met; `times` where it was the same several times on end."""

    at: AwareDatetime
    channel: str
    summary: str = Field(examples=["Viewed “Returns”"])
    times: int = 1


class SeenReference(Answer):
    """A number that the customer's dealings are about."""

    type: str = Field(examples=["order"])
    value: str = Field(examples=["1001"])
    last_at: AwareDatetime


class Analysis(Answer):
    """Whether texts of this customer still wait to be analysed."""

    pending: bool


class Brief(Answer):
    """Prior context of one customer, for whoever helps next."""

    ambiguous: Literal[False] = False
    customer: Customer
    issue: Likely | None = Field(default=None, description="What they probably come about, as analysed last.")
    facts: list[Known] = Field(default=[], description="Not to be asked again; the latest first.")
    open: list[Recap] = Field(description="Waiting for our answer, newest first.")
    recent: list[Recap] = Field(description="The last dealings over all channels, newest first.")
    notes: list[Words] = Field(description="What agents noted, newest first.")
    activity: list[Deed] = Field(description="What they did on the site and in the app, newest first.")
    feedback: Deed | None
    purchases: list[Deed]
    deliveries: list[Deed]
    billing: list[Deed]
    references: list[SeenReference] = Field(description="Orders, invoices, cases: newest first.")
    analysis: Analysis


class Candidates(Answer):
    """Several customers fit what was asked; ask them for one identifier more and ask again with both."""

    ambiguous: Literal[True] = True
    candidates: list[Brief]
