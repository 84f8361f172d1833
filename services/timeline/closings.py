"""Days are closed once nothing can become known on them any more: their figures are added up for who reads years.

Rows of `figures` are differences by the day on which they became known, so those of a day that is over never change,
and what is added up from them needs no correction. What became known since the last closing is read from `figures`.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from services.counts import COUNTS, CUTS, DIMENSIONS

GRACE = timedelta(hours=1)  # after midnight (UTC); what was begun before it is committed or given up long since
DUE = sa.text("""
    SELECT min(known_on) FROM figures WHERE known_on < :today
    AND known_on > (SELECT coalesce(max(known_on), '-infinity') FROM closings)""")
CLAIM = sa.text("INSERT INTO closings VALUES (:day) ON CONFLICT DO NOTHING RETURNING known_on")


def close(conn: sa.Connection, now: datetime) -> date | None:
    """Close the first day that is over and not closed, if there is one. The caller commits, and calls again."""
    due: date | None = conn.scalar(DUE, {"today": (now - GRACE).date()})
    if due and conn.execute(CLAIM, {"day": due}).one_or_none():
        add_up(conn, due, due)
    return due


def add_up(conn: sa.Connection, first: date, last: date) -> None:
    """Add up what became known on these days, a statement for each cut and dimension, so that none takes long."""
    for cut in CUTS:
        kept = {"": (), **{name: (name,) for name in DIMENSIONS}, **({"each": DIMENSIONS} if cut == "all" else {})}
        for name, dimensions in kept.items():
            conn.execute(_adding(dimensions), {"cut": cut, "kept": name, "first": first, "last": last})


def _adding(kept: Iterable[str]) -> sa.TextClause:
    told = ", ".join(name if name in kept else "''" for name in DIMENSIONS)
    sums = ", ".join(f"sum({name})" for name in COUNTS)
    return sa.text(f"""
        INSERT INTO sums (cut, kept, {", ".join(DIMENSIONS)}, day, label, known_on, {", ".join(COUNTS)})
        SELECT cut, :kept, {told}, day, label, known_on, {sums} FROM figures
        WHERE cut = :cut AND known_on BETWEEN :first AND :last
        GROUP BY {", ".join(("cut", "day", "label", "known_on", *kept))}
        ORDER BY day, label""")
