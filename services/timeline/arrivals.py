"""Events as the stitch needs them: keys, links, decisions and rows, worked out once. Pure."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

import orjson

from schemas.codec import to_wire
from schemas.event import Event, Role, Verification
from services.identifiers import OWN_SOURCE, Key, Rules, conversation_key, event_key, identifier_id, normalise
from services.identifiers import named as whom
from services.timeline.identity import Age, Link
from services.timeline.interactions import VISITING, conversation_id, single_id

VERDICTS = {"customer.merged": "merge", "customer.unmerged": "unmerge", "identifier.barred": "bar"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event with everything that follows from itself alone."""

    event: Event
    key: UUID
    digest: bytes  # of the content, without the times that a retry may change
    body: bytes  # canonical JSON
    named: dict[UUID, tuple[Key, Verification]]  # strongest first
    visiting: UUID | None  # the device whose visit it belongs to
    interaction: UUID | None  # None: known once its visit is

    @property
    def anchor(self) -> UUID:
        """The identifier it is attached to, for ever."""
        return next(iter(self.named))

    @property
    def age(self) -> Age:
        """Its place in the order that decides."""
        return Age(self.event.occurred_at, self.key)

    @property
    def strongest(self) -> Key:
        """What it is attached to, as a key."""
        return next(iter(self.named.values()))[0]

    @property
    def unnamed(self) -> bool:
        """Whether it names nobody and stands with its conversation."""
        return self.strongest.type == "conversation"


def arrival(event: Event, rules: Rules, secret: bytes) -> Arrival:
    """Work out what follows from an event alone."""
    wire = to_wire(event)
    body = orjson.dumps(wire)
    digest = hashlib.blake2b(
        orjson.dumps({name: value for name, value in wire.items() if name not in ("time", "recordedtime")}),
        digest_size=16,
    ).digest()
    key = event_key(event.source, event.id)
    named = {identifier_id(one, secret): (one, sure) for one, sure in whom(event, rules).items()}
    visiting = interaction = None
    if event.conversation:
        interaction = conversation_id(event.system, event.conversation)
    elif event.channel in VISITING:
        visiting = next((id for id, (one, _) in named.items() if one.type == "device"), next(iter(named)))
    else:
        interaction = single_id(key)
    return Arrival(event, key, digest, body, named, visiting, interaction)


def links(one: Arrival) -> Iterator[Link]:
    """An event's anchor with each other identifier it names."""
    for other in list(one.named)[1:]:
        yield Link(one.event.occurred_at, one.key, one.anchor, other, "same event")


def alias(one: Arrival, rules: Rules) -> Key | None:
    """The account that an event says its own account was before: joined by the source's word, whatever the limits."""
    previous = one.event.data.get("previous") if one.event.type == "customer.identified" else None
    if not isinstance(previous, dict) or one.strongest.type != "account":
        return None
    before = normalise("account", str(previous.get("value", "")), one.event.system, rules)
    return before if before != one.strongest else None


def verdict(one: Arrival) -> tuple[str, Key, Key] | None:
    """What a person decided on which identifiers, if the event says so in tellonce's own name."""
    event = one.event
    if event.type not in VERDICTS or event.source != OWN_SOURCE:
        return None
    ends = ("identifier", "identifier") if event.type == "identifier.barred" else ("left", "right")
    left, right = (Key(**event.data[end]) for end in ends)
    word = VERDICTS[event.type]
    return (word, left, right) if left != right or word == "bar" else None


def names(arrived: Iterable[Arrival]) -> dict[tuple[UUID, str], Age]:
    """Customers' names as their own events give them, with when they were last seen."""
    latest: dict[tuple[UUID, str], Age] = {}
    for one in arrived:
        if not one.unnamed and (called := _called(one.event)):
            name = (one.anchor, called)
            latest[name] = max(latest.get(name, one.age), one.age)
    return latest


def _called(event: Event) -> str | None:
    if event.author and event.author.role == Role.customer and event.author.name:
        return event.author.name
    traits = event.data.get("traits") if event.type == "customer.identified" else None
    name = traits.get("name") if isinstance(traits, dict) else None
    return name.strip() or None if isinstance(name, str) else None


def stand_in(one: Arrival, secret: bytes) -> UUID | None:
    """The id of the identifier that stands for whoever the event's conversation is with."""
    return identifier_id(conversation_key(one.event), secret) if one.event.conversation else None
