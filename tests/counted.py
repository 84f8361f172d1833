"""Contacts and repeats made up, kept as analyse keeps them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services import tables
from services.counts import WINDOWS
from services.timeline.analysis import add
from services.timeline.closings import close
from services.timeline.tally import Contact, Repeat, difference, tally

FIRST = date(2026, 5, 4)  # a Monday
CHANNELS = ("email", "phone", "chat", "")
CONTEXTS = ("unrecorded", "unlinked", "unshown", "shown")
TABLES = (tables.contacts, tables.repeats, tables.figures, tables.sums, tables.closings)


@dataclass
class World:
    """Contacts with their repeats."""

    contacts: list[Contact] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)


def contact(number: int, day: int = 0, **changes: Any) -> Contact:
    """A mail on the day so many after the first, with these changes."""
    at = datetime.combine(FIRST, time(9), UTC) + timedelta(days=day, minutes=number)
    ids = (UUID(int=number * 10 + place) for place in range(3))
    made = Contact(*ids, at, "shop", f"e{number}", at.date(), "email", "shop", "", "", "en", "", "", False, [])
    return made._replace(**changes)


def repeat(of: Contact, window: int = 14, **changes: Any) -> Repeat:
    """That a contact comes back within the window, six hours after a call, with these changes."""
    made = Repeat(
        *of[:3], window, of.at, of.day, "phone", True, "texts", "unshown", 0.9, 6.0, "shop", "e0", of.event_source,
        of.event_id,
    )  # fmt: skip
    return made._replace(**changes)


def within(of: Contact, hours: float = 6.0, **changes: Any) -> list[Repeat]:
    """That it comes back, in each window that reaches so far."""
    return [repeat(of, days, hours=hours, **changes) for days in WINDOWS if hours <= days * 24]


def world(random: Random, contacts: int = 30, days: int = 45) -> World:
    """A world of chance."""
    made = World()
    for number in range(contacts):
        score = random.choice([None, None, "nps", "ces", "csat"])
        one = contact(
            number, random.randrange(days), channel=random.choice(CHANNELS), source=random.choice(["shop", "calls"]),
            queue=random.choice(["", "billing"]), team=random.choice(["", "north"]), language=random.choice("abc"),
            agent=random.choice(["", "Liis", "Jonas"]), group_id=random.choice(["", "g1", "g2"]),
            blind=random.random() < 0.2, asked=random.sample(["order", "date"], random.randrange(3)),
            **{score: float(random.randrange(11))} if score else {},
        )  # fmt: skip
        made.contacts.append(one)
        if random.random() < 0.5:
            made.repeats += within(
                one, random.uniform(0.01, 700), from_channel=random.choice(CHANNELS[:3]),
                explained=random.random() < 0.6, context=random.choice(CONTEXTS),
            )  # fmt: skip
    return made


def keep(engine: sa.Engine, new: World, on: date, old: World | None = None, close_at: datetime | None = None) -> None:
    """Keep a world as it becomes known on a day, in place of an older one; close days as of a moment."""
    old = old or World()
    with engine.begin() as conn:
        for table in TABLES[:2]:
            conn.execute(sa.delete(table))
        _insert(conn, tables.contacts, new.contacts)
        _insert(conn, tables.repeats, new.repeats)
        add(conn, difference(tally(new.contacts, new.repeats), tally(old.contacts, old.repeats)), on)
    while close_at:
        with engine.begin() as conn:
            if close(conn, close_at) is None:
                return


def forget(engine: sa.Engine) -> None:
    """Nothing is known any more."""
    with engine.begin() as conn:
        for table in TABLES:
            conn.execute(sa.delete(table))


def recount(made: World, chosen: Iterable[Contact]) -> dict[str, int]:
    """The counts of these contacts, one by one."""
    picked = list(chosen)
    counts = {"contacts": len(picked), "blind": sum(one.blind for one in picked)}
    for days in WINDOWS:
        again = [one for one in made.repeats if one.window == days and one[:3] in {known[:3] for known in picked}]
        counts[f"back_{days}"] = len(again)
        for context in CONTEXTS:
            counts[f"{context}_{days}"] = sum(one.explained and one.context == context for one in again)
    return counts


def _insert(conn: sa.Connection, table: sa.Table, rows: Sequence[Any]) -> None:
    if rows:
        conn.execute(sa.insert(table), [row._asdict() for row in rows])
