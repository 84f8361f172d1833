"""The event log: append, read assigned partitions in batches, positions. Kafka, or a table in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Protocol, Self

EVENTS = "timeline.events"
DEAD = "timeline.events.dead"


class LogUnavailable(Exception):
    """The event log can't be reached or does not answer in time; nothing is known to be stored. Try again."""


class Draft(NamedTuple):
    """A record to append: `key` decides its partition, `value` is one event or several, a line each."""

    key: str
    value: bytes


class Record(NamedTuple):
    """A record as read: `position` is its place in its partition."""

    partition: int
    position: int
    value: bytes


@dataclass(frozen=True)
class Batch:
    """Records of one partition in order; `first` is the position it starts at, `end` the one to go on from."""

    partition: int
    first: int
    end: int
    records: Sequence[Record]


class Appender(Protocol):
    """The writing side; one per process. Made after fork."""

    def append(self, drafts: Sequence[Draft], topic: str = EVENTS) -> None:
        """Return when all drafts are durable, in their order within a partition.

        Raises LogUnavailable within the time-out otherwise; some may be stored all the same. Blocks: call it from
        a thread, as many at once as you like.
        """

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now."""

    def close(self) -> None: ...


class Reader(Protocol):
    """The reading side; one per worker thread. Partitions are shared among the readers of one group.

    Where to start in a partition is the caller's: it keeps positions with its data and says `seek`.
    """

    def poll(self, timeout: float) -> list[Batch]:
        """The next records of the partitions held, at most `batch_size` a call; empty after `timeout` seconds.

        Only partitions that were given a position by `seek` are read. Raises LogUnavailable.
        """

    def assigned(self) -> tuple[frozenset[int], int]:
        """The partitions held now, and a counter that rises with each change of them."""

    def seek(self, partition: int, position: int) -> None:
        """Read a held partition from this position on."""

    def done(self, partition: int, position: int) -> None:
        """Say that all before `position` is processed; only so that lag can be watched from outside."""

    def ends(self) -> dict[int, int]:
        """The end of every partition of the topic, to know the lag. Raises LogUnavailable."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...
