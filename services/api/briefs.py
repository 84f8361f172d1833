"""The brief: prior context of one customer for whoever helps next, as JSON and as text of any length. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from schemas.types import TYPES
from services.api import remembered
from services.api.answers import (
    Analysis,
    Brief,
    Candidates,
    Customer,
    Deed,
    Happening,
    Interaction,
    Recap,
    SeenReference,
    Words,
)
from services.api.likely import NOTHING, Kept, known, likely, speakable
from services.api.oddities import data_of
from services.api.phrases import ago, by, counted, plain, quoted, shortened, unquoted
from services.api.revisions import ABOUT, standing
from services.api.summaries import outcome, subject

Wire = Mapping[str, Any]  # an event as canonical CloudEvents JSON

PATIENCE = timedelta(days=30)  # what nobody answered for longer is no longer called open
OPEN, RECENT, DEEDS, REFERENCES, EACH = 5, 5, 10, 10, 3  # how many of each a brief has
STATEMENT = 500  # characters of one statement
ASKING, TOLD = ("message.", "call.", "chat."), ("shop.", "review.")  # talk that wants an answer, and talk that has it
CLOSING = ("call.ended", "chat.ended")


@dataclass(frozen=True)
class Context:
    """What is on record: the newest dealings and visits with their events, newest first, and the newest notes,
    purchases, deliveries, bills and answers to surveys."""

    customer: Customer
    dealings: Sequence[Interaction] = ()
    visits: Sequence[Interaction] = ()
    milestones: Sequence[Happening] = ()
    pending: bool = False
    kept: Kept = NOTHING


def build(context: Context, now: datetime, internal: bool = True) -> Brief:
    """The brief of one customer; with `internal` agents' notes, which are no channel's to speak."""
    spoken = [one for one in context.dealings if any(_is_talk(item.event) for item in one.items)]
    waiting = [one for one in spoken if one.last_at >= now - PATIENCE and is_waiting(one)]
    notes = [one.event for one in context.milestones if internal and one.event["type"] == "note.written"]
    return Brief(
        customer=context.customer,
        issue=likely(context.kept, now),
        facts=known(context.kept.facts),
        open=[recap(one) for one in waiting[:OPEN]],
        recent=[recap(one) for one in spoken[:RECENT]],
        notes=[_words(event) for event in notes[:EACH]],
        activity=_activity(context.visits),
        feedback=next(iter(_deeds(context, "feedback.received")), None),
        purchases=_deeds(context, "purchase.made"),
        deliveries=_deeds(context, "delivery.updated"),
        billing=_deeds(context, "billing.updated"),
        references=_references(context),
        analysis=Analysis(pending=context.pending),
    )


def is_waiting(interaction: Interaction) -> bool:
    """Whether the customer had the last word and wants an answer.

    Automatic replies, bounces and a system's own notices are nobody's word.
    """
    for event in reversed(standing(interaction.items)):
        if event["type"] in CLOSING or _answers(event):
            return False
        if _asks(event):
            return True
    return False


def recap(interaction: Interaction) -> Recap:
    """One interaction as the brief tells it."""
    events = standing(interaction.items)
    said = [event for event in events if _is_statement(event)]
    longest = sorted(said, key=lambda event: len(unquoted(data_of(event)["text"])), reverse=True)[:EACH]
    answers = (event for event in reversed(events) if _answers(event) and data_of(event).get("text"))
    steps = [data_of(event) for event in events if event["type"] == "call.menu_choice"]
    return Recap(
        id=interaction.id,
        channel=interaction.channel,
        subject=subject(events),
        started_at=interaction.started_at,
        last_at=interaction.last_at,
        said=[_words(event) for event in said if event in longest],
        answered=next((_words(event) for event in answers), None),
        path=next((list(map(str, step["path"])) for step in reversed(steps) if step.get("path")), []),
        reason=next((str(step["reason"]) for step in reversed(steps) if step.get("reason")), None),
        outcome=outcome(events),
    )


def text(brief: Brief | Candidates, length: int, now: datetime) -> str:
    """The brief in at most `length` characters (80 or more), the most useful first.

    It names the customer, but no address and no number that they may be known by, so that it may be spoken; only
    numbers of orders and the like that a source gave as such.
    """
    if isinstance(brief, Candidates):
        return shortened(_choice(brief, now), length)
    lines: list[str] = []
    room = length
    for group in _groups(brief, now, width=min(280, max(40, length * 3 // 8))):
        line: list[str] = []
        for sentence in group:
            if len(sentence) + 1 > room:
                break
            line.append(sentence)
            room -= len(sentence) + 1
        lines += [" ".join(line)] if line else []
    return ("\n" if length >= 1000 else " ").join(lines)


def _groups(brief: Brief, now: datetime, width: int) -> Iterator[Iterable[str]]:
    """Sentences, most useful first; within a group the later make no sense without the earlier."""
    customer, told = brief.customer, {one.id for one in brief.open}
    others = sorted((one for one in brief.recent if one.id not in told), key=lambda one: not one.said)
    starts = {one.id: "Last contact:" if one == brief.recent[0] else "Earlier:" for one in others}
    yield [_sentence(shortened(_name(customer) or "Customer without a name", 40))]
    if brief.issue:
        yield remembered.about(brief.issue, now)
    if brief.analysis.pending and (brief.issue or brief.facts):
        yield ["More is still being read."]
    yield from remembered.facts(brief.facts, now)
    for one in brief.open[:1]:
        yield _told(one, now, width, "Not answered yet:")
    for one in others[:1]:
        yield _told(one, now, width, starts[one.id])
    for note in brief.notes[:1]:
        yield [_sentence(f"Note by {note.by or 'us'} {ago(note.at, now)}: {_quoted(note.text, width)}")]
    if brief.activity:
        deeds = "; ".join(deed.summary + f" ({deed.times} times)" * (deed.times > 1) for deed in brief.activity[:4])
        yield [_sentence(f"Online {ago(brief.activity[0].at, now)}: {speakable(deeds, width)}")]
    for deed in (*brief.deliveries[:1], *brief.billing[:1], *brief.purchases[:1]):
        yield [_done(deed.at, shortened(deed.summary, width), now)]
    if brief.feedback:
        yield [_done(brief.feedback.at, speakable(brief.feedback.summary, width), now)]
    for one in brief.open[1:]:
        yield _told(one, now, width, "Also not answered:")
    for one in others[1:]:
        yield _told(one, now, width, starts[one.id])
    if brief.issue:
        yield [f"Ask: {brief.issue.question}"]
    if brief.references:
        yield [_sentence(f"Numbers: {', '.join(f'{one.type} {one.value}' for one in brief.references[:EACH])}")]
    used = ", ".join(plain(channel.channel) for channel in customer.channels[:5])
    count = f"{'more than ' * customer.at_least}{counted(customer.interactions, 'interaction')}"
    yield [_sentence(f"Known since {customer.first_seen:%b %Y}, {count}: {used}")]


def _told(one: Recap, now: datetime, width: int, start: str) -> Iterator[str]:
    about = f" about {_quoted(one.subject, 60)}" if one.subject else ""
    way = f", chose {speakable(' › '.join(one.path))}" if one.path else ""
    longest = max(one.said, key=lambda words: len(words.text), default=None)
    said = f": {_quoted(longest.text, width)}" if longest else ""
    at = one.said[-1].at if one.said else one.last_at
    yield _sentence(f"{start} {ago(at, now)} {by(one.channel)}{about}{way}{said}")
    if one.answered:
        yield _sentence(f"{one.answered.by or 'We'} answered: {_quoted(one.answered.text, width // 2)}")
    if one.outcome:
        yield _sentence(f"Outcome: {one.outcome}")


def _quoted(words: str, width: int) -> str:
    return quoted(speakable(unquoted(words), width), width)


def _done(at: datetime, what: str, now: datetime) -> str:
    when = ago(at, now)
    return _sentence(f"{when[0].upper()}{when[1:]}: {what}")


def _sentence(words: str) -> str:
    """Words with a full stop, unless a quote ends with one."""
    return words if words.endswith((".”", "!”", "?”", "…”", "…", ".")) else words + "."


def _choice(found: Candidates, now: datetime) -> str:
    """The candidates, told apart without giving any of them away."""
    named = [
        f"{_discreet(_name(one.customer))}, last here {ago(one.customer.last_seen, now)}" for one in found.candidates
    ]
    return f"{len(named)} customers fit; ask for one identifier more. {'; '.join(named)}."


def _name(customer: Customer) -> str:
    """What they are called, unless that is an address or a number; may be empty."""
    return speakable(customer.name or "").strip("… ")


def _discreet(name: str) -> str:
    """A first name and an initial."""
    first, *others = name.split() or ["Nameless"]
    return shortened(first, 20) + "".join(f" {other[0]}." for other in others[-1:])


def _role(event: Wire) -> str:
    inbound = "customer" if event["direction"] == "inbound" else "agent"
    return str((data_of(event).get("author") or {}).get("role") or inbound)


def _is_automatic(event: Wire) -> bool:
    return data_of(event).get("automatic", "none") != "none" or _role(event) == "system"


def _is_talk(event: Wire) -> bool:
    """Whether it is part of a dealing; of types we don't know those with words are."""
    known = event["type"].startswith(ASKING + TOLD)
    return known or (event["type"] not in TYPES and bool(data_of(event).get("text")))


def _asks(event: Wire) -> bool:
    """Whether this wants an answer; a survey's answer, a purchase or a login does not."""
    is_said = _is_talk(event) and event["type"] not in ABOUT and not event["type"].startswith(TOLD)
    return is_said and event["direction"] == "inbound" and not _is_automatic(event)


def _answers(event: Wire) -> bool:
    return event["direction"] == "outbound" and event["type"] not in ABOUT and not _is_automatic(event)


def _is_statement(event: Wire) -> bool:
    """Whether the customer said something in it."""
    spoken = event["direction"] == "inbound" and _role(event) == "customer" and not _is_automatic(event)
    return spoken and bool(str(data_of(event).get("text") or "").strip())


def _words(event: Wire) -> Words:
    name = (data_of(event).get("author") or {}).get("name")
    words = shortened(unquoted(str(data_of(event).get("text") or "")), STATEMENT)
    return Words(at=datetime.fromisoformat(event["time"]), by=name, text=words)


def _deed(item: Happening, times: int = 1) -> Deed:
    event = item.event
    return Deed(at=datetime.fromisoformat(event["time"]), channel=event["channel"], summary=item.summary, times=times)


def _deeds(context: Context, type: str) -> list[Deed]:
    return [_deed(item) for item in context.milestones if item.event["type"] == type][:EACH]


def _activity(visits: Sequence[Interaction]) -> list[Deed]:
    """What they did on the site and in the app, newest first; the same several times on end is told once."""
    items = [item for visit in visits for item in visit.items if item.event["direction"] != "internal"]
    items.sort(key=lambda item: item.event["time"], reverse=True)
    stretches = [list(same) for _, same in groupby(items, key=lambda item: item.summary)]
    return [_deed(same[0], len(same)) for same in stretches[:DEEDS]]


def _references(context: Context) -> list[SeenReference]:
    groups = [one.items for one in (*context.dealings, *context.visits)]
    latest: dict[tuple[str, str], str] = {}
    for event in (item.event for items in (*groups, context.milestones) for item in items):
        for reference in data_of(event).get("references") or ():
            name = reference["type"], reference["value"]
            latest[name] = max(latest.get(name, ""), event["time"])
    newest = sorted(latest.items(), key=lambda one: (one[1], one[0]), reverse=True)[:REFERENCES]
    return [SeenReference(type=type, value=value, last_at=datetime.fromisoformat(at)) for (type, value), at in newest]
