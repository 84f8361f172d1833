"""What findings are kept as: rows of issues, contacts and repeats. Pure.

A row stands on the identifier of its first statement, so that a merge or its undoing moves nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from schemas.event import Event, Role
from services.timeline import tally
from services.timeline.facts import Fact, Sort
from services.timeline.findings import Dossier, Findings, Seen, resolves
from services.timeline.interactions import interaction_of
from services.timeline.issues import Issue
from services.timeline.repeats import Repeat
from services.timeline.statements import Kind, Statement

SENTENCE = 1000  # characters of one that is kept
NAME = 128  # of a queue, a team or an agent, which stand together in the keys of figures
SCALE = {5: (1, 25), 100: (0, 1)}  # of a csat: the least there is, and what a step is worth of a hundred
Groups = Callable[[str, str | None], str]  # of what an issue tells in which language; '' for none


class Outcomes(NamedTuple):
    """Rows of one customer, in order."""

    issues: list[tally.Issue]
    contacts: list[tally.Contact]
    repeats: list[tally.Repeat]
    facts: list[tally.Fact]


@dataclass
class Handling:
    """Who dealt with an interaction, the last of each, and how the customer liked it."""

    queue: str = ""
    team: str = ""
    agent: str = ""
    resolved: bool = False
    scores: dict[str, float] = field(default_factory=dict)


def outcomes(dossier: Dossier, found: Findings, blind: bool, group: Groups) -> Outcomes:
    """The rows of findings. `blind`: whose dealings these are, is not known."""
    seen = {one.key: one for one in dossier.seen}
    handled = handling(dossier.seen)
    rows = Outcomes([], [], [], _facts(found.facts, seen))
    for issue in found.issues:
        contacts = _contacts(issue, seen, found, handled)
        told = _explained(issue)
        grouped = group(told.matter, told.language)
        rows.issues.append(_issue(issue, contacts[0].identifier_id, grouped))
        rows.contacts.extend(one._replace(group_id=grouped, blind=blind) for one in contacts)
    where = {one[1:3]: one for one in rows.contacts}
    for window, again in found.repeats.items():
        for one in again:
            contact = where[UUID(one.issue), UUID(one.later.interaction)]
            rows.repeats.append(_repeat(one, window, contact, seen))
    return Outcomes(sorted(rows.issues), sorted(_scored(rows.contacts, handled)), sorted(rows.repeats), rows.facts)


def handling(events: Iterable[Seen]) -> dict[str, Handling]:
    """Who dealt with each interaction."""
    found: dict[str, Handling] = {}
    for one in sorted(events, key=lambda one: (one.event.occurred_at, one.key)):
        event, here = one.event, found.setdefault(about(one), Handling())
        desk = event.data.get("to") if event.type == "call.transferred" else event.data
        desk = desk if isinstance(desk, dict) else {}
        here.queue = _word(desk.get("queue")) or here.queue
        here.team = _word(event.data.get("team")) or here.team
        here.agent = _word(desk.get("agent")) or _agent(event) or here.agent
        here.resolved |= resolves(event)
        if event.type == "feedback.received":
            here.scores |= _score(event.data)
    return found


def about(one: Seen) -> str:
    """The interaction that an event tells of: feedback that of the contact it names."""
    contact = one.event.data.get("contact") if one.event.type == "feedback.received" else None
    if isinstance(contact, dict) and contact.get("source") and contact.get("conversation"):
        return str(interaction_of(contact["source"], contact["conversation"]))
    return one.interaction


def _agent(event: Event) -> str:
    """The person of ours who wrote or spoke."""
    author = event.author
    return _word(author.name or author.id) if author and author.role == Role.agent else ""


def _word(value: object) -> str:
    return value.strip()[:NAME] if isinstance(value, str) else ""


def _score(data: Mapping[str, Any]) -> dict[str, float]:
    """A score by its kind; satisfaction of a hundred, whatever it was given in."""
    least, step = SCALE[data.get("scale", 5)] if data["kind"] == "csat" else (0, 1)
    return {data["kind"]: (float(data["score"]) - least) * step}


def _explained(issue: Issue) -> Statement:
    said = [member.statement for member in issue.members]
    return next((one for one in said if one.kind == Kind.explanation), said[0])


def _issue(issue: Issue, identifier: UUID, group: str) -> tally.Issue:
    said = [member.statement for member in issue.members]
    return tally.Issue(
        identifier, UUID(issue.id), issue.title, issue.state.name, said[0].language or "",
        list(dict.fromkeys(one.channel for one in said)), said[0].at, said[-1].at, group,
    )  # fmt: skip


def _contacts(
    issue: Issue, seen: Mapping[str, Seen], found: Findings, handled: Mapping[str, Handling]
) -> list[tally.Contact]:
    """What was said of an issue in each interaction, by the first of its statements there."""
    firsts: dict[str, Statement] = {}
    for member in issue.members:
        firsts.setdefault(member.statement.interaction, member.statement)
    return [_contact(issue, one, seen[one.event], handled[one.interaction], found) for one in firsts.values()]


def _contact(issue: Issue, said: Statement, first: Seen, by: Handling, found: Findings) -> tally.Contact:
    return tally.Contact(
        UUID(first.identifier), UUID(issue.id), UUID(said.interaction), said.at, first.event.source, first.event.id,
        said.at.date(), said.channel, first.event.system, by.queue, by.team, said.language or "", by.agent, "", False,
        sorted(found.asked.get(said.interaction, ())),
    )  # fmt: skip


def _scored(contacts: Sequence[tally.Contact], handled: Mapping[str, Handling]) -> list[tally.Contact]:
    """With how the customer liked it, at the issue that an interaction was about last."""
    last = {one.interaction_id: one for one in sorted(contacts, key=lambda one: (one.at, one.issue_id))}
    return [
        one._replace(
            nps=scores.get("nps"),
            ces=scores.get("ces"),
            csat=scores.get("csat"),
            resolved=handled[str(one.interaction_id)].resolved,
        )
        for one in contacts
        for scores in [handled[str(one.interaction_id)].scores if last[one.interaction_id] is one else {}]
    ]


def _repeat(one: Repeat, window: int, contact: tally.Contact, seen: Mapping[str, Seen]) -> tally.Repeat:
    earlier, later = seen[one.earlier.event].event, seen[one.later.event].event
    return tally.Repeat(
        *contact[:3], window, one.later.at, contact.day, one.earlier.channel, one.explained,
        one.evidence.name if one.evidence else "", one.context.name, round(one.score, 4),
        round(one.between.total_seconds() / 3600, 4), earlier.source, earlier.id, later.source, later.id,
    )  # fmt: skip


def _facts(said: Iterable[Fact], seen: Mapping[str, Seen]) -> list[tally.Fact]:
    """Of each value on an identifier the latest; what we asked is no fact of the customer's."""
    latest: dict[tuple[str, ...], tally.Fact] = {}
    places = Counter[str]()
    for one in said:
        first = seen[one.event]
        if one.sort != Sort.asked:
            latest[first.identifier, one.sort, one.kind, one.value] = tally.Fact(
                UUID(first.identifier), one.at, first.event.source, first.event.id, places[one.event], one.sort.value,
                one.kind, one.value[:SENTENCE], one.sentence[:SENTENCE], one.due,
            )  # fmt: skip
        places[one.event] += 1
    return sorted(latest.values(), key=lambda one: one[:5])
