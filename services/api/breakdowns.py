"""From which channel to which customers come back, what is asked again, how contacts are liked with and without it."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from services.api.answers import Answer
from services.api.figures import question, total
from services.api.measured import CONTEXTS, Bounded, Share, bounded, rounded, share
from services.api.rates import Mean, mean, median, promoters
from services.api.spans import Span
from services.api.sums import sums
from services.counts import WINDOWS
from services.errors import Invalid


class Hours(Answer):
    """A median of hours, known by its bucket (each half as wide again as the one before)."""

    median: float = Field(description="As if the bucket's were spread evenly by their logarithm.", examples=[5.2])
    low: float = Field(description="It is not less than this.", examples=[4.0])
    high: float = Field(description="And less than this.", examples=[5.656854])


class Way(Answer):
    """Coming back within so many days from one channel to another."""

    days: int
    repeat_contacts: Bounded = Field(description="Of all contacts where they came to.")
    repeated_explanations: int
    hours: Hours | None = Field(description="Between the two contacts; null where none came back.")


class Handover(Answer):
    """From one channel to another, or to the same again."""

    source: str = Field(serialization_alias="from", examples=["email"])
    target: str = Field(serialization_alias="to", examples=["phone"])
    windows: list[Way]


class Handovers(Answer):
    """The map of hand-overs, the most frequent first."""

    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    ways: list[Handover]


class Asking(Answer):
    """What customers were asked for though it was on record."""

    kind: str = Field(examples=["order"])
    contacts: Share = Field(description="Of all contacts those in which it was asked for again.")
    repeated_explanations: int = Field(description="Of these contacts, within 30 days: where it was explained again.")


class Askings(Answer):
    """Questions asked again, the most frequent first."""

    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    kinds: list[Asking]


class Liking(Answer):
    """A mean with its interval of 95 %; nulls of none, and no interval of one."""

    n: int
    mean: float | None
    low: float | None
    high: float | None


class Liked(Answer):
    """Scores of contacts that went alike: NPS -100 to 100 (its mean), CES as it was given, CSAT 0 to 100."""

    nps: Liking
    ces: Liking
    csat: Liking


class Scored(Answer):
    """How contacts are liked, by whether within so many days they repeat earlier ones."""

    days: int
    explained_again: Liked = Field(description="The customer had to explain the same again.")
    came_back: Liked = Field(description="They came back without explaining again.")
    first: Liked = Field(description="Neither.")


class Scores(Answer):
    """Scores with and without repetition, side by side."""

    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    windows: list[Scored]


def handovers(conn: sa.Connection, span: Span, today: date, as_of: date | None) -> Handovers:
    """Where customers came back to, from where. Raises Invalid."""
    ways: dict[tuple[str, str], list[tuple[int, Any]]] = {}
    for row in _rows(conn, span, today, "handover", as_of):
        source, target, bucket = row.label.split(">")
        ways.setdefault((source, target), []).append((int(bucket), row._mapping))
    reached = {row.channel: row for row in sums(conn, question(span, today, "channel", as_of))}
    found = [
        Handover(source=source, target=target, windows=[_way(rows, reached.get(target), days) for days in WINDOWS])
        for (source, target), rows in ways.items()
    ]
    found = [one for one in found if one.windows[-1].repeat_contacts.count]
    found.sort(key=lambda one: (-one.windows[-1].repeat_contacts.count, one.source, one.target))
    since, until = span.days(today)
    return Handovers(since=since, until=until, ways=found)


def askings(conn: sa.Connection, span: Span, today: date, as_of: date | None) -> Askings:
    """What was asked for though it was on record. Raises Invalid."""
    rows = _rows(conn, span, today, "asked", as_of)
    contacts = total(conn, question(span, today, None, as_of))["contacts"]
    kinds = [
        Asking(kind=row.label, contacts=share(row.contacts, contacts), repeated_explanations=_explained(row._mapping))
        for row in sorted(rows, key=lambda row: (-row.contacts, row.label))
        if row.contacts
    ]
    since, until = span.days(today)
    return Askings(since=since, until=until, kinds=kinds)


def scores(conn: sa.Connection, span: Span, today: date, as_of: date | None) -> Scores:
    """How contacts were liked. Raises Invalid."""
    rows = [row._mapping for row in _rows(conn, span, today, "score", as_of)]
    since, until = span.days(today)
    return Scores(since=since, until=until, windows=[_scored(rows, days) for days in WINDOWS])


def _rows(conn: sa.Connection, span: Span, today: date, cut: str, as_of: date | None) -> Iterable[Any]:
    if span.agent or span.group:
        raise Invalid("This is not counted by agent or group.", code="not_counted_together",
                      hint="Filter by channel, source, queue, team or language.")  # fmt: skip
    return sums(conn, question(span, today, None, as_of).of(cut))


def _way(rows: list[tuple[int, Any]], reached: Any, days: int) -> Way:
    buckets = {bucket: 0 for bucket, _ in rows}
    for bucket, counts in rows:
        buckets[bucket] += counts[f"back_{days}"]
    back, middle = sum(buckets.values()), median(buckets)
    contacts, blind = (reached.contacts, reached.blind) if reached else (back, 0)
    told = middle and Hours(median=rounded(middle.hours), low=rounded(middle.low), high=rounded(middle.high))
    explained = sum(_explained(counts, days) for _, counts in rows)
    return Way(days=days, repeat_contacts=bounded(back, blind, contacts), repeated_explanations=explained, hours=told)


def _explained(counts: Mapping[Any, int], days: int = WINDOWS[-1]) -> int:
    return sum(counts[f"{context}_{days}"] for context in CONTEXTS)


def _scored(rows: Iterable[Mapping[Any, Any]], days: int) -> Scored:
    groups: dict[str, dict[str, dict[float, int]]] = {}
    for counts in rows:
        kind, score = counts["label"].split()
        back, explained = counts[f"back_{days}"], _explained(counts, days)
        parts = {"explained_again": explained, "came_back": back - explained, "first": counts["contacts"] - back}
        for name, times in parts.items():
            groups.setdefault(name, {}).setdefault(kind, {})[float(score)] = times
    liked = {name: _liked(groups.get(name, {})) for name in ("explained_again", "came_back", "first")}
    return Scored(days=days, **liked)


def _liked(kinds: Mapping[str, Mapping[float, int]]) -> Liked:
    return Liked(
        nps=_liking(promoters(kinds.get("nps", {}))),
        ces=_liking(mean(kinds.get("ces", {}))),
        csat=_liking(mean(kinds.get("csat", {}))),
    )


def _liking(found: Mean) -> Liking:
    low, high = (rounded(end) for end in found.interval) if found.interval else (None, None)
    return Liking(n=found.n, mean=None if found.mean is None else rounded(found.mean), low=low, high=high)
