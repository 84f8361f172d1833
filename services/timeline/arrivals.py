"""Events as the stitch needs them: keys, links, decisions and rows, worked out once. Pure."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.cleaning import SANITISED
from schemas.codec import encode
from schemas.event import Event, Role, Verification
from services.identifiers import OWN_SOURCE, Key, Rules, conversation_key, event_key, identifier_id, normalise
from services.identifiers import named as whom
from services.timeline.identity import Age, Id, Link
from services.timeline.interactions import VISITING, conversation_id, single_id

RECORDED, OCCURRED = b'"recordedtime":"', b'"time":"'
LONGEST = 512  # characters of a name, as many as an author's may have; so long an index takes one
VERDICTS = {"customer.merged": "merge", "customer.unmerged": "unmerge", "identifier.barred": "bar"}


class Arrival(NamedTuple):
    """One event with everything that follows from itself alone."""

    event: Event
    key: Id
    age: Age  # its place in the order that decides
    body: bytes  # canonical JSON
    digest: bytes  # of the content, without the times that a retry may change
    named: dict[Id, tuple[Key, Verification]]  # strongest first
    anchor: Id  # the identifier it is attached to, for ever
    strongest: Key  # the same as a key
    visiting: Id | None  # the device whose visit it belongs to
    interaction: Id | None  # None: known once its visit is

    @property
    def unnamed(self) -> bool:
        """Whether it names nobody and stands with its conversation."""
        return self.strongest.type == "conversation"


def arrival(event: Event, rules: Rules, secret: bytes, line: bytes | None = None) -> Arrival:
    """Work out what follows from an event alone. `line`: as it stands in the log.

    Whoever appends with `recordedtime`, as ingest does, promises canonical JSON: that need not be written again.
    """
    body = line if line and event.received_at and SANITISED not in event.extensions else encode(event)
    key = event_key(event.source, event.id)
    named = {identifier_id(one, secret): (one, sure) for one, sure in whom(event, rules).items()}
    anchor = next(iter(named))
    strongest = named[anchor][0]
    visiting = interaction = None
    if event.conversation:
        interaction = conversation_id(event.system, event.conversation)
    elif event.channel in VISITING:
        visiting = anchor if len(named) == 1 else _device(named, anchor)
    else:
        interaction = single_id(key)
    age = Age(event.occurred_at, key)
    digest = _digest(body, (RECORDED, OCCURRED) if event.received_at else (OCCURRED,))
    return Arrival(event, key, age, body, digest, named, anchor, strongest, visiting, interaction)


def _device(named: dict[Id, tuple[Key, Verification]], anchor: Id) -> Id:
    return next((id for id, (key, _) in named.items() if key.type == "device"), anchor)


def _digest(body: bytes, times: Iterable[bytes]) -> bytes:
    """A hash of canonical JSON without its times. They stand behind `data`, and no text holds a bare quote."""
    for name in times:
        before, found, after = body.rpartition(name)
        body = before + after[after.find(b'"') :] if found else body
    return hashlib.blake2b(body, digest_size=16).digest()


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


def called(event: Event) -> str | None:
    """The customer's name, as their own event gives it."""
    if event.author and event.author.role == Role.customer and event.author.name:
        return event.author.name
    traits = event.data.get("traits") if event.type == "customer.identified" else None
    name = traits.get("name") if isinstance(traits, dict) else None
    return name.strip()[:LONGEST] or None if isinstance(name, str) else None


def stand_in(event: Event, secret: bytes) -> Id:
    """The id of the identifier that stands for whoever the event's conversation is with."""
    return identifier_id(conversation_key(event), secret)
