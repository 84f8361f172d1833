"""What a batch of events comes to before the database is asked: all that follows from the events alone, packed.

It is made as if none of them had been met before, which is the rule, and so in the time in which the database works on
the batch before (`Patient.meanwhile`). Where some were met, the others are planned anew.
"""

from collections.abc import Sequence, Set
from datetime import datetime
from struct import Struct

from services.identifiers import Rules
from services.tables import CORRECTIONS, TELLING
from services.timeline.arrivals import Arrival, called
from services.timeline.bulk import Array, blobs, columns, field, texts, time, times, uuids, word
from services.timeline.identity import Id
from services.timeline.said import Said
from services.timeline.shares import Moments, Shares
from services.timeline.steps import Steps, Stepwise, few

QUICK = 32  # events to a step: each takes a quarter of what decoding takes
MARKING = frozenset({*TELLING, *CORRECTIONS})  # types of events that change what is found of a customer
JSONB = Struct("!iB").pack
JSONB_VERSION = 1
HEAD = Struct("!i16si16s").pack


class Plan:
    """Of a batch of events: the first of each id (`fresh`), and the others of the same ids (`again`)."""

    def __init__(self, rules: Rules, secret: bytes) -> None:
        self.rules, self._secret = rules, secret
        self.fresh: list[Arrival] = []
        self.again: list[Arrival] = []
        self.said = Said(rules, secret)
        self.shares = Shares()
        self.moments = Moments()
        self.rows: list[bytes] = []  # of the fresh, in their order: an event but for interaction and transaction
        self.telling: set[Id] = set()  # whose findings may change
        self.arrivals: Sequence[Array] = ()
        self.names: Sequence[Array] = ()
        self._called: dict[tuple[Id, str], datetime] = {}
        self._digests: dict[Id, bytes] = {}

    def add(self, one: Arrival) -> None:
        """Take one event in."""
        if one.key in self._digests:
            self.again.append(one)
            return
        event = one.event
        self._digests[one.key] = one.digest
        self.fresh.append(one)
        self.said.add(one)
        if one.interaction:
            self.shares.add(one, one.interaction)
        else:
            self.moments.add(one)
        if event.type in MARKING:
            self.telling.add(one.anchor)
        if not one.unnamed and (name := called(event)):
            at = event.occurred_at
            self._called[one.anchor, name] = max(self._called.get((one.anchor, name), at), at)
        self.rows.append(_row(one))

    def pack(self) -> Stepwise[None]:
        """Pack what was taken in."""
        self.arrivals = yield from columns((uuids, blobs), sorted(self._digests.items()))
        names = sorted((id, name, at) for (id, name), at in self._called.items())
        self.names = yield from columns((uuids, texts, times), names)
        yield from self.said.pack()
        yield from self.shares.pack()
        yield from self.moments.pack()

    def without(self, met: Set[Id]) -> "Plan":
        """The same for the events that were not met before."""
        return plan([one for one in self.fresh if one.key not in met], self.rules, self._secret)


def plan(arrived: Sequence[Arrival], rules: Rules, secret: bytes) -> Plan:
    """The plan of a batch, at once."""
    return Steps(planned(arrived, rules, secret)).whole()


def planned(arrived: Sequence[Arrival], rules: Rules, secret: bytes) -> Stepwise[Plan]:
    """The same a little at a time."""
    made = Plan(rules, secret)
    for some in few(arrived, QUICK):
        for one in some:
            made.add(one)
        yield
    yield from made.pack()
    return made


def _row(one: Arrival) -> bytes:
    """An event as `stitch.EVENT` has it, but for the last two columns."""
    event = one.event
    return b"".join((
        HEAD(16, one.anchor, 16, one.key), time(event.occurred_at), word(event.source), field(event.id.encode()),
        word(event.type), word(event.channel), word(event.direction.value),
        JSONB(len(one.body) + 1, JSONB_VERSION), one.body,
    ))  # fmt: skip
