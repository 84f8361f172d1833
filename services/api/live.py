"""The live stream of a customer's timeline: what is new, in order, nothing missed from one connection to the next.

A cursor is `transaction-event`: everything up to it was sent. Only transactions below which all others are over are
sent, so that one that commits late can't be skipped.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa
import structlog
from fastapi.sse import ServerSentEvent
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.ext.asyncio import AsyncEngine

from services.api.answers import Answer, Happening, KnownIdentifier
from services.api.contacts import joined
from services.api.queries import SETTLED, fingerprint, identifiers_shown, ids_of, members
from services.api.timelines import EVENT, happening
from services.database import listening
from services.errors import Invalid, NotFound
from services.logs import kind

log = structlog.get_logger()

POLL = 2.0  # seconds until a look without being woken
BREATH = 0.05  # seconds between looks, so that many batches at once cost one
LIFE = 900.0  # seconds of a connection; a client comes again by itself, and who it is is checked again
RETRY = 1000  # milliseconds until it comes again
AT_ONCE = 200

NEWS = sa.text(f"""
    SELECT e.tx, {EVENT} FROM interactions i JOIN events e USING (identifier_id, interaction_id)
    WHERE i.identifier_id = ANY(:ids) AND i.tx >= :tx
    AND (e.tx, e.event_key) > (:tx, :key) AND e.tx < {SETTLED}
    ORDER BY e.tx, e.event_key LIMIT {AT_ONCE}""")
WATCHED = sa.text("""
    SELECT asked.id AS asked, mine.id FROM identifiers asked JOIN identifiers mine USING (customer_id)
    WHERE asked.id = ANY(:asked)""")
TOUCHED = sa.text("""
    SELECT identifier_id, max(tx) AS tx FROM interactions
    WHERE identifier_id = ANY(:ids) AND tx >= :since GROUP BY identifier_id""")


class Place(NamedTuple):
    """A cursor of the stream."""

    tx: int
    key: UUID = UUID(int=2**128 - 1)

    def __str__(self) -> str:
        return f"{self.tx}-{self.key}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """Raises Invalid with code bad_cursor."""
        tx, _, key = text.partition("-")
        try:
            return cls(int(tx), UUID(key))
        except ValueError:
            hint = "Send the id of the last event you got, or none."
            raise Invalid("This is no place in the stream.", code="bad_cursor", hint=hint) from None


class Whole(Answer):
    """Who the customer is now: sent first, and again whenever identifiers come or go."""

    id: UUID
    asked: UUID
    members: str
    identifiers: list[KnownIdentifier]


@dataclass(frozen=True)
class News:
    """What there is behind a place. `place` is where to go on; `reset`: the place asked for does not exist."""

    whole: Whole
    items: Sequence[tuple[Place, Happening]]
    place: Place
    reset: bool


@dataclass(eq=False)
class Follower:
    """One open stream: whom it follows, which set of identifiers it has told, and its wake."""

    asked: UUID
    members: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Watch:
    """Wakes the streams whose customer changed: one listening connection and one look for all of a process."""

    url: str
    engine: AsyncEngine
    followers: set[Follower] = field(default_factory=set)
    since: int = 0

    @contextmanager
    def following(self, asked: UUID) -> Iterator[Follower]:
        """Be woken as long as the context lasts."""
        follower = Follower(asked)
        self.followers.add(follower)
        try:
            yield follower
        finally:
            self.followers.discard(follower)

    async def run(self) -> None:
        """Listen and wake until cancelled; a database that is away is waited for."""
        while True:
            try:
                async with await listening(self.url) as conn:
                    await conn.execute("LISTEN timeline")
                    while True:
                        again = await self.look()
                        await asyncio.sleep(BREATH)
                        heard = [one async for one in conn.notifies(timeout=BREATH if again else POLL, stop_after=1)]
                        if not (heard or again):
                            await conn.execute("SELECT 1")  # or a network that is half open would look like peace
            except (psycopg.Error, DBAPIError, NoConnection) as error:
                log.warning("live_away", error=kind(error))
                await asyncio.sleep(POLL)

    async def look(self) -> bool:
        """Wake whose customer has other identifiers or touched interactions; whether some must be looked at again."""
        if not self.followers:
            return False
        async with self.engine.connect() as conn:
            watched = await conn.execute(WATCHED, {"asked": list({one.asked for one in self.followers})})
            mine: dict[UUID, list[UUID]] = {}
            for row in watched:
                mine.setdefault(row.asked, []).append(row.id)
            settled = (await conn.execute(sa.text(f"SELECT {SETTLED}"))).scalar_one()
            ids = [id for owned in mine.values() for id in owned]
            since = min(self.since, settled)  # a restored database counts anew
            touched = {row.identifier_id: row.tx for row in await conn.execute(TOUCHED, {"ids": ids, "since": since})}
        for one in list(self.followers):
            owned = mine.get(one.asked, [])
            if fingerprint(owned) != one.members or not touched.keys().isdisjoint(owned):
                one.wake.set()
        self.since = settled
        return any(tx >= settled for tx in touched.values())


def start(conn: sa.Connection) -> Place:
    """The place behind everything that is settled now."""
    return Place(conn.execute(sa.text(f"SELECT {SETTLED}")).scalar_one() - 1)


def news(conn: sa.Connection, asked: UUID, place: Place) -> News:
    """What is new of a customer behind a place, at most 200 events. Raises NotFound."""
    rows = members(conn, asked)
    whole = Whole(
        id=rows[0].customer_id,
        asked=asked,
        members=fingerprint(ids_of(rows)),
        identifiers=identifiers_shown(rows),
    )
    if place.tx >= rows[0].settled:
        return News(whole, [], Place(rows[0].settled - 1), reset=True)
    found = conn.execute(NEWS, {"ids": ids_of(rows), **place._asdict()}).all()
    shown = joined(conn, ids_of(rows), [happening(row._mapping) for row in found])
    items = [(Place(row.tx, row.event_key), item) for row, item in zip(found, shown, strict=True)]
    return News(whole, items, items[-1][0] if items else place, reset=False)


async def stream(
    engine: AsyncEngine, watch: Watch, asked: UUID, place: Place, life: float = LIFE
) -> AsyncIterator[ServerSentEvent]:
    """The stream from a place on: `customer` first and at each change, `event` for each, `reset` where the place is
    not of this database. Ends after `life` seconds, or when database or customer go away; the client comes again."""
    until = monotonic() + life
    yield ServerSentEvent(retry=RETRY)
    with watch.following(asked) as follower:
        while (left := until - monotonic()) > 0:
            follower.wake.clear()
            try:
                async with engine.connect() as conn:
                    found = await conn.run_sync(news, asked, place)
            except (DBAPIError, NoConnection, NotFound):
                return
            if found.reset:
                yield ServerSentEvent(event="reset", data={"members": found.whole.members}, id=str(found.place))
            if found.whole.members != follower.members:
                follower.members = found.whole.members
                yield ServerSentEvent(event="customer", data=found.whole)
            for at, item in found.items:
                yield ServerSentEvent(event="event", data=item, id=str(at))
            place = found.place
            if len(found.items) < AT_ONCE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(follower.wake.wait(), left)
