"""Sums over contacts, as analyse keeps them: read from `sums` where days are closed, from `figures` where not.

What is told apart decides what is read: `sums` knows each value of any one dimension, and all five together for all
contacts. Two dimensions of agents, groups, handovers, questions and scores are added up from `figures`, day by day,
which holds nearly a row a contact; so that is only done for a quarter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa

from services.counts import COUNTS, DIMENSIONS
from services.errors import Invalid

LONGEST = 92  # days that are added up from `figures`
Every = Literal["day", "week", "month"]
SUMS = ", ".join(f"sum({name})::bigint AS {name}" for name in COUNTS)
CLOSED = sa.text("SELECT coalesce(max(known_on), '-infinity')::text FROM closings")


@dataclass(frozen=True)
class Question:
    """What is summed: contacts of a span of days, with these values of dimensions (any of several) and labels.

    `by`: a dimension or `label`; `every`: stretches of time. `as_of`: the last day on which it was known.
    """

    cut: str
    since: date
    until: date
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    labels: Sequence[str] = ()
    by: tuple[str, ...] = ()
    every: Every | None = None
    as_of: date | None = None

    @property
    def kept(self) -> str | None:
        """Which sums have what is asked for; None: only `figures`."""
        apart = {*self.only, *(name for name in self.by if name in DIMENSIONS)}
        if len(apart) < 2:
            return next(iter(apart), "")
        return "each" if self.cut == "all" else None

    @property
    def is_too_much(self) -> bool:
        """Whether it could only be added up from `figures`, of more days than is done."""
        return self.kept is None and (self.until - self.since).days >= LONGEST

    def of(self, cut: str) -> "Question":
        """The same of another cut, by its labels."""
        return replace(self, cut=cut, labels=(), by=("label",), every=None)

    def whole(self) -> "Question":
        """The same of all contacts, whatever their label and value."""
        return replace(self, cut=self.cut if self.labels else "all", by=(), every=None)


def sums(conn: sa.Connection, asked: Question) -> Sequence[Any]:
    """Rows of `at` (a stretch's first day), each of `by`, and COUNTS, in no order. Raises Invalid."""
    closed = conn.scalars(CLOSED).one()
    known = {"closed": closed, "as_of": str(asked.as_of or "infinity")}
    values = {"cut": asked.cut, "kept": asked.kept, "since": asked.since, "until": asked.until, **known}
    values |= {name: list(chosen) for name, chosen in asked.only.items()} | {"labels": list(asked.labels)}
    at = f"date_trunc('{asked.every}', day)::date" if asked.every else ":since"
    groups = ", ".join(str(place) for place in range(1, len(asked.by) + 2))
    told = ", ".join([f"CAST({at} AS date) AS at", *asked.by])
    columns = ", ".join(["day", *asked.by, *COUNTS])
    parts = " UNION ALL ".join(f"SELECT {columns} FROM {part}" for part in _parts(asked))
    return conn.execute(sa.text(f"SELECT {told}, {SUMS} FROM ({parts}) part GROUP BY {groups}"), values).all()


def _parts(asked: Question) -> list[str]:
    where = "cut = :cut AND day BETWEEN :since AND :until AND known_on <= CAST(:as_of AS date)"
    where += "".join(f" AND {name} = ANY(CAST(:{name} AS text[]))" for name in asked.only)
    where += " AND label = ANY(CAST(:labels AS text[]))" if asked.labels else ""
    if asked.is_too_much:
        raise Invalid(
            f"With two filters or more of these, at most {LONGEST} days are added up.",
            code="too_much_at_once", hint="Take a shorter span, or take a filter away.",
        )  # fmt: skip
    if asked.kept is None:
        return [f"figures WHERE {where}"]
    gone = "".join(f" AND {name} = ''" for name in DIMENSIONS if asked.kept not in (name, "each"))
    return [
        f"sums WHERE kept = :kept AND known_on <= CAST(:closed AS date) AND {where}{gone}",
        f"figures WHERE known_on > CAST(:closed AS date) AND {where}",
    ]
