"""Which contacts repeat earlier ones of their issue, and whether that could have been avoided. Pure.

A contact is an issue's statements in one interaction. A later contact within the window is a repeat contact; it is an
explanation told again where it explains what an earlier one explained, and a follow-up otherwise.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice

from services.timeline.comparisons import Comparisons
from services.timeline.issues import Issue, Reason
from services.timeline.statements import Kind, Statement
from services.timeline.tokens import tokens

LONGEST = 5  # explanations of a contact that are compared: who writes fifty lines in a chat has told it in these
TELLING = 2  # words beside numbers, of three letters or more, that tell something


class Evidence(StrEnum):
    """What shows that it was explained before, strongest first."""

    person = "a person said so"
    told = "the customer says so"
    asked = "asked for what was on record"
    texts = "the texts agree"


class Context(StrEnum):
    """What whoever was there could have known."""

    unrecorded = "not on record yet"
    unlinked = "not linked then"
    unshown = "linked but not shown"
    shown = "shown before"


@dataclass(frozen=True, slots=True)
class Known:
    """When things became known: events on record, two events on one timeline (None: not yet), the timeline shown."""

    recorded: Mapping[str, datetime]
    linked: Callable[[str, str], datetime | None]
    shown: Sequence[datetime] = ()


@dataclass(frozen=True, slots=True)
class Repeat:
    """A contact that comes back: which statement repeats which, and what that shows."""

    issue: str
    earlier: Statement
    later: Statement
    explained: bool
    evidence: Evidence | None
    score: float
    words: tuple[str, ...]
    context: Context

    @property
    def between(self) -> timedelta:
        """The time between both."""
        return self.later.at - self.earlier.at

    @property
    def channels(self) -> tuple[str, str]:
        """From which channel to which."""
        return self.earlier.channel, self.later.channel

    @property
    def avoidable(self) -> bool:
        """Whether it was on record when they had to explain again, and on this customer's timeline."""
        return self.explained and self.context in (Context.unshown, Context.shown)


def repeats(
    issues: Iterable[Issue],
    by: Comparisons,
    known: Known,
    windows: Sequence[timedelta],
    asked: Container[str] = (),
) -> list[list[Repeat]]:
    """The repeat contacts of one customer within each window, by time. `asked` names interactions in which somebody
    asked for what was on record."""
    found = {window: list[Repeat]() for window in windows}
    for issue in issues:
        for window, one in _of_issue(issue, by, known, windows, asked):
            found[window].append(one)
    return [sorted(found[window], key=lambda one: (one.later.at, one.later.event)) for window in windows]


def _of_issue(
    issue: Issue, by: Comparisons, known: Known, windows: Sequence[timedelta], asked: Container[str]
) -> Iterator[tuple[timedelta, Repeat]]:
    contacts: dict[str, list[Statement]] = {}
    for member in issue.members:
        if member.statement.kind in (Kind.explanation, Kind.followup):
            contacts.setdefault(member.statement.interaction, []).append(member.statement)
    before: list[Statement] = []
    for contact in contacts.values():
        began = contact[0].at, contact[0].event
        past = [one for one in before if (one.at, one.event) < began]  # an earlier contact may go on after it
        made: dict[int, Repeat] = {}  # of windows that reach back to as many, which are the same ones
        for window in windows:
            earlier = [one for one in past if contact[0].at - one.at <= window]
            if earlier and len(earlier) not in made:
                made[len(earlier)] = _repeat(issue, contact, earlier, by, known, asked)
            if earlier:
                yield window, made[len(earlier)]
        before += contact


def _repeat(
    issue: Issue,
    contact: Sequence[Statement],
    earlier: Sequence[Statement],
    by: Comparisons,
    known: Known,
    asked: Container[str],
) -> Repeat:
    """The pair of both contacts that agrees most, as an explanation where both explain."""
    told, again = _explaining(earlier), _explaining(contact)
    if not told or not again:
        first, last = contact[0], max(earlier, key=lambda one: (one.at, one.event))
        return Repeat(issue.id, last, first, False, None, 0.0, (), _context(last, first, known))
    best = by.closest(told, again)
    assert best  # of two that are not empty
    score, one, two = best
    evidence = _evidence(issue, contact, asked)
    agreed = evidence is not None or score >= by.threshold(two.language)
    evidence = evidence or (Evidence.texts if agreed else None)
    why = by.agreement(one, two)
    words = why.references + why.words + by.meant(one, two)
    return Repeat(issue.id, one, two, agreed, evidence, score, words, _context(one, two, known))


def _explaining(said: Sequence[Statement]) -> list[Statement]:
    """What explains: of each contact the longest few, and a number given again only where nothing tells more."""
    contacts: dict[str, list[Statement]] = {}
    for one in sorted(said, key=lambda one: (-len(one.matter), one.at, one.event)):
        if one.kind == Kind.explanation:
            contacts.setdefault(one.interaction, []).append(one)
    longest = [one for contact in contacts.values() for one in contact[:LONGEST]]
    return [one for one in longest if _tells(one.matter)] or longest


@lru_cache(maxsize=20_000)
def _tells(matter: str) -> bool:
    words = (word for word in tokens(matter) if len(word) > 2 and not any(map(str.isdigit, word)))
    return len(list(islice(words, TELLING))) == TELLING


def _evidence(issue: Issue, contact: Sequence[Statement], asked: Container[str]) -> Evidence | None:
    events = {one.event for one in contact}
    if any(one.reason == Reason.person for one in issue.members if one.statement.event in events):
        return Evidence.person
    if any(one.told for one in contact):
        return Evidence.told
    return Evidence.asked if contact[0].interaction in asked else None


def _context(earlier: Statement, later: Statement, known: Known) -> Context:
    recorded, linked = known.recorded.get(earlier.event), known.linked(earlier.event, later.event)
    if recorded is None or recorded >= later.at:
        return Context.unrecorded
    if linked is None or linked >= later.at:
        return Context.unlinked
    begun = max(recorded, linked)
    return Context.shown if any(begun <= shown < later.at for shown in known.shown) else Context.unshown
