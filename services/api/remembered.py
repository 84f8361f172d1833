"""What is remembered of a customer, in sentences of a brief's text that may be spoken. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from services.api.hints import Known, Likely
from services.api.likely import speakable
from services.api.phrases import ago, by, plain, quoted

SPOKEN = ("order", "invoice", "case")  # kinds whose values are said; of others only that they are known
KINDS, TRIED = 5, 2  # how many are told


def about(issue: Likely, now: datetime) -> list[str]:
    """What they probably come about."""
    told = f"{issue.state}, told {ago(issue.since, now)} {', '.join(map(by, issue.channels[:4]))}"
    return [f"Probably about {quoted(speakable(issue.title), 60)}, {told}."]


def facts(known: Sequence[Known], now: datetime) -> Iterator[list[str]]:
    """What is not to be asked again, and what we owe them."""
    told = dict.fromkeys(_named(one) for one in known if one.sort == "told")
    tried = [quoted(speakable(one.sentence), 60) for one in known if one.sort == "tried"][:TRIED]
    words = [*list(told)[:KINDS], *(["what they tried: " + " ".join(tried)] if tried else [])]
    if words:
        yield [_ended("Do not ask again: " + ", ".join(words))]
    for one in _first(known, "promised"):
        by = f", by {one.due:%-d %b}{' (past)' if _is_past(one.due, now) else ''}" if one.due else ""
        yield [f"We promised {ago(one.at, now)}: {quoted(speakable(one.sentence), 80)}{by}."]


def _named(one: Known) -> str:
    kind = plain(one.kind)
    return f"{kind} {one.value}" if one.kind in SPOKEN else kind


def _first(known: Iterable[Known], sort: str) -> list[Known]:
    return [one for one in known if one.sort == sort][:1]


def _is_past(due: date, now: datetime) -> bool:
    return due < now.date()


def _ended(words: str) -> str:
    return words if words.endswith(("”", "…")) else words + "."
