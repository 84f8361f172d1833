"""What a batch says about who is who, packed for the database: identifiers, conversations, links, decisions."""

from collections.abc import Sequence

from schemas.event import Event, Verification
from services.identifiers import SURENESS, Key, Rules, identifier_id
from services.timeline.arrivals import Arrival, alias, links, verdict
from services.timeline.bulk import Array, columns, flags, optional_uuids, texts, times, uuids
from services.timeline.identity import Age, Decision, Id, Link
from services.timeline.steps import Stepwise

IDENTIFIER = (uuids, texts, texts, texts, texts, times, uuids)
TALK = (uuids, optional_uuids, times, optional_uuids, flags)
LINK = (uuids, uuids, times, uuids, texts, texts, texts)


class Talk:
    """A conversation: one of its events, the first that names somebody, whether others name nobody."""

    __slots__ = ("event", "first", "unnamed")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.first: Arrival | None = None
        self.unnamed = False

    def add(self, one: Arrival) -> None:
        """Take one of its events in."""
        if one.unnamed:
            self.unnamed = True
        elif self.first is None or one.age < self.first.age:
            self.first = one

    def made(self, key: Id) -> Event | None:
        """The event of this key, if it is the first that names somebody."""
        return self.first.event if self.first and self.first.key == key else None


class Linked:
    """Links, of those of one pair and rule the earliest, each with the source and id of its event where it is known."""

    def __init__(self) -> None:
        self.first: dict[tuple[Id, Id, str], Link] = {}
        self.columns: Sequence[Array] = ()
        self._origin: dict[Id, tuple[str, str]] = {}

    def add(self, link: Link, event: Event | None = None) -> None:
        """Take one in. `event`: the one that makes it, where that is one of this batch."""
        name = link.left, link.right, link.rule
        known = self.first.get(name)
        if known is None or link < known:
            self.first[name] = link
            if event:
                self._origin[link.key] = event.source, event.id

    def pack(self) -> Stepwise[None]:
        """Pack them, in order of their ends."""
        new = sorted(self.first.values(), key=lambda link: (link.left, link.right))
        rows = [
            (one.left, one.right, one.at, one.key, one.rule, *self._origin.get(one.key, (None, None))) for one in new
        ]
        self.columns = yield from columns(LINK, rows)


class Said:
    """Whom events name and what they say of them."""

    def __init__(self, rules: Rules, secret: bytes) -> None:
        self.linked = Linked()
        self.decided: list[tuple[Decision, Event]] = []
        self.talks: dict[Id, Talk] = {}  # by interaction
        self.unnamed: Sequence[Array] = ()  # the ids of those of them that have events that name nobody
        self.identifier_columns: Sequence[Array] = ()
        self.talk_columns: Sequence[Array] = ()
        self._named: dict[Id, tuple[Key, Verification, Age]] = {}  # with the best verification and the age
        self._rules, self.secret = rules, secret

    def add(self, one: Arrival) -> None:
        """Take one event in."""
        for id, (key, sure) in one.named.items():
            self._note(id, key, sure, one.age)
        if len(one.named) > 1:
            for link in links(one):
                self.linked.add(link, one.event)
        if before := alias(one, self._rules):
            self.linked.add(Link(*one.age, one.anchor, self._mention(before, one.age), "alias"), one.event)
        if said := verdict(one):
            word, left, right = said
            decision = Decision(*one.age, self._mention(left, one.age), self._mention(right, one.age), word)
            self.decided.append((decision, one.event))
        if one.interaction and one.event.conversation:
            talk = self.talks.get(one.interaction)
            if talk is None:
                talk = self.talks[one.interaction] = Talk(one.event)
            talk.add(one)

    def pack(self) -> Stepwise[None]:
        """Pack what was taken in, each in order of ids."""
        named = [(id, *key, sure.value, *age) for id, (key, sure, age) in sorted(self._named.items())]
        yield
        self.identifier_columns = yield from columns(IDENTIFIER, named)
        talks = [
            (id, *((one.first.anchor, *one.first.age) if one.first else (None, None, None)), one.unnamed)
            for id, one in sorted(self.talks.items())
        ]
        self.talk_columns = yield from columns(TALK, talks)
        self.unnamed = [uuids(id for id, *_, unnamed in talks if unnamed)]
        yield from self.linked.pack()

    def _mention(self, key: Key, age: Age) -> Id:
        """Note an identifier that somebody speaks of; its id."""
        id = identifier_id(key, self.secret)
        self._note(id, key, Verification.observed, age)
        return id

    def _note(self, id: Id, key: Key, sure: Verification, age: Age) -> None:
        if known := self._named.get(id):
            _, best, first = known
            sure = best if sure is best else max(best, sure, key=SURENESS.index)
            age = min(first, age)
        self._named[id] = key, sure, age
