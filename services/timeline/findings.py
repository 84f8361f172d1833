"""What a customer's events come to: their issues, the contacts that repeat, the facts on record. Pure.

The same for any order of the events, so merges, late events and corrections need nothing but to look again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.data import Passage
from schemas.event import Direction, Event, Role
from services.timeline.facts import Fact, Sort, facts
from services.timeline.issues import Correction, Issue, Mark, State, issues
from services.timeline.repeats import Known, Repeat, repeats
from services.timeline.similarity import Similarity
from services.timeline.statements import SAID, statement
from services.timeline.unions import Unions

ENDINGS = ("call.ended", "chat.ended")
TELLING = tuple(sorted({*SAID, *ENDINGS, "message.sent"}))  # types of events that findings come from
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


@dataclass(frozen=True, slots=True)
class Findings:
    """Issues by their first statement, repeats by time, facts by time."""

    issues: Sequence[Issue]
    repeats: Sequence[Repeat]
    facts: Sequence[Fact]


def findings(
    events: Iterable[Seen],
    by: Similarity,
    window: timedelta,
    joined: Unions,
    shown: Iterable[datetime] = (),
    corrections: Iterable[Correction] = (),
) -> Findings:
    """All of one customer. `joined`: since when their identifiers are one; `shown`: when somebody looked at them."""
    seen = {one.key: one for one in events}
    told = (statement(one.event, one.interaction) for one in seen.values())
    found = issues(filter(None, told), by, corrections, filter(None, map(_mark, seen.values())))
    said = facts(one.event for one in seen.values())
    known = Known(
        {key: one.event.received_at or one.event.occurred_at for key, one in seen.items()},
        lambda earlier, later: joined.since(seen[earlier].identifier, seen[later].identifier),
        sorted(shown),
    )
    return Findings(found, repeats(found, by, known, window, asked_again(said, seen)), said)


def correction(event: Event) -> Correction:
    """What a person said of two passages."""
    one, other = (f"{said['source']} {said['event']}" for said in (event.data["one"], event.data["other"]))
    return Correction(event.occurred_at, one, other, event.type == "issue.joined")


def asked_again(said: Iterable[Fact], seen: Mapping[str, Seen]) -> dict[str, str]:
    """The interactions in which we asked for what was told in an earlier one, with the event that tells it."""
    told, found = dict[str, dict[str, str]](), dict[str, str]()
    for fact in said:
        here = seen[fact.event].interaction
        if fact.sort == Sort.told:
            told.setdefault(fact.kind, {})[here] = fact.event
        elif fact.sort == Sort.asked:
            before = [event for interaction, event in told.get(fact.kind, {}).items() if interaction != here]
            found |= {here: before[-1]} if before and here not in found else {}
    return found


def _mark(one: Seen) -> Mark | None:
    """What an event says of how its interaction stands."""
    event = one.event
    if event.type in ENDINGS:
        done = str(event.data.get("disposition", "")).lower() in RESOLVED
        return Mark(event.occurred_at, one.interaction, State.resolved) if done else None
    ours = event.type == "message.sent" and event.direction == Direction.outbound
    written = ours and (event.author is None or event.author.role != Role.system)
    automatic = event.data.get("automatic", "none") != "none"
    return Mark(event.occurred_at, one.interaction, State.waiting) if written and not automatic else None
