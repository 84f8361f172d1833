"""Customers whose dealings are analysed, and what is kept of them then."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from schemas.event import Event
from services import tables
from services.counts import COUNTS
from services.timeline.analysis import analyse, take
from services.timeline.learning import Latest
from services.timeline.tally import Contact, Repeat, tally
from tests.builders import event
from tests.house import MAIL, PHONE

DAY = date(2026, 11, 27)
BROKEN = "My router keeps dropping the connection every evening, order 48213."
AGAIN = "The router drops the connection each evening, as I told your colleague."
HOUR = 60


def analysed(engine: sa.Engine, today: date = DAY) -> None:
    """Analyse until nothing is marked, again after a deadlock."""
    marked: Sequence[Any] = [None]
    latest = Latest()
    while marked:
        try:
            with engine.begin() as conn:
                marked = analyse(conn, take(conn), latest, today).marked
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "40P01":
                raise


def kept(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with engine.connect() as conn:
        return sorted(conn.execute(sa.select(table)).all())


def figures(engine: sa.Engine, cut: str = "all") -> dict[str, int]:
    """The sums of one cut that are not zero."""
    sums = [sa.func.sum(tables.figures.c[name]).label(name) for name in COUNTS]
    with engine.connect() as conn:
        row = conn.execute(sa.select(*sums).where(tables.figures.c.cut == cut)).one()
    return {name: count for name, count in row._mapping.items() if count}


def recorded(*happened: Event) -> list[Event]:
    """As if they were accepted when they happened."""
    return [one.model_copy(update={"received_at": one.occurred_at}) for one in happened]


def both(minute: float = 0) -> Event:
    return event(MAIL, PHONE, minute=minute, type="page.viewed", channel="web", text=None)


def called(text: str, minute: float, **changes: Any) -> list[Event]:
    """A call in which the customer says this, taken by Liis of billing."""
    call = dict(channel="phone", source="calls", conversation=f"call {minute}")
    return [
        event(PHONE, text=None, minute=minute - 1, type="call.started", **call,
              data={"queue": "billing", "agent": "Liis", "team": "north"}),
        event(PHONE, text=text, minute=minute, type="call.turn", **call, **changes),
    ]  # fmt: skip


def found(engine: sa.Engine) -> list[list[Any]]:
    """All that is kept but figures."""
    return [kept(engine, table) for table in (tables.issues, tables.contacts, tables.repeats, tables.facts)]


def recounted(engine: sa.Engine) -> dict[Any, list[int]]:
    """Figures from the rows that they are of."""
    contacts = [Contact(*row) for row in kept(engine, tables.contacts)]
    return dict(tally(contacts, [Repeat(*row) for row in kept(engine, tables.repeats)]))


def added_up(engine: sa.Engine) -> dict[Any, list[int]]:
    """Figures as they were added to."""
    sums: dict[Any, list[int]] = {}
    for row in kept(engine, tables.figures):
        counts = sums.setdefault(row[:8], [0] * len(COUNTS))
        sums[row[:8]] = [a + b for a, b in zip(counts, row[9:], strict=True)]
    return {cell: counts for cell, counts in sums.items() if any(counts)}

