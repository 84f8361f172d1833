"""Brings items into the event log: resumable, idempotent, and the good are kept where others are refused."""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from schemas.codec import Malformed, from_wire
from schemas.event import Event
from services.errors import TooLarge
from services.eventlog import Appender, Draft, LogUnavailable
from services.files import Item
from services.identifiers import Rules, keys
from services.masking import Masking
from services.tables import imports

ITEMS, BYTES = 500, 8_000_000  # that go to the log at once, at most; a single item may be larger


@dataclass
class Tally:
    """How far an import is, in items."""

    done: int = 0
    accepted: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Import:
    """Where items go, and who is told of progress (after each step) and of refusals (item, code, message)."""

    engine: sa.Engine
    appender: Appender
    rules: Rules
    tell: Callable[[Tally], object]
    refuse: Callable[[Item, str, str], object]
    masking: Masking = field(default_factory=Masking)
    pauses: Sequence[float] = (0.5, 1, 2, 4, 8)  # seconds until a log that is away is tried again

    def run(self, items: Iterable[Item], read: Callable[[Item], Event], name: str | None = None) -> Tally:
        """Append the events that `read` makes of the items; under a name, go on where the last run stopped.

        `read` raises Malformed for an item that is refused. Raises LogUnavailable if the log stays away.
        """
        with self.engine.connect() as conn:
            tally = so_far(conn, name) or Tally()
        self.tell(tally)
        rest = islice(items, tally.done, None)
        while part := _part(rest):
            drafts = [draft for item in part if (draft := self._draft(item, read))]
            self._append(drafts)
            tally.done += len(part)
            tally.accepted += len(drafts)
            tally.refused += len(part) - len(drafts)
            if name:
                with self.engine.begin() as conn:
                    remember(conn, name, tally)
            self.tell(tally)
        return tally

    def _draft(self, item: Item, read: Callable[[Item], Event]) -> Draft | None:
        try:
            event = read(item)
            if event.received_at is None:
                event = event.model_copy(update={"received_at": datetime.now(UTC)})
            event, line = self.masking.masked(event)
            draft = Draft(str(keys(event, self.rules)[0]), line, True)
            assert draft.size
            return draft
        except (Malformed, TooLarge) as refusal:
            self.refuse(item, refusal.code, refusal.message)
            return None

    def _append(self, drafts: Sequence[Draft]) -> None:
        for pause in self.pauses:
            try:
                return self.appender.append(drafts)
            except LogUnavailable:
                time.sleep(pause)
        self.appender.append(drafts)


def so_far(conn: sa.Connection, name: str | None) -> Tally | None:
    """How far an import has come; None if it has not begun."""
    columns = imports.c.done, imports.c.accepted, imports.c.refused
    row = conn.execute(sa.select(*columns).where(imports.c.name == name)).one_or_none()
    return Tally(*row) if row else None


def remember(conn: sa.Connection, name: str, tally: Tally) -> None:
    """Keep how far an import has come."""
    values = dataclasses.asdict(tally)
    row = insert(imports).values(name=name, **values)
    changed = values | {"updated_at": sa.func.now()}
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))


def forget(conn: sa.Connection, name: str) -> None:
    """Let an import start over."""
    conn.execute(imports.delete().where(imports.c.name == name))


def fingerprint(items: Iterable[Item], *about: str) -> tuple[str, int]:
    """A name for an import that no other content has, and how many items there are."""
    hashed, count = hashlib.blake2b("\0".join(about).encode(), digest_size=16), 0
    for item in items:
        hashed.update(hashlib.blake2b(item.raw, digest_size=16).digest())
        count += 1
    return hashed.hexdigest(), count


def json_event(item: Item, source: str | None, channels: Sequence[str]) -> Event:
    """The event of a line of JSON; without an id, it is known by its bytes. Raises Malformed.

    `source`: left out, it is what the event says, or "import".
    """
    try:
        document = orjson.loads(item.raw)
    except orjson.JSONDecodeError as error:
        raise Malformed("not_json", f"It is no JSON: {error}.") from None
    if not isinstance(document, dict):
        raise Malformed("not_an_event", "It is no JSON object.")
    own = {"id": f"sha256:{hashlib.sha256(item.raw).hexdigest()}"}
    event = from_wire(own | document, source=source or ("" if document.get("source") else "import"))
    if event.channel not in channels:
        raise Malformed("unknown_channel", f"Channel {event.channel!r} is not registered: {', '.join(channels)}.")
    return event


def _part(items: Iterator[Item]) -> list[Item]:
    part: list[Item] = []
    size = 0
    for item in items:
        part.append(item)
        size += len(item.raw)
        if len(part) == ITEMS or size >= BYTES:
            break
    return part
