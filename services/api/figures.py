"""Figures of a span, as a whole and part by part. Run by `AsyncConnection.run_sync`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from services.api.measured import Counts, Figures, Row, measure
from services.api.spans import By, Every, Span, stretches
from services.api.sums import Question, sums
from services.counts import COUNTS, DIMENSIONS
from services.errors import Invalid
from services.timeline.learning import labels

MOST = 1000  # rows of one answer
NOTHING: Counts = dict.fromkeys(COUNTS, 0)


def question(span: Span, today: date, by: By | None = None, as_of: date | None = None) -> Question:
    """What a span asks for, part by part. Raises Invalid."""
    cut, labels = span.cut(by)
    since, until = span.days(today)
    column = (by if by in DIMENSIONS else "label",) if by else ()
    return Question(cut, since, until, span.only, labels, column, None, as_of)


def figures(
    conn: sa.Connection, span: Span, today: date, by: By | None, every: Every | None, as_of: date | None, limit: int
) -> Figures:
    """The figures of a span; by value at most `limit` of them, those with most contacts. Raises Invalid."""
    asked = question(span, today, by, as_of)
    whole = total(conn, asked)
    told, left_out = _values(conn, asked, limit) if by else ({"": whole}, 0)
    parts = list(stretches(asked.since, asked.until, every))
    if every:
        _check(len(parts), len(told))
        counted = _stretched(conn, replace(asked, every=every), list(told))
    else:
        counted = {(asked.since, value): counts for value, counts in told.items()}
    names = labelled(conn, by, list(told))
    rows = [
        _row(first, last, value if by else None, names[value], counted.get((at, value), NOTHING))
        for at, first, last in (parts if by or every else ())
        for value in told
    ]
    return Figures(
        since=asked.since, until=asked.until, every=every, by=by, as_of=as_of, total=measure(whole), rows=rows,
        left_out=left_out,
    )  # fmt: skip


def values(conn: sa.Connection, span: Span, today: date, by: By) -> list[str]:
    """The values by which a span can be parted, in order of the alphabet. Raises Invalid."""
    found, _ = _values(conn, question(span, today, by), MOST)
    return sorted(filter(None, found))


def total(conn: sa.Connection, asked: Question) -> Counts:
    """The counts of all that is asked for, whatever its parts."""
    rows = sums(conn, asked.whole())
    return rows[0]._mapping if rows else NOTHING


def labelled(conn: sa.Connection, by: str | None, values: Sequence[str]) -> Mapping[str, str]:
    """How values read; groups by what customers say there."""
    names = labels(conn) if by == "group" else {}
    return {value: names.get(value) or value or "not known" for value in values}


def _check(parts: int, values: int) -> None:
    if parts * values > MOST:
        hint = "Take a shorter span, longer stretches, or a lower limit."
        told = f"That would be {parts} times {values} rows; an answer has at most {MOST}."
        raise Invalid(told, code="too_many_rows", hint=hint)


def _row(first: date, last: date, value: str | None, label: str, counts: Counts) -> Row:
    name = None if value is None else label
    return Row(since=first, until=last, value=value, label=name, **dict(measure(counts)))


def _values(conn: sa.Connection, asked: Question, limit: int) -> tuple[dict[str, Counts], int]:
    """The values with most contacts, and how many more there are."""
    rows = [row for row in sums(conn, asked) if any(row._mapping[name] for name in COUNTS)]
    rows.sort(key=lambda row: (-row.contacts, row[1]))
    return {row[1]: row._mapping for row in rows[:limit]}, max(len(rows) - limit, 0)


def _stretched(conn: sa.Connection, asked: Question, values: list[str]) -> dict[tuple[Any, str], Counts]:
    """Counts by the first day of each stretch, and value."""
    if asked.by == ("label",):
        asked = replace(asked, labels=values)
    elif asked.by:
        asked = replace(asked, only={**asked.only, asked.by[0]: values})
    return {(row.at, row[1] if asked.by else ""): row._mapping for row in sums(conn, asked)} if values else {}
