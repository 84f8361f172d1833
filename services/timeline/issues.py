"""A customer's statements in a window threaded into issues: what belongs together, why, and how surely. Pure.

Statements are taken in order of time, then event, whatever the order they are given in, so that the order of arrival
can't matter. Each joins by the strongest reason there is: a person's word, its conversation, a shared reference, the
likeness of what it tells; what tells nothing by itself (any news?, thanks) belongs to the last issue spoken of.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from services.timeline.comparisons import Comparisons
from services.timeline.statements import Kind, Statement
from services.timeline.tokens import numbers, tokens

WINDOW = timedelta(days=30)
TITLE = 80
SURE = 0.99  # of two that share a reference, at least


class Reason(StrEnum):
    """Why a statement belongs to its issue, strongest first."""

    person = "a person said so"
    conversation = "same conversation"
    reference = "same reference"
    similarity = "similar words"
    latest = "latest issue"
    first = "first of its issue"


class State(StrEnum):
    """How an issue stands."""

    open = "open"
    waiting = "waiting"
    resolved = "resolved"
    reopened = "reopened"


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's word that two events tell one issue, or not; of two about the same pair the later counts.

    `one` may also be an interaction: then it is said of each event in it, whenever that comes.
    """

    at: datetime
    one: str
    other: str
    same: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What says how an interaction stands: that the company answered (`waiting`), or that it is done (`resolved`).

    `where` may also be an event: then it is a person's word on the issue which that event tells, whatever it was.
    """

    at: datetime
    where: str
    state: State


Word = Correction | Mark  # of a person


@dataclass(frozen=True, slots=True)
class Membership:
    """A statement in its issue: why, how surely, next to which one, and what agreed."""

    statement: Statement
    reason: Reason
    score: float
    nearest: str | None = None
    agreed: tuple[str, ...] = ()


@dataclass(slots=True)
class Issue:
    """A matter over all its interactions; its id is that of its first statement's event."""

    members: list[Membership] = field(default_factory=list)
    state: State = State.open

    @property
    def id(self) -> str:
        """The same for as long as the same statement is its first."""
        return named_by(self.members[0].statement.event)

    @property
    def title(self) -> str:
        """The customer's own words where they first explained it."""
        said = [one.statement for one in self.members]
        told = next((one for one in said if one.kind == Kind.explanation), said[0])
        line = " ".join(told.text.split())
        return line if len(line) <= TITLE else line[:TITLE].rsplit(" ", 1)[0] + " …"


def named_by(event: str) -> str:
    """The id of the issue that an event begins; it goes on to name that event when an earlier one begins it."""
    return hashlib.blake2b(event.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class _Found:
    score: float
    reason: Reason
    issue: Issue
    nearest: str | None = None
    agreed: tuple[str, ...] = ()


def issues(
    statements: Iterable[Statement],
    by: Comparisons,
    corrections: Iterable[Correction] = (),
    marks: Iterable[Mark] = (),
    window: timedelta = WINDOW,
) -> list[Issue]:
    """The issues of one customer, by their first statement. The same for any order of what is given."""
    ordered = sorted(set(statements), key=lambda one: (one.at, one.event))
    words = _words(corrections, ordered)
    made: list[Issue] = []
    for said in ordered:
        barred = _barred(said, made, words) if words else ()
        near = [
            issue for issue in made
            if issue.members[-1].statement.at >= said.at - window and id(issue) not in barred
        ]  # fmt: skip
        found = (words and _by_person(said, made, words)) or _by_itself(said, near, by)
        issue = found.issue if found else Issue()
        reason, score = (found.reason, found.score) if found else (Reason.first, 1.0)
        nearest, agreed = (found.nearest, found.agreed) if found else (None, ())
        if not found:
            made.append(issue)
        issue.members.append(Membership(said, reason, score, nearest, agreed))
    for issue in made:
        issue.state = _state(issue, marks := list(marks))
    return made


def _words(corrections: Iterable[Correction], said: Iterable[Statement]) -> Mapping[frozenset[str], bool]:
    ordered = sorted(corrections, key=lambda one: (one.at, one.one, one.other, one.same))
    held: dict[str, list[str]] = {}
    for statement in said if ordered else ():
        held.setdefault(statement.interaction, []).append(statement.event)
    return {frozenset((event, one.other)): one.same for one in ordered for event in held.get(one.one, (one.one,))}


def _barred(said: Statement, made: Sequence[Issue], words: Mapping[frozenset[str], bool]) -> set[int]:
    return {
        id(issue) for issue in made for one in issue.members
        if words.get(frozenset((said.event, one.statement.event))) is False
    }  # fmt: skip


def _by_person(said: Statement, made: Sequence[Issue], words: Mapping[frozenset[str], bool]) -> _Found | None:
    for issue in reversed(made):
        for one in issue.members:
            if words.get(frozenset((said.event, one.statement.event))):
                return _Found(1.0, Reason.person, issue, one.statement.event)
    return None


def _by_itself(said: Statement, near: Sequence[Issue], by: Comparisons) -> _Found | None:
    """By conversation or the strongest agreement; what explains nothing goes to the latest issue."""
    here = [issue for issue in near if any(one.statement.interaction == said.interaction for one in issue.members)]
    tells = said.kind == Kind.explanation
    found = _alike(said, near, by, likeness=tells and not here)
    if found:
        return found
    if here:
        return _Found(1.0, Reason.conversation, max(here, key=_last))
    return _Found(0.5, Reason.latest, max(near, key=_last)) if near and not tells else None


def _last(issue: Issue) -> tuple[datetime, str]:
    return issue.members[-1].statement.at, issue.members[-1].statement.event


def _alike(said: Statement, near: Sequence[Issue], by: Comparisons, likeness: bool) -> _Found | None:
    """The explanation that shares a reference and agrees most; without one, with `likeness`, that which agrees most."""
    told = {
        one.statement.event: (one.statement, issue) for issue in near if said.references or likeness
        for one in issue.members if one.statement.kind == Kind.explanation
    }  # fmt: skip
    sharing = [one for one, _ in told.values() if _shared(one, said)]
    if sharing and (found := by.closest(sharing, [said], floor=SURE)):
        shared = sorted(f"{kind} {value}" for kind, value in _shared(found.one, said))
        return _Found(found.score, Reason.reference, told[found.one.event][1], found.one.event, tuple(shared))
    if likeness and (found := by.closest((one for one, _ in told.values()), [said], by.threshold(said.language))):
        why = by.agreement(found.one, said)
        agreed = why.references + why.words + by.meant(found.one, said)
        return _Found(found.score, Reason.similarity, told[found.one.event][1], found.one.event, agreed)
    return None


def _shared(one: Statement, other: Statement) -> set[tuple[str, str]]:
    """The references that both have, or one has and the other names."""
    either = {*one.references, *other.references}
    if not either:
        return either
    mine, theirs = _named(one.matter), _named(other.matter)
    return {
        reference for reference in either
        if (reference in one.references or reference[1].lower() in mine)
        and (reference in other.references or reference[1].lower() in theirs)
    }  # fmt: skip


@lru_cache(maxsize=20_000)
def _named(matter: str) -> set[str]:
    return numbers(tokens(matter))


def _state(issue: Issue, marks: Sequence[Mark]) -> State:
    """By what happened last: a closing resolves, an answer makes it wait, more words open it again; a person's word
    on it is taken as it is."""
    events = {one.statement.event for one in issue.members}
    interactions = {one.statement.interaction for one in issue.members}
    steps = [(mark.at, 1, mark.state) for mark in marks if mark.where in interactions]
    steps += [(mark.at, 2, mark.state) for mark in marks if mark.where in events]
    for said in (one.statement for one in issue.members):
        if said.kind != Kind.smalltalk:
            steps.append((said.at, 0, State.resolved if said.kind == Kind.closing else State.open))
    state = State.open
    for _, rank, step in sorted(steps):
        back = not rank and step == State.open and state in (State.resolved, State.reopened)
        state = State.reopened if back else step
    return state
