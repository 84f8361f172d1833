"""What a batch's events add to interactions, and when devices were heard of, packed for the database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter

from services.timeline.arrivals import Arrival
from services.timeline.bulk import Array, Pack, columns, numbers, texts, times, uuids
from services.timeline.identity import Id
from services.timeline.interactions import SILENCE, Part
from services.timeline.steps import Stepwise

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# The columns of a part, each with how it is packed.
PART: dict[str, Pack] = {
    "source": texts, "channel": texts, "conversation": texts, "started_at": times, "last_at": times,
    "events": numbers, "inbound": numbers, "outbound": numbers,
    "last_inbound_at": times, "last_outbound_at": times, "closed_at": times,
}  # fmt: skip
VALUES = attrgetter(*PART)


class Shares:
    """The parts of interactions that events add up to, by the identifiers they are attached to."""

    def __init__(self) -> None:
        self.columns: Sequence[Array] = ()  # identifiers, interactions and those of PART, in order of these
        self._parts: dict[tuple[Id, Id], Part] = {}

    def add(self, one: Arrival, interaction: Id) -> None:
        """Count an event in."""
        event, name = one.event, (one.anchor, interaction)
        part = self._parts.get(name)
        if part is None:
            at = event.occurred_at
            part = self._parts[name] = Part(event.system, event.channel, event.conversation, at, at)
        part.add(event)

    def pack(self) -> Stepwise[None]:
        """Pack what was counted."""
        rows = [(*name, *VALUES(part)) for name, part in sorted(self._parts.items(), key=lambda one: one[0])]
        yield
        self.columns = yield from columns((uuids, uuids, *PART.values()), rows)


class Moments:
    """When devices were heard of by events that belong to visits."""

    def __init__(self) -> None:
        self.events: list[Arrival] = []
        self.by_device: dict[Id, list[tuple[datetime, Id]]] = defaultdict(list)  # each with its event's key
        self.columns: Sequence[Array] = ()  # devices in order of id, since and until when a visit is near

    def add(self, one: Arrival) -> None:
        """Take an event of a visit in."""
        assert one.visiting
        self.events.append(one)
        self.by_device[one.visiting].append((one.event.occurred_at, one.key))

    def pack(self) -> Stepwise[None]:
        """Pack what was taken in."""
        rows = [
            (device, max(min(some)[0], FIRST + SILENCE) - SILENCE, min(max(some)[0], LAST - SILENCE) + SILENCE)
            for device, some in sorted(self.by_device.items())
        ]
        yield
        self.columns = yield from columns((uuids, times, times), rows)
