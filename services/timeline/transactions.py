"""What was read of the log at once, into the store: events, dead letters and positions in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from schemas.codec import Unreadable, decode
from services.database import occupied
from services.eventlog import Batch, Record
from services.eventlog.positions import Claim, advance
from services.identifiers import Rules
from services.timeline.arrivals import Arrival, arrival
from services.timeline.deadletters import DeadLetter, DeadLetters
from services.timeline.measures import Measures
from services.timeline.plans import Plan, plan, planned
from services.timeline.steps import Steps, Stepwise, few
from services.timeline.stitch import Outcome, store

AGAIN = frozenset({"40001", "40P01"})  # serialisation failure, deadlock: the same again will do
TRIES = 10
# What a record with odd values brings about in our own code, there or in the database: it will again, and belongs to
# the record. Nothing that has to do with the database being away, or with others at work in it, is one of these.
MISTAKES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
UNSTORABLE = (DataError, IntegrityError, *MISTAKES)


@dataclass(frozen=True)
class Taken:
    """What was read at once of the log of this name: batches, the claims on their partitions, and what is in each."""

    log: str
    batches: Sequence[Batch]
    claims: Mapping[int, Claim]
    arrived: Sequence[Sequence[Arrival]]
    dead: Sequence[DeadLetter]
    plan: Plan | None  # None: a line can't be planned, and is to be found

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return [record for batch in self.batches for record in batch.records]


Taking = Steps[Taken]


@dataclass
class Transactions:
    """The transactions of one worker, one after the other."""

    engine: sa.Engine
    rules: Rules
    secret: bytes
    dead: DeadLetters
    measures: Measures

    def take(self, log: str, batches: Sequence[Batch], claims: Mapping[int, Claim]) -> Taking:
        """Decode what was read and plan it, a little at a call, so that it can be stored."""
        return Taking(self._take(log, batches, claims))

    def _take(self, log: str, batches: Sequence[Batch], claims: Mapping[int, Claim]) -> Stepwise[Taken]:
        dead, arrived = list[DeadLetter](), list[list[Arrival]]()
        for batch in batches:
            some = list[Arrival]()
            for lines in few([line for record in batch.records for line in _lines(record)]):
                some += self._read(lines, dead)
                yield
            arrived.append(some)
            self.measures.lag.reading(batch.partition, some)
        made = yield from self._planned([one for some in arrived for one in some])
        return Taken(log, batches, claims, arrived, dead, made)

    def _planned(self, arrived: Sequence[Arrival]) -> Stepwise[Plan | None]:
        try:
            return (yield from planned(arrived, self.rules, self.secret))
        except MISTAKES:
            return None

    def store(self, taken: Taken, meanwhile: Callable[[], bool] | None = None) -> None:
        """Store what was taken, each event once. Raises Fenced, TooManyDead or DBAPIError, and then stores nothing.

        `meanwhile`: done while the database works, a little at a call, until it says that there is no more.
        """
        started, by_halves = monotonic(), taken.plan is None
        for attempt in range(1, TRIES + 1):
            try:
                outcome, dead = self._commit(taken, by_halves, meanwhile)
                break
            except UNSTORABLE:
                if by_halves:
                    raise
                by_halves = True
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in AGAIN or attempt == TRIES:
                    raise
                self.measures.retries.inc()
        self.dead.committed(len(dead), len(taken.records))
        self._measure(taken, outcome, dead, monotonic() - started)

    def _measure(self, taken: Taken, outcome: Outcome, dead: Sequence[DeadLetter], seconds: float) -> None:
        stitched = self.measures.lag.stitched
        delays = [stitched(batch.partition, some) for batch, some in zip(taken.batches, taken.arrived, strict=True)]
        delay = max((one for one in delays if one is not None), default=None)
        self.measures.batch(outcome, [letter.reason for letter in dead], len(taken.records), seconds, delay)

    def _commit(
        self, taken: Taken, by_halves: bool, meanwhile: Callable[[], bool] | None
    ) -> tuple[Outcome, Sequence[DeadLetter]]:
        with self.engine.connect() as conn, occupied(conn, meanwhile), conn.begin():
            if by_halves or taken.plan is None:
                lines = [line for record in taken.records for line in _lines(record)]
                outcome, unstorable = self._store_by_halves(conn, lines)
                dead = _one_a_record([*taken.dead, *unstorable])
            else:
                outcome = store(conn, taken.plan)
                dead = _one_a_record(taken.dead)
            self.dead.set_aside(conn, taken.log, dead, len(taken.records))
            for batch in taken.batches:
                mine = taken.claims[batch.partition].generation
                advance(conn, taken.log, batch.partition, batch.first, batch.end, mine)
        return outcome, dead

    def _store_by_halves(self, conn: sa.Connection, lines: Sequence[Record]) -> tuple[Outcome, list[DeadLetter]]:
        """Find the lines that can't be stored; the others go through."""
        if not lines:
            return Outcome(), []
        try:
            with conn.begin_nested():
                return store(conn, plan(self._read(lines, []), self.rules, self.secret)), []
        except UNSTORABLE as error:
            if len(lines) == 1:
                return Outcome(), [DeadLetter(lines[0], "unstorable", _words(error))]
        half = len(lines) // 2
        first, second = (self._store_by_halves(conn, some) for some in (lines[:half], lines[half:]))
        return first[0] + second[0], first[1] + second[1]

    def _read(self, lines: Iterable[Record], dead: list[DeadLetter]) -> list[Arrival]:
        """The events of lines; those that can't be read become dead letters."""
        arrived = list[Arrival]()
        for line in lines:
            try:
                arrived.append(arrival(decode(line.value), self.rules, self.secret, line.value))
            except Unreadable as error:
                dead.append(DeadLetter(line, error.reason, error.detail))
            except MISTAKES as error:
                dead.append(DeadLetter(line, "unstorable", _words(error)))
        return arrived


def _lines(record: Record) -> list[Record]:
    """Each event of a record, as if it had one of its own."""
    return [record._replace(value=line) for line in record.value.split(b"\n")]


def _one_a_record(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """The bad lines of each record together, for the reason of the first of them."""
    found: dict[tuple[int, int], DeadLetter] = {}
    for letter in letters:
        where = letter.record.partition, letter.record.position
        if first := found.get(where):
            both = b"\n".join((first.record.value, letter.record.value))
            letter = first._replace(record=first.record._replace(value=both))
        found[where] = letter
    return list(found.values())


def _words(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, DBAPIError):
        return str(error.orig).partition("\n")[0]
    return f"{type(error).__name__}: {error}".partition("\n")[0]
