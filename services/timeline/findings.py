"""What a customer's events come to: their issues, the contacts that repeat, the facts on record. Pure.

The same for any order of the events, so merges, late events and corrections need nothing but to look again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.data import Passage
from schemas.event import Direction, Event, Role
from services.timeline.comparisons import Comparisons
from services.timeline.facts import Fact, Pattern, Sort, facts
from services.timeline.issues import Correction, Issue, Mark, State, Word, issues
from services.timeline.repeats import Known, Repeat, repeats
from services.timeline.similarity import Similarity
from services.timeline.statements import statement
from services.timeline.unions import Unions

WINDOW = 14  # days within which coming back counts, unless others are asked for
CHANGES = ("message.edited", "message.deleted")
ENDINGS = ("call.ended", "chat.ended")
RESOLVED = frozenset({"resolved", "solved"})  # dispositions


@dataclass(frozen=True, slots=True)
class Seen:
    """An event with the interaction and the identifier it is attached to."""

    event: Event
    interaction: str
    identifier: str

    @property
    def key(self) -> str:
        """The event's name in findings."""
        return f"{self.event.source} {self.event.id}"

    @property
    def passage(self) -> Passage:
        """The same as people name it."""
        return Passage(source=self.event.source, event=self.event.id)


class Dossier(NamedTuple):
    """All that findings are made of: events, since when a customer's identifiers are one, when somebody was shown what
    they told, what people said of their issues."""

    seen: Sequence[Seen]
    joined: Unions
    shown: Sequence[datetime] = ()
    words: Sequence[Word] = ()
    person: bool = True  # otherwise each dealing is somebody's own, as on a switchboard's number


@dataclass(frozen=True, slots=True)
class Findings:
    """Issues by their first statement, repeats by time for each window of so many days, facts by time; and the kinds
    of facts that interactions asked for though they were on record."""

    issues: Sequence[Issue]
    repeats: Mapping[int, Sequence[Repeat]]
    facts: Sequence[Fact]
    asked: Mapping[str, frozenset[str]]


def findings(
    dossier: Dossier, by: Similarity, windows: Sequence[int] = (WINDOW,), patterns: Sequence[Pattern] = ()
) -> Findings:
    """All of one customer, with repeats within each window of days. `patterns`: the deployment's own, of facts."""
    if dossier.person:
        return _of_person(dossier, by, windows, patterns)
    dealings: dict[str, list[Seen]] = {}
    for one in dossier.seen:
        dealings.setdefault(one.interaction, []).append(one)
    parts = [_of_person(dossier._replace(seen=dealings[name]), by, windows, patterns) for name in sorted(dealings)]
    return Findings(
        [issue for part in parts for issue in part.issues], {window: [] for window in windows},
        [fact for part in parts for fact in part.facts], {},
    )  # fmt: skip


def _of_person(dossier: Dossier, by: Similarity, windows: Sequence[int], patterns: Sequence[Pattern]) -> Findings:
    seen = standing(dossier.seen)
    told = [*filter(None, (statement(one.event, one.interaction) for one in seen.values()))]
    words = {one.event: one.text for one in told}
    marks = [*filter(None, map(_mark, seen.values())), *(one for one in dossier.words if isinstance(one, Mark))]
    corrections, comparisons = (one for one in dossier.words if isinstance(one, Correction)), Comparisons(by)
    found = issues(told, comparisons, corrections, marks)
    said = facts(((one.event, words.get(key, "")) for key, one in seen.items()), patterns)
    known = Known(
        {key: one.event.received_at or one.event.occurred_at for key, one in seen.items()},
        lambda earlier, later: dossier.joined.since(seen[earlier].identifier, seen[later].identifier),
        sorted(dossier.shown),
    )
    asked = asked_again(said, seen)
    again = repeats(found, comparisons, known, [timedelta(days=days) for days in windows], asked)
    return Findings(found, dict(zip(windows, again, strict=True)), said, asked)


def standing(seen: Iterable[Seen]) -> dict[str, Seen]:
    """Events by their key with the words that stand: messages as they were written last, without those taken back."""
    found, changes = dict[str, Seen](), list[Seen]()
    for one in seen:
        if one.event.type in CHANGES:
            changes.append(one)
        else:
            found[one.key] = one
    # A message is named by its id, of the source that tells of the change, or of another of the same system.
    own = {(one.event.source, one.event.id): key for key, one in found.items()}
    messages = {(found[key].event.system, found[key].event.id): key for key in sorted(found)} | own
    for change in sorted(changes, key=lambda one: (one.event.occurred_at, one.key)):
        event, message = change.event, str(change.event.data.get("message"))
        key = messages.get((event.source, message)) or messages.get((event.system, message))
        if key is None:
            found[change.key] = change  # all there is of a message that was not told of
        elif change.event.type == "message.deleted":
            found.pop(key, None)
        elif key in found and change.event.text:
            said = found[key].event
            rewritten = said.model_copy(update={"text": change.event.text, "data": {**said.data, "html": None}})
            found[key] = replace(found[key], event=rewritten)
    return found


def asked_again(said: Iterable[Fact], seen: Mapping[str, Seen]) -> dict[str, frozenset[str]]:
    """The interactions in which we asked for what was told in an earlier one, with the kinds of facts."""
    told, found = dict[str, set[str]](), dict[str, frozenset[str]]()
    for fact in said:
        here = seen[fact.event].interaction
        if fact.sort == Sort.told:
            told.setdefault(fact.kind, set()).add(here)
        elif fact.sort == Sort.asked and told.get(fact.kind, set()) - {here}:
            found[here] = found.get(here, frozenset()) | {fact.kind}
    return found


def resolves(event: Event) -> bool:
    """Whether who dealt with an interaction said at its end that it is done."""
    return event.type in ENDINGS and str(event.data.get("disposition", "")).lower() in RESOLVED


def _mark(one: Seen) -> Mark | None:
    """What an event says of how its interaction stands."""
    event = one.event
    if event.type in ENDINGS:
        return Mark(event.occurred_at, one.interaction, State.resolved) if resolves(event) else None
    ours = event.type == "message.sent" and event.direction == Direction.outbound
    written = ours and (event.author is None or event.author.role != Role.system)
    automatic = event.data.get("automatic", "none") != "none"
    return Mark(event.occurred_at, one.interaction, State.waiting) if written and not automatic else None
