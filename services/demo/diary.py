"""What one person lived through, written down as events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.event import Event, Identifier
from schemas.types import TYPES
from services.demo.people import Person


@dataclass(frozen=True)
class Look:
    """That a channel asked for the brief of whoever has this identifier."""

    at: datetime
    identifier: Identifier
    reader: str
    channel: str


class Diary:
    """The events of one person; ids count up, so that the same life has the same ids.

    `is_known`: they say who they are. `gives_number`: signing in, also by which number they call.
    """

    def __init__(self, person: Person, is_known: bool = True) -> None:
        self.person, self.is_known, self.gives_number = person, is_known, True
        self.events: list[Event] = []
        self.looks: list[Look] = []

    def add(self, at: datetime, type: str, data: dict[str, Any], **fields: Any) -> None:
        """Write down an event; `fields` are the envelope's, by default those of its type."""
        known = TYPES[type]
        envelope = {"channel": known.channel or "other", "direction": known.direction, **fields}
        id = f"demo-{self.person.number}-{len(self.events)}"
        self.events.append(Event(id=id, type=type, occurred_at=at, data=known.checked(data), **envelope))
