"""Which contacts figures are asked of: a span of days, filters, as known when. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.counts import DIMENSIONS
from services.errors import Invalid

DAYS = 30  # where nobody says how many
LONGEST = 1_100  # three years
EARLIEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)  # beyond, no event counts and calendars end
Every = Literal["day", "week", "month"]
By = Literal["channel", "source", "queue", "team", "language", "agent", "group"]
LABELLED = ("agent", "group")  # each kept with the dimensions, but not with each other
ONLY = "Only these; repeatable. Empty: where it is not known."


class Span(BaseModel):
    """What of all contacts is asked for; of several values of one filter any, of several filters all must fit."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    since: date | None = Field(
        default=None,
        alias="from",
        description="First day, UTC; left out: 29 days before `to`.",
        examples=["2026-11-01"],
    )
    until: date | None = Field(
        default=None, alias="to", description="Last day, itself included; left out: today.", examples=["2026-11-30"]
    )
    channel: list[str] = Field(default=[], max_length=100, description=ONLY, examples=[["phone"]])
    source: list[str] = Field(default=[], max_length=100, description=ONLY)
    queue: list[str] = Field(default=[], max_length=100, description=ONLY)
    team: list[str] = Field(default=[], max_length=100, description=ONLY)
    language: list[str] = Field(default=[], max_length=100, description=ONLY, examples=[["et"]])
    agent: list[str] = Field(default=[], max_length=100, description=f"{ONLY} Where agents may be told apart.")
    group: list[str] = Field(default=[], max_length=100, description="Only these groups of issues; repeatable.")

    def days(self, today: date) -> tuple[date, date]:
        """First and last day. Raises Invalid."""
        until = self.until or max(today, self.since or today)
        since = self.since or until - timedelta(days=min(DAYS - 1, until.toordinal() - 1))
        if since > until:
            raise Invalid(f"The span ends on {until}, before it begins on {since}.", code="span_backwards",
                          hint="Give from= and to= the other way round; both are days like 2026-11-30.")  # fmt: skip
        if since < EARLIEST or until > LATEST:
            raise Invalid(f"Figures are of days from {EARLIEST} to {LATEST}.", code="day_out_of_range",
                          hint="Look at from= and to=; both are days like 2026-11-30.")  # fmt: skip
        if (until - since).days >= LONGEST:
            raise Invalid(f"The span is longer than {LONGEST} days.", code="span_too_long",
                          hint="Ask for a shorter one, or for several.")  # fmt: skip
        return since, until

    @property
    def only(self) -> dict[str, list[str]]:
        """The dimensions that are filtered, with the values."""
        return {name: chosen for name in DIMENSIONS if (chosen := getattr(self, name))}

    def cut(self, by: str | None = None) -> tuple[str, list[str]]:
        """By which cut it is counted, and the labels that are chosen of it. Raises Invalid."""
        asked = {name for name in LABELLED if getattr(self, name)} | ({by} - {None, *DIMENSIONS})
        if len(asked) > 1:
            one, other = sorted(asked)  # type: ignore[type-var]
            raise Invalid(f"By {one} and by {other} is not counted together.", code="not_counted_together",
                          hint="Take one of them away.")  # fmt: skip
        cut = next(iter(asked), None) or "all"
        return cut, list(getattr(self, cut, []))


def stretches(since: date, until: date, every: Every | None) -> Iterator[tuple[date, date, date]]:
    """The stretches of a span: by what day they are known, and their first and last day within the span."""
    at = start(since, every) if every else since
    while at <= until:
        after = _after(at, every) if every else until + timedelta(days=1)
        yield at, max(at, since), min(after - timedelta(days=1), until)
        at = after


def start(day: date, every: Every) -> date:
    """The first day of the stretch that a day is in; weeks begin on Mondays."""
    if every == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == "month" else day


def _after(at: date, every: Every) -> date:
    if every == "month":
        return (at + timedelta(days=31)).replace(day=1)
    return at + timedelta(days=7 if every == "week" else 1)
