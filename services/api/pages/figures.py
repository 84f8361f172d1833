"""The CX lead's page: what had to be explained again, where, and what could have been avoided."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, field_validator

from services.api import breakdowns, figures
from services.api.backing import Transaction
from services.api.breakdowns import Handover, Way
from services.api.callers import Analyst
from services.api.measured import Again, Figures, Measure, Row, measure
from services.api.pages.charts import bars, trend
from services.api.pages.rendering import page
from services.api.pages.routing import PageRoute
from services.api.routes.figures import today
from services.api.spans import DAYS, By, Every, Span
from services.api.sums import LONGEST
from services.counts import DIMENSIONS, WINDOWS

router = APIRouter(route_class=PageRoute)

LISTED = 12  # rows of a table
LONG = 120  # days from which the trend is by month
# What could have been known, what that means, and what to do about it.
CONTEXTS = {
    "unrecorded": ("Not on record yet", "The channel that heard it first tells us too late.",
                   "Have that source post as it happens, not in batches."),
    "unlinked": ("On record, not linked", "It stood on another customer's timeline then.",
                 "Ask for one identifier more on that channel; look at refused links."),
    "unshown": ("Linked, not shown", "Whoever was there did not look.",
                "Put the brief where they work: screen-pop, bot, IVR."),
    "shown": ("Shown before", "They had it before them, and asked all the same.",
              "Coach; make the brief shorter and the greeting say what is known."),
}  # fmt: skip


class Filter(BaseModel):
    """What is asked for, as it stands in the address; what is empty is left out."""

    since: date | None = Field(default=None, alias="from")
    until: date | None = Field(default=None, alias="to")
    window: int = 14
    channel: str = Field(default="", max_length=200)
    source: str = Field(default="", max_length=200)
    queue: str = Field(default="", max_length=200)
    team: str = Field(default="", max_length=200)
    language: str = Field(default="", max_length=200)

    @field_validator("since", "until", mode="before")
    @classmethod
    def _left_out(cls, given: object) -> object:
        return given or None

    @field_validator("window")
    @classmethod
    def _known(cls, days: int) -> int:
        return days if days in WINDOWS else 14

    @property
    def span(self) -> Span:
        """The same as the API asks."""
        only = {name: [value] for name in DIMENSIONS if (value := getattr(self, name))}
        return Span.model_validate({"from": self.since, "to": self.until, **only})

    def address(self, **changes: object) -> str:
        """The page with these changes."""
        return self._address("/figures", changes)

    def behind(self, of: str, **changes: object) -> str:
        """The page of the contacts behind a figure."""
        return self._address("/figures/evidence", {"of": of, **changes})

    def _address(self, path: str, changes: dict[str, object]) -> str:
        asked = self.model_dump(by_alias=True, mode="json", include=set(Filter.model_fields)) | changes
        return f"{path}?" + urlencode({name: value for name, value in asked.items() if value})


@router.get("/figures")
async def read_figures(asked: Annotated[Filter, Query()], conn: Transaction, caller: Analyst) -> Response:
    """The figures of a span of days, a month unless it is said."""
    found = await conn.run_sync(_gather, asked)
    return page("figures.html", caller, asked=asked, windows=WINDOWS, **found)


def _gather(conn: sa.Connection, asked: Filter) -> dict[str, Any]:
    span = asked.span
    since, until = span.days(today())
    every: Every = "month" if (until - since).days > LONG else "week" if (until - since).days >= DAYS - 1 else "day"
    question = figures.question(span, today())
    before = replace(question, since=since - (until - since) - timedelta(days=1), until=since - timedelta(days=1))

    def of(by: By | None = None, every: Every | None = None) -> Figures:
        return figures.figures(conn, span, today(), by, every, None, figures.MOST)

    channels, stretches = of("channel"), of(every=every)
    whole = channels.total
    return {
        "since": since, "until": until, "every": every, "whole": whole, "again": within(whole, asked.window),
        "earlier": within(measure(figures.total(conn, before)), asked.window),
        "channels": _ranked(channels.rows, asked.window), "contexts": CONTEXTS,
        "trend": trend(stretches.rows, asked.window), "choices": choices(conn, since, until), "most": LONGEST,
        **(NOT_PARTED if question.of("group").is_too_much else _parted(conn, span, of("group").rows, asked.window)),
    }  # fmt: skip


NOT_PARTED = dict.fromkeys(("groups", "ways", "askings", "liked"))


def _parted(conn: sa.Connection, span: Span, groups: Sequence[Row], days: int) -> dict[str, Any]:
    """What is told of a long span only with one filter or none."""
    kinds = breakdowns.askings(conn, span, today(), None).kinds
    return {
        "groups": _ranked(groups, days, known=True),
        "ways": _ways(breakdowns.handovers(conn, span, today(), None).ways, days),
        "askings": Listed(kinds[:LISTED], len(kinds[LISTED:])),
        "liked": next(one for one in breakdowns.scores(conn, span, today(), None).windows if one.days == days),
    }


class Listed(NamedTuple):
    """Rows of a table, and how many more there are."""

    rows: Sequence[Any]
    left_out: int


CHOSEN: tuple[By, ...] = ("channel", "source", "queue", "team", "language")


def within(whole: Measure, days: int) -> Again:
    """What is counted within a window."""
    return next(one for one in whole.windows if one.days == days)


def _ranked(rows: Sequence[Row], days: int, known: bool = False) -> Listed:
    """Rows with their bars, those with most repeated explanations first."""
    told = [(row, within(row, days)) for row in rows if row.value or not known]
    told.sort(key=lambda one: (-one[1].repeated_explanations.count, -one[0].contacts, one[0].value or ""))
    drawn = bars([again.repeated_explanations for _, again in told[:LISTED]])
    listed = [{"row": row, "again": again, "bar": bar} for (row, again), bar in zip(told, drawn, strict=False)]
    return Listed(listed, len(told[LISTED:]))


@dataclass(frozen=True)
class Ways:
    """From which channel to which they came back: the channels, and what is known of each pair; `heat` 0 to 5."""

    sources: list[str]
    targets: list[str]
    pairs: dict[tuple[str, str], Way]
    most: int

    def heat(self, way: Way) -> int:
        """How much of the most frequent pair, in fifths."""
        return math.ceil(5 * way.repeat_contacts.count / self.most)


def _ways(found: Sequence[Handover], days: int) -> Ways:
    pairs = {
        (one.source, one.target): way
        for one in found for way in one.windows if way.days == days and way.repeat_contacts.count
    }  # fmt: skip
    often = {end: Counter[str]() for end in (0, 1)}
    for pair, way in pairs.items():
        for end in (0, 1):
            often[end][pair[end]] += way.repeat_contacts.count
    sources, targets = ([name for name, _ in often[end].most_common()] for end in (0, 1))
    return Ways(sources, targets, pairs, max((way.repeat_contacts.count for way in pairs.values()), default=1))


def choices(conn: sa.Connection, since: date, until: date) -> dict[str, list[str]]:
    """The values that there are to filter by in these days."""
    span = Span.model_validate({"from": since, "to": until})
    return {name: figures.values(conn, span, today(), name) for name in CHOSEN}
