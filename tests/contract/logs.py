"""Both event logs, opened alike, so that one suite holds them to one contract; also from another process."""

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from time import monotonic

import sqlalchemy as sa
from kafka import KafkaAdminClient, TopicPartition

from services import database
from services.eventlog import Appender, Batch, Draft, LogUnavailable, Reader, kafka_clients, postgres
from services.eventlog.kafka import KafkaAppender
from services.eventlog.kafka_reader import KafkaReader
from services.eventlog.positions import Claim, Fenced, advance, claim
from services.eventlog.postgres import PostgresAppender
from services.eventlog.postgres_reader import PostgresReader
from services.tables import log_records

PARTITIONS = 3
BRISK = {"metadata_max_age_ms": 1000}  # so that a test need not wait long for partitions to be found
DEADLINE = 90.0


@dataclass(frozen=True)
class Log:
    """A topic of its own on one of the two logs. `address`: of Kafka's brokers; `store`: the database's URL."""

    kind: str
    address: str
    store: str
    topic: str
    group: str

    def make(self, partitions: int = PARTITIONS) -> None:
        """Make the topic, or give it more partitions."""
        if self.kind == "kafka":
            return kafka_clients.ensure_topics(self.address, [self.topic], partitions, 1, {})
        with database.engine(self.store).begin() as conn:
            postgres.ensure_topic(conn, self.topic, partitions)

    def drop(self, partition: int, before: int) -> None:
        """Take away what is before a position, as retention does."""
        if self.kind == "kafka":
            with closing(KafkaAdminClient(bootstrap_servers=self.address)) as admin:
                admin.delete_records({TopicPartition(self.topic, partition): before})
            return
        columns = log_records.c
        with database.engine(self.store).begin() as conn:
            old = columns.topic == self.topic, columns.partition == partition, columns.position < before
            conn.execute(log_records.delete().where(*old))

    def appender(self, timeout: float = 20.0, budget: int = 64_000_000) -> Appender:
        """The writing side."""
        if self.kind == "kafka":
            return KafkaAppender(self.address, timeout, budget, topic=self.topic)
        return PostgresAppender(database.engine(self.store), PARTITIONS, timeout, budget, self.topic)

    def reader(self, batch_size: int = 1000) -> Reader:
        """The reading side."""
        if self.kind == "kafka":
            store = database.engine(self.store)
            return KafkaReader(self.address, store, self.group, batch_size, BRISK, self.topic, stall=2.0)
        return PostgresReader(database.engine(self.store), self.group, batch_size, self.topic)


@dataclass
class Work:
    """Reads and advances as the timeline's worker does, and keeps what it has committed."""

    engine: sa.Engine
    reader: Reader
    done: list[tuple[int, int, bytes]] = field(default_factory=list)
    _claims: dict[int, Claim] = field(default_factory=dict)
    _changes: int = -1

    def step(self, advancing: bool = True) -> list[Batch]:
        """Claim when what is held has changed, poll, commit what came; the batches."""
        held, changes = self.reader.assigned()
        if changes != self._changes:
            self._claims = {partition: self._claim(partition) for partition in held}
            self._changes = changes
        batches = self.reader.poll(0.1)
        if advancing:
            for batch in batches:
                self.commit(batch)
        return batches

    def commit(self, batch: Batch) -> None:
        """Advance over a batch; when another has claimed the partition since, begin anew."""
        mine = self._claims[batch.partition]
        try:
            with self.engine.begin() as conn:
                advance(conn, self.reader.log, batch.partition, batch.first, batch.end, mine.generation)
        except Fenced:
            self._changes = -1
        else:
            self.done += [(one.partition, one.position, one.value) for one in batch.records]

    def _claim(self, partition: int) -> Claim:
        with self.engine.begin() as conn:
            mine = claim(conn, self.reader.log, partition)
        self.reader.seek(partition, mine.position)
        return mine


def until(reached: Callable[[], object], *steps: Callable[[], object]) -> None:
    """Repeat the steps until it is so; fail when it isn't after long."""
    deadline = monotonic() + DEADLINE
    while not reached():
        assert monotonic() < deadline, "it never came to that"
        for step in steps:
            step()


def append_when_back(appender: Appender, drafts: list[Draft]) -> None:
    """Append as a client does that tries again when it is told to."""
    stored = False

    def attempt() -> None:
        nonlocal stored
        try:
            appender.append(drafts)
            stored = True
        except LogUnavailable:
            stored = False

    until(lambda: stored, attempt)


def step_when_back(work: Work) -> None:
    """A step of a worker that waits while log or database are away."""
    with suppress(LogUnavailable, sa.exc.OperationalError):
        work.step()
