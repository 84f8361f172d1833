"""Figures as they are answered: each share with what it is of, its interval, and what blind contacts allow. Pure."""

from collections.abc import Mapping
from datetime import date

from pydantic import Field

from services.api.answers import Answer
from services.api.rates import Interval, span, wilson
from services.counts import WINDOWS

CONTEXTS = ("unrecorded", "unlinked", "unshown", "shown")
AVOIDABLE = ("unshown", "shown")
Counts = Mapping[str, int]  # by the names of COUNTS


class Share(Answer):
    """So many of so many, with Wilson's interval of 95 %; nulls of nothing."""

    count: int = Field(examples=[120])
    of: int = Field(description="The denominator.", examples=[1000])
    rate: float | None = Field(examples=[0.12])
    low: float | None = Field(examples=[0.101256])
    high: float | None = Field(examples=[0.141657])


class Bounded(Share):
    """A share of contacts, some of which are blind: nobody knows whose they are, so whether they come back."""

    at_least: float | None = Field(description="If none of the blind contacts counted.", examples=[0.12])
    at_most: float | None = Field(description="If all of the blind contacts counted.", examples=[0.2])


class Contexts(Answer):
    """Explanations told again, by what could have been known of the earlier one."""

    unrecorded: int = Field(description="Not on record yet.")
    unlinked: int = Field(description="On record, but not linked to this customer then.")
    unshown: int = Field(description="Linked, but not shown to whoever was there.")
    shown: int = Field(description="Shown before they explained.")


class Again(Answer):
    """Contacts that come back about their issue within so many days."""

    days: int = Field(examples=[14])
    repeat_contacts: Bounded = Field(description="Of all contacts those that come back, explaining again or not.")
    repeated_explanations: Bounded = Field(description="Of all contacts those in which the same was explained again.")
    contexts: Contexts
    avoidable: Share = Field(description="Of the repeated explanations: on this customer's timeline, shown or not.")


class Measure(Answer):
    """What is counted of some contacts."""

    contacts: int = Field(description="What customers said of one issue in one interaction.", examples=[1000])
    blind: Share = Field(description="Of the contacts those of whom nobody knows whose they are.")
    windows: list[Again] = Field(description="Within 7, 14 and 30 days, side by side.")


class Row(Measure):
    """The measure of one part: of one stretch of time, one value, or both."""

    since: date = Field(serialization_alias="from", examples=["2026-11-02"])
    until: date = Field(serialization_alias="to", description="The last day; stretches end with the span.")
    value: str | None = Field(description="Of what is parted `by`; empty: not known.", examples=["phone"])
    label: str | None = Field(description="The same to read.", examples=["phone"])


class Figures(Answer):
    """What a span of days comes to, as a whole and part by part."""

    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    every: str | None
    by: str | None
    as_of: date | None = Field(description="As it was known at the end of this day; null: as it is known now.")
    total: Measure = Field(description="Of the whole span, whatever its parts.")
    rows: list[Row] = Field(description="By time; within it the values with most contacts first.")
    left_out: int = Field(description="Values beyond `limit`, with fewer contacts.")

    @property
    def whole(self) -> Row:
        """The total as a row."""
        return Row(since=self.since, until=self.until, value=None, label=None, **dict(self.total))


def measure(counts: Counts) -> Measure:
    """What these counts say."""
    contacts, blind = counts["contacts"], counts["blind"]
    return Measure(contacts=contacts, blind=share(blind, contacts), windows=[again(counts, days) for days in WINDOWS])


def again(counts: Counts, days: int) -> Again:
    """The same of one window."""
    contacts, blind = counts["contacts"], counts["blind"]
    contexts = {name: counts[f"{name}_{days}"] for name in CONTEXTS}
    told = sum(contexts.values())
    return Again(
        days=days,
        repeat_contacts=bounded(counts[f"back_{days}"], blind, contacts),
        repeated_explanations=bounded(told, blind, contacts),
        contexts=Contexts(**contexts),
        avoidable=share(sum(contexts[name] for name in AVOIDABLE), told),
    )


def share(count: int, of: int) -> Share:
    """So many of so many."""
    return Share(**_share(count, of))


def bounded(count: int, blind: int, of: int) -> Bounded:
    """The same of contacts."""
    allowed = span(count, blind, of)
    ends = {"at_least": allowed and rounded(allowed.low), "at_most": allowed and rounded(allowed.high)}
    return Bounded(**_share(count, of), **ends)


def rounded(number: float) -> float:
    """To what is worth telling."""
    return round(number, 6)


def _share(count: int, of: int) -> dict[str, float | int | None]:
    found: Interval | None = wilson(count, of)
    return {
        "count": count,
        "of": of,
        "rate": rounded(count / of) if of else None,
        "low": found and rounded(found.low),
        "high": found and rounded(found.high),
    }
