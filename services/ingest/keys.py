"""Which source a key belongs to: looked up in the database, remembered for seconds."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.access import Source, digest, source_named, source_of
from services.errors import Unauthorized, Unavailable
from services.logs import kind

FRESH = 3.0  # seconds until a key is looked up again, and so until a revoked one is refused
KEPT = 3600.0  # seconds for which a known key holds while the database is away
PATIENCE = 0.2  # seconds for which a known key's lookup is waited for, before it holds as it is
MOST_LOOKUPS = 100  # at once; without an end a database that hangs would collect them

T = TypeVar("T")
Ask = Callable[[sa.Connection], Source | None]

log = structlog.get_logger()


class Known(NamedTuple):
    """A key's source, when the database said so, and when to ask again (monotonic seconds)."""

    source: Source
    said_at: float
    ask_at: float


class Keys:
    """The sources' keys; while the database is away, the sources that are known go on.

    `timeout` seconds are waited for a key that is not known; `clock` gives monotonic seconds.
    """

    def __init__(self, engine: sa.Engine, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._timeout = timeout
        self._clock = clock
        self._known: dict[bytes, Known] = {}
        self._lookups: dict[bytes, asyncio.Future[Source | None]] = {}
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="keys")

    async def source_of(self, candidates: Iterator[str]) -> Source:
        """The source of the first valid key. Raises Unauthorized, or Unavailable if it can't be known."""
        for key in candidates:
            source = await self._found(digest(key), partial(source_of, key=key))
            if source:
                return source
        raise Unauthorized("The request carries no valid key of a source.")

    def at_hand(self, hashed: bytes) -> Source | None:
        """The source of a key, by its digest, if it was looked up a moment ago; None says nothing."""
        known = self._known.get(hashed)
        return known.source if known and self._clock() < known.ask_at else None

    async def named(self, name: str) -> Source | None:
        """The source of this name. Raises Unavailable if it can't be known."""
        return await self._found(b"name " + name.encode(errors="replace"), lambda conn: source_named(conn, name))

    async def ask(self, question: Callable[[sa.Connection], T]) -> T:
        """What the database answers, in a transaction. Raises Unavailable if it does not in time."""
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._asked, question)
        except (SQLAlchemyError, TimeoutError):
            raise _unavailable() from None

    def check(self) -> None:
        """Ask the database for anything. Raises SQLAlchemyError."""
        with self._engine.connect() as conn:
            conn.execute(sa.select(1))

    def close(self) -> None:
        """Stop the threads that ask the database."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _found(self, hashed: bytes, ask: Ask) -> Source | None:
        now = self._clock()
        known = self._known.get(hashed)
        if known and now < known.ask_at:
            return known.source
        try:
            async with asyncio.timeout(PATIENCE if known else self._timeout):
                source = await asyncio.shield(self._lookup(hashed, ask))
        except (SQLAlchemyError, TimeoutError) as error:
            return self._while_away(hashed, now, error)
        if source:
            self._known[hashed] = Known(source, now, now + FRESH)
        else:
            self._known.pop(hashed, None)
        return source

    def _while_away(self, hashed: bytes, now: float, error: Exception) -> Source:
        known = self._known.get(hashed)
        if known is None or now >= known.said_at + KEPT:
            raise _unavailable() from None
        if now >= known.ask_at:  # the first of those who waited
            log.warning("keys_unavailable", source=known.source.name, error=kind(error))
            self._known[hashed] = known._replace(ask_at=now + FRESH)
        return known.source

    def _lookup(self, hashed: bytes, ask: Ask) -> asyncio.Future[Source | None]:
        """Ask the database, once for all requests that wait for the same key."""
        if hashed not in self._lookups:
            if len(self._lookups) >= MOST_LOOKUPS:
                raise TimeoutError
            lookup = asyncio.get_running_loop().run_in_executor(self._threads, self._asked, ask)
            self._lookups[hashed] = lookup
            lookup.add_done_callback(lambda done: self._answered(hashed, done))
        return self._lookups[hashed]

    def _answered(self, hashed: bytes, lookup: asyncio.Future[Source | None]) -> None:
        del self._lookups[hashed]
        if not lookup.cancelled():
            lookup.exception()  # looked at here, for those who asked may have given up waiting

    def _asked(self, question: Callable[[sa.Connection], T]) -> T:
        with self._engine.begin() as conn:
            return question(conn)


def _unavailable() -> Unavailable:
    return Unavailable("The database that knows the keys does not answer.", code="keys_unavailable")
