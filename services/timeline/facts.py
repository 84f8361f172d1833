"""What is on record: what the customer told and tried, what was promised and asked, each with its sentence. Pure.

Patterns and phrases are data (`patterns.py`); a deployment adds its own as `Pattern`s. `answering` tells which facts
answer a question that an agent or a bot is about to ask.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache

from schemas.event import Direction, Event, Role
from services.timeline.patterns import ASKED, DAYS, PATTERNS, PROMISED, SOON, TRIED, WORDED
from services.timeline.statements import MOST
from services.timeline.text import cleaned

SENTENCE = re.compile(r"(?<=[.!?])(?<!\bn[or]\.)\s+(?=\S)|\n+", re.I)  # "no. 5" goes on
ENDING = r"[^\W_]{0,9}"  # what a stem may end in


class Sort(StrEnum):
    """What a fact is."""

    told = "told"
    tried = "tried"
    promised = "promised"
    asked = "asked"


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is looked for: a kind of fact, the expression whose first group (or all) is its value, and the words by
    which a question asks for it, stems parted by `|`. `numbered`: its values hold a digit."""

    kind: str
    expression: str
    asks: str = ""
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """Something on record; `value` is normalised, `due` the day of a promise where one was said."""

    sort: Sort
    kind: str
    value: str
    sentence: str
    event: str
    at: datetime
    due: date | None = None


SHIPPED = tuple(Pattern(*one, numbered=one[0] not in WORDED) for one in PATTERNS)
DIGIT = re.compile(r"\d")


def facts(told: Iterable[tuple[Event, str]], more: Sequence[Pattern] = ()) -> list[Fact]:
    """All facts of events by time, each as often as it was said; `told`: events with the customer's own words in them
    (`words_of`), `more`: the deployment's own patterns."""
    ordered = sorted({(one.occurred_at, one.source, one.id): (one, words) for one, words in told}.items())
    return [fact for _, said in ordered for fact in dict.fromkeys(_of_event(*said, (*more, *SHIPPED)))]


def answering(question: str, known: Iterable[Fact], more: Sequence[Pattern] = ()) -> list[Fact]:
    """The facts the customer told that answer a question, each value once, the latest first."""
    asked = _asked_for(question, (*more, *SHIPPED))
    tried = _any_of(TRIED).search(question.lower()) is not None
    found: dict[tuple[str, str], Fact] = {}
    for fact in known:
        if (fact.sort == Sort.told and fact.kind in asked) or (fact.sort == Sort.tried and tried):
            latest = found.get((fact.kind, fact.value))
            if latest is None or (fact.at, fact.event) > (latest.at, latest.event):
                found[fact.kind, fact.value] = fact
    return sorted(found.values(), key=lambda one: (one.at, one.event, one.kind, one.value), reverse=True)


def _of_event(event: Event, told: str, patterns: Sequence[Pattern]) -> Iterator[Fact]:
    key, at = f"{event.source} {event.id}", event.occurred_at
    if told:
        for one in event.references:
            yield Fact(Sort.told, one.type, _value(one.value), told.split("\n")[0], key, at)
        for sentence in _sentences(told):
            for kind, value in _values(sentence, patterns):
                yield Fact(Sort.told, kind, value, sentence, key, at)
            if _any_of(TRIED).search(sentence.lower()) and not sentence.endswith("?"):
                yield Fact(Sort.tried, "tried", " ".join(sentence.lower().split()), sentence, key, at)
        return
    for sentence in _sentences(_ours(event)):
        if sentence.endswith("?") or _any_of(ASKED).search(sentence.lower()):
            for kind in sorted(_asked_for(sentence, patterns)):
                yield Fact(Sort.asked, kind, kind, sentence, key, at)
        elif _any_of(PROMISED).search(sentence.lower()):
            yield Fact(
                Sort.promised, "promise", " ".join(sentence.lower().split()), sentence, key, at, due(sentence, at)
            )


def _ours(event: Event) -> str:
    """What an agent or a bot said to the customer."""
    turn = event.type == "call.turn" and event.data.get("speaker") in ("agent", "bot")
    ours = event.author.role in (Role.agent, Role.bot) if event.author else event.direction == Direction.outbound
    said = event.type in ("message.sent", "call.turn") and (turn or (ours and event.direction == Direction.outbound))
    return cleaned(event.text or "", event.data.get("html")).statement[:MOST] if said else ""


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in SENTENCE.split(text) if one.strip()]


def _values(sentence: str, patterns: Sequence[Pattern]) -> Iterator[tuple[str, str]]:
    """What a sentence tells; letters that one pattern took are no other's."""
    taken: list[tuple[int, int]] = []
    numbers = DIGIT.search(sentence) is not None
    for pattern in (one for one in patterns if numbers or not one.numbered):
        for match in _compiled(pattern.expression).finditer(sentence):
            start, end = match.span(1 if match.re.groups else 0)
            if all(end <= first or start >= last for first, last in taken):
                taken.append((start, end))
                yield pattern.kind, _value(sentence[start:end])


def _asked_for(question: str, patterns: Sequence[Pattern]) -> set[str]:
    low = question.lower()
    return {pattern.kind for pattern in patterns if pattern.asks and _stems(pattern.asks).search(low)}


def due(sentence: str, said: datetime) -> date | None:
    """The day by which something is promised, counted from the day it was said."""
    low = sentence.lower()
    if exact := re.search(r"\b(\d{4})-(\d\d?)-(\d\d?)\b", low):
        return _day(*map(int, exact.groups()))
    if exact := re.search(r"\b(\d\d?)\.(\d\d?)\.(\d{4})\b", low):
        return _day(*(int(part) for part in reversed(exact.groups())))
    if within := re.search(rf"\b(\d{{1,3}})\s+(?:\w+\s+)?({'|'.join(DAYS)})", low):
        length = next(days for unit, days in DAYS.items() if within[2] == unit)
        return (said + timedelta(days=int(within[1]) * length)).date()
    return next(
        ((said + timedelta(days=days)).date() for word, days in SOON.items() if _any_of(word).search(low)), None
    )


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None  # 2026-13-45 is a number of something else


def _value(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .,;:#")


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.I)


@cache
def _any_of(phrases: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, phrases.split('|')))})(?!\w)")


@cache
def _stems(stems: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, stems.split('|')))}){ENDING}(?!\w)")
