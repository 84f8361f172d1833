"""The event log: append, read assigned partitions in batches, positions. Kafka, or a table in PostgreSQL."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from services.errors import TooLarge, Unavailable

EVENTS = "timeline.events"
DEAD = "timeline.events.dead"
LARGEST = 4_000_000  # bytes of a record's key and value; both logs take as much


class LogUnavailable(Unavailable):
    """The event log can't be reached or does not answer in time; nothing is known to be stored. Try again."""

    code = "log_unavailable"


class Draft(NamedTuple):
    """A record to append: `key` decides its partition, `value` is one event or several, a line each.

    `shares`: it may be put in one record with its neighbours of the same partition, a line each.
    """

    key: str
    value: bytes
    shares: bool = False

    @property
    def size(self) -> int:
        """Bytes on their way to the log. Raises TooLarge above LARGEST."""
        size = len(self.key.encode()) + len(self.value)
        if size > LARGEST:
            message = f"A record has {size} bytes; the log takes {LARGEST}."
            raise TooLarge(message, code="record_too_large", hint="Put fewer events into one record.")
        return size


class Record(NamedTuple):
    """A record as read: `position` is its place in its partition."""

    partition: int
    position: int
    value: bytes


@dataclass(frozen=True)
class Batch:
    """Records of one partition in order; `first` is the position it starts at, `end` the one to go on from.

    Without records it says that there are none left between the two: retention has taken them.
    """

    partition: int
    first: int
    end: int
    records: Sequence[Record]


class Appender(Protocol):
    """The writing side; one per process. Made after fork."""

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        """Return when all drafts are durable, in their order within a partition. `topic`: left out, its own.

        Raises LogUnavailable within the time-out otherwise; some may be stored all the same. Raises TooLarge
        for a record above LARGEST, and then none is stored. Blocks: call it from a thread, as many at once as
        you like.
        """

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now."""

    def close(self) -> None: ...


class Swift(Appender, Protocol):
    """An appender that needs no thread of the caller's for each append."""

    def begin(self, drafts: Sequence[Draft]) -> Future[None] | None:
        """Begin to append; it ends as `append` does, by another thread, unless it is given up. None where it would
        have to wait first, as for a connection: then `append` does. Never blocks. Raises TooLarge as `append` does."""

    def give_up(self, begun: Future[None]) -> None:
        """End what was begun with LogUnavailable, if it has not ended. To be called after the time-out: some clients
        never end what they have given up themselves."""


class Reader(Protocol):
    """The reading side; one per worker thread. Partitions are shared among the readers of one group.

    Where to start in a partition is the caller's: it keeps positions with its data (`positions.py`) and says
    `seek`. For a moment two readers may hold the same partition: the positions' fence decides, and who is fenced
    claims anew a moment later what it still holds.
    """

    @property
    def log(self) -> str:
        """The name of this topic of this log, and of no other: what to keep positions under, so that those of
        one log are never taken for another's. Raises LogUnavailable."""

    def poll(self, timeout: float) -> list[Batch]:
        """The next records of the partitions held, at most `batch_size`; empty after `timeout` seconds.
        Only partitions that were given a position by `seek` are read. What is returned is not returned again
        until the caller seeks back. Raises LogUnavailable; the same reader goes on when the log is back.
        """

    def assigned(self) -> tuple[frozenset[int], int]:
        """The partitions held, and a counter that rises when they change, which is only within `poll`."""

    def seek(self, partition: int, position: int) -> None:
        """Read a held partition from this position on. Raises ValueError when it isn't held."""

    def done(self, partition: int, position: int) -> None:
        """Say that all before `position` is processed; only so that lag can be watched from outside."""

    def ends(self) -> dict[int, int]:
        """The end of every partition of the topic, to know the lag. Raises LogUnavailable."""

    def renew(self) -> None:
        """Have new connections to the database when it is next needed: those there are may be half open."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
