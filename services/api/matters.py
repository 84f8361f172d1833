"""What is known of a customer's matters, as the API answers it: issues, repeats, facts. Pure."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, Field

from services.api.answers import Answer
from services.timeline.facts import Fact, Sort
from services.timeline.findings import WINDOW, Findings, Seen
from services.timeline.issues import Issue, Membership, State
from services.timeline.repeats import Context, Evidence, Repeat
from services.timeline.statements import Kind, Statement


class Passage(Answer):
    """What the customer said in one event, cleaned."""

    source: str
    event: str = Field(description="The event's id, of its source.")
    interaction: UUID
    at: AwareDatetime
    channel: str
    kind: Kind
    text: str


class Member(Passage):
    """A passage of an issue: why it belongs there, how surely, and what agreed."""

    reason: str
    score: float = Field(ge=0, le=1)
    agreed: list[str] = Field(description="Words and references that say so.")


class Again(Answer):
    """A contact that comes back about its issue, with the two passages side by side."""

    earlier: Passage
    later: Passage
    explained: bool = Field(description="They had to explain it again; otherwise they followed up.")
    evidence: Evidence | None
    score: float = Field(description="How surely the two passages tell the same, 0 to 1.")
    agreed: list[str]
    hours: float = Field(description="Between the two.")
    context: Context = Field(description="What whoever was there could have known of the earlier one.")
    avoidable: bool = Field(description="It was on record, and on this customer's timeline.")


class Matter(Answer):
    """A matter over all its interactions and channels."""

    id: UUID
    title: str = Field(description="In the customer's own words.")
    state: State
    opened_at: AwareDatetime
    last_at: AwareDatetime
    channels: list[str]
    members: list[Member] = Field(description="Oldest first.")
    repeats: list[Again]


class Matters(Answer):
    """A customer's issues, the one last spoken of first."""

    customer: UUID
    window: int = Field(description="Days within which coming back counts.")
    issues: list[Matter]


class Recorded(Answer):
    """Something on record, with the sentence that says it."""

    sort: Sort
    kind: str = Field(examples=["order"])
    value: str = Field(examples=["48213"])
    sentence: str
    source: str
    event: str
    at: AwareDatetime
    due: date | None = Field(description="Of a promise: the day that was said.")


class Record(Answer):
    """What a customer told and tried, what we promised and asked, newest first."""

    customer: UUID
    facts: list[Recorded]


class Check(Answer):
    """Whether what is about to be asked is on record, and where; each value once, newest first."""

    customer: UUID
    known: bool
    answers: list[Recorded]


def matters(found: Findings, seen: Sequence[Seen], window: int = WINDOW) -> list[Matter]:
    """Issues as they are answered, with what repeats within a window of days."""
    events = {one.key: one for one in seen}
    newest = sorted(found.issues, key=lambda issue: (issue.members[-1].statement.at, issue.id), reverse=True)
    return [_matter(issue, [one for one in found.repeats[window] if one.issue == issue.id], events) for issue in newest]


def recorded(fact: Fact, seen: dict[str, Seen]) -> Recorded:
    """A fact as it is answered."""
    event = seen[fact.event].event
    return Recorded(
        sort=fact.sort, kind=fact.kind, value=fact.value, sentence=fact.sentence, source=event.source, event=event.id,
        at=fact.at, due=fact.due,
    )  # fmt: skip


def _matter(issue: Issue, again: Sequence[Repeat], events: dict[str, Seen]) -> Matter:
    said = [member.statement for member in issue.members]
    return Matter(
        id=UUID(issue.id), title=issue.title, state=issue.state, opened_at=said[0].at, last_at=said[-1].at,
        channels=list(dict.fromkeys(one.channel for one in said)),
        members=[_member(one, events) for one in issue.members],
        repeats=[_again(one, events) for one in again],
    )  # fmt: skip


def _member(one: Membership, events: dict[str, Seen]) -> Member:
    passage = _passage(one.statement, events).model_dump()
    return Member(**passage, reason=one.reason, score=round(one.score, 3), agreed=list(one.agreed))


def _again(one: Repeat, events: dict[str, Seen]) -> Again:
    return Again(
        earlier=_passage(one.earlier, events), later=_passage(one.later, events), explained=one.explained,
        evidence=one.evidence, score=round(one.score, 3), agreed=list(one.words), context=one.context,
        hours=round(one.between.total_seconds() / 3600, 1), avoidable=one.avoidable,
    )  # fmt: skip


def _passage(said: Statement, events: dict[str, Seen]) -> Passage:
    event = events[said.event].event
    return Passage(
        source=event.source, event=event.id, interaction=UUID(said.interaction), at=said.at, channel=said.channel,
        kind=said.kind, text=said.text,
    )  # fmt: skip
