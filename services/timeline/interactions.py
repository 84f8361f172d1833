"""Which interaction an event belongs to, and what the events of one add up to. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from schemas.event import Direction, Event
from services.timeline.identity import Id

SILENCE = timedelta(minutes=30)  # a visit ends after this long without an event on its device
VISITING = frozenset({"web", "app"})
CLOSING = frozenset({"call.ended", "chat.ended"})


class Visit(NamedTuple):
    """A stretch of one device's events without a longer silence; both ends belong to it."""

    started_at: datetime
    ended_at: datetime


class Visits(NamedTuple):
    """What visits are after new events: those that are new or other than before, and those they replace."""

    changed: list[Visit]
    replaced: dict[Visit, Visit]


@dataclass(slots=True)
class Part:
    """What an interaction's events on one identifier add up to; parts add up to the interaction."""

    source: str
    channel: str
    conversation: str | None
    started_at: datetime
    last_at: datetime
    events: int = 0
    inbound: int = 0
    outbound: int = 0
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None
    closed_at: datetime | None = None

    def add(self, event: Event) -> None:
        """Count one more event; the order of adding doesn't matter."""
        type, direction, at = event.type, event.direction, event.occurred_at
        self.started_at, self.last_at = min(self.started_at, at), max(self.last_at, at)
        self.source, self.channel = min(self.source, event.system), min(self.channel, event.channel)
        self.events += 1
        if direction == Direction.inbound:
            self.inbound += 1
            self.last_inbound_at = max(self.last_inbound_at or at, at)
        elif direction == Direction.outbound:
            self.outbound += 1
            self.last_outbound_at = max(self.last_outbound_at or at, at)
        if type in CLOSING:
            self.closed_at = max(self.closed_at or at, at)


def conversation_id(system: str, conversation: str) -> Id:
    """The interaction of a source's conversation."""
    return _id(f"conversation\x1f{system}\x1f{conversation}".encode())


def interaction_of(source: str, conversation: str) -> UUID:
    """The same as other events name it: by the source, with or without the path of the emitter behind it."""
    return UUID(bytes=conversation_id(source.partition("/")[0], conversation))


def visit_id(device: Id, started_at: datetime) -> Id:
    """The interaction of a visit: its device and start."""
    return _id(b"visit\x1f" + device + str(started_at.timestamp()).encode())


def single_id(event_key: Id) -> Id:
    """The interaction of an event that belongs to no conversation and no visit."""
    return _id(b"event\x1f" + event_key)


def revisit(known: Iterable[Visit], moments: Iterable[datetime]) -> Visits:
    """A device's visits after events at `moments`, given those it had within `SILENCE` of any of them.

    The same whatever the order in which the moments become known.
    """
    before = set(known)
    whole: list[tuple[Visit, list[Visit]]] = []  # each with those it is made of
    for piece in sorted([*before, *(Visit(at, at) for at in moments)]):
        if whole and piece.started_at - whole[-1][0].ended_at <= SILENCE:
            last, parts = whole[-1]
            parts.append(piece)
            if piece.ended_at > last.ended_at:
                whole[-1] = Visit(last.started_at, piece.ended_at), parts
        else:
            whole.append((piece, [piece]))
    replaced = {old: visit for visit, parts in whole for old in parts if old in before and old != visit}
    return Visits([visit for visit, _ in whole if visit not in before], replaced)


def _id(name: bytes) -> Id:
    return hashlib.blake2b(name, digest_size=16).digest()
