"""What one person lived through, written down as events."""

from datetime import datetime
from typing import Any

from schemas.event import Event
from schemas.types import TYPES
from services.demo.people import Person


class Diary:
    """The events of one person; ids count up, so that the same life has the same ids."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.events: list[Event] = []

    def add(self, at: datetime, type: str, data: dict[str, Any], **fields: Any) -> None:
        """Write down an event; `fields` are the envelope's, by default those of its type."""
        known = TYPES[type]
        envelope = {"channel": known.channel or "other", "direction": known.direction, **fields}
        id = f"demo-{self.person.number}-{len(self.events)}"
        self.events.append(Event(id=id, type=type, occurred_at=at, data=known.checked(data), **envelope))
