"""Labelled timelines of customers, as events: JSONL (plain or .gz), a line a customer:
`customer, events[{event_id, ts, channel, direction, role, text, gold}]`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.labelled import Timeline, rows
from schemas.event import Author, Direction, Event, Identifier, Role, Verification

CHANNELS = {"voice": "phone", "store": "in_person"}
DIRECTIONS = {"in": Direction.inbound, "out": Direction.outbound}


def customers(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file. Raises Unreadable."""
    return rows(path, Timeline)


def events(path: Path) -> Iterator[Event]:
    """Every event of every customer; the customer is the account, its words the text."""
    for row in customers(path):
        account = Identifier(type="account", value=row["customer"], verification=Verification.verified)
        yield from (_event(one, account) for one in row["events"])


def _event(row: dict[str, Any], account: Identifier) -> Event:
    direction = DIRECTIONS[row["direction"]]
    return Event(
        id=row["event_id"],
        source="timelines",
        type="message.received" if direction == Direction.inbound else "message.sent",
        occurred_at=datetime.fromisoformat(row["ts"]).replace(tzinfo=UTC),
        channel=CHANNELS.get(row["channel"], row["channel"]),
        direction=direction,
        author=Author(role=Role(row["role"])),
        identifiers=(account,),
        text=row["text"],
    )
