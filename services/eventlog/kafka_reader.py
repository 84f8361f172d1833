"""Reading the event log in Kafka: a consumer that starts where the caller says, and nowhere else."""

from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from services.eventlog import EVENTS, LARGEST, Batch, Record
from services.eventlog.kafka_clients import (
    ROOM,
    Options,
    admin_client,
    available,
    build,
    check_options,
    describe,
    reach,
)
from services.eventlog.sharing import Share

log = structlog.get_logger()

TIMEOUT = 5.0  # seconds for a broker to answer
LOOK = 2.0  # seconds for it to say where partitions end, by which a worker knows that it is there
STALL = 30.0  # seconds without progress, though there is more to read, until something is done about it

# The group is only the name under which offsets are committed: partitions are shared by `sharing.Share`.
CONSUMING: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "max_partition_fetch_bytes": LARGEST + ROOM,
    "fetch_max_bytes": 4 * LARGEST,
}


class KafkaReader:
    """One consumer, for one thread. `engine`: its own, of the database in which readers share the partitions."""

    def __init__(
        self,
        servers: str,
        engine: sa.Engine,
        group: str,
        batch_size: int = 1000,
        options: Options | None = None,
        topic: str = EVENTS,
        stall: float = STALL,
    ) -> None:
        check_options(options or {})
        self._topic, self._stall = topic, stall
        own = {"group_id": group, "max_poll_records": batch_size}
        self._settings: dict[str, Any] = {**CONSUMING, **reach(servers, TIMEOUT), **own, **(options or {})}
        self._engine = engine
        self._share = Share(engine, topic, group)
        self._consumer: KafkaConsumer | None = None
        self._log = ""
        self._partitions: set[int] = set()
        self._looked_at = float("-inf")
        self._positions: dict[int, int] = {}
        self._moved_at: dict[int, float] = {}
        self._stalled: set[int] = set()

    @property
    def log(self) -> str:
        """The topic with its id, which no other of the same name has; see `Reader`."""
        if not self._log:
            with available():
                self._connected()
        return self._log

    def poll(self, timeout: float) -> list[Batch]:
        """The next records; see `Reader`."""
        with available():
            consumer = self._connected()
            if self._share.refresh(self._known(consumer)):
                self._assign(consumer)
                return []
            try:
                found = consumer.poll(timeout_ms=int(timeout * 1000))
            except KafkaError:
                self._disconnect()
                raise
            batches = [self._batch(where.partition, records) for where, records in found.items()]
            return batches or self._watch(consumer)

    def assigned(self) -> tuple[frozenset[int], int]:
        """The partitions held; see `Reader`."""
        return self._share.held, self._share.changes

    def seek(self, partition: int, position: int) -> None:
        """Read on from here; see `Reader`."""
        if partition not in self._share.held:
            raise ValueError(f"Partition {partition} isn't held.")
        self._positions[partition] = position
        self._moved_at[partition] = monotonic()
        if self._consumer is not None:
            self._assign(self._consumer)
            self._consumer.seek(self._where(partition), position)

    def done(self, partition: int, position: int) -> None:
        """Commit to Kafka without waiting; see `Reader`."""
        if self._consumer is not None:
            with available():
                self._consumer.commit_async({self._where(partition): OffsetAndMetadata(position, "", -1)})

    def ends(self) -> dict[int, int]:
        """The end of every partition; see `Reader`."""
        with available():
            consumer = self._connected()
            where = [self._where(partition) for partition in self._known(consumer)]
            ends = consumer.end_offsets(where, timeout_ms=LOOK * 1000)
            return {one.partition: end for one, end in ends.items()}

    def renew(self) -> None:
        """New connections to the database in which partitions are shared; see `Reader`."""
        self._engine.dispose()

    def close(self) -> None:
        """Leave the group at once, so that the others take over; again does nothing."""
        self._share.leave()
        self._disconnect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _where(self, partition: int) -> TopicPartition:
        return TopicPartition(self._topic, partition)

    def _connected(self) -> KafkaConsumer:
        """The consumer; a new one goes on where the one before was."""
        if self._consumer is None:
            with admin_client(self._settings) as admin:
                self._log = f"{self._topic}/{describe(admin, self._topic)['topic_id']}"
            consumer = build(KafkaConsumer, self._settings)
            self._consumer = consumer
            self._assign(consumer)
            for partition, position in self._positions.items():
                consumer.seek(self._where(partition), position)
        return self._consumer

    def _known(self, consumer: KafkaConsumer) -> set[int]:
        """The topic's partitions, asked for now and then: without an assignment that is a request."""
        if monotonic() - self._looked_at > self._settings["metadata_max_age_ms"] / 1000:
            self._partitions = consumer.partitions_for_topic(self._topic) or self._partitions
            self._looked_at = monotonic()
        return self._partitions

    def _disconnect(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(timeout_ms=TIMEOUT * 1000)

    def _assign(self, consumer: KafkaConsumer) -> None:
        """Let the consumer read what is held and was given a position, and nothing else."""
        kept = self._positions.keys() & self._share.held
        self._positions = {partition: self._positions[partition] for partition in kept}
        consumer.assign([self._where(partition) for partition in sorted(kept)])

    def _batch(self, partition: int, records: Sequence[Any]) -> Batch:
        first, end = self._positions[partition], records[-1].offset + 1
        if records[0].offset != first:
            log.error("log_records_gone", partition=partition, position=first, found=records[0].offset)
        self._positions[partition] = end
        self._moved_at[partition] = monotonic()
        self._stalled.discard(partition)
        return Batch(partition, first, end, tuple(Record(partition, one.offset, one.value or b"") for one in records))

    def _watch(self, consumer: KafkaConsumer) -> list[Batch]:
        """See to the partitions that have not moved for long though there is more to read."""
        late = monotonic() - self._stall
        still = [self._where(one) for one in self._positions if self._moved_at[one] < late]
        if not still:
            return []
        starts = consumer.beginning_offsets(still, timeout_ms=TIMEOUT * 1000)
        ends = consumer.end_offsets(still, timeout_ms=TIMEOUT * 1000)
        found = [self._unstick(one.partition, starts[one], ends[one]) for one in still]
        if any(one.partition in self._stalled and self._moved_at[one.partition] < late for one in still):
            log.error("consumer_replaced", partitions=sorted(self._stalled))
            self._stalled.clear()
            self._disconnect()
        return [batch for batch in found if batch]

    def _unstick(self, partition: int, start: int, end: int) -> Batch | None:
        """Step over what retention has taken, or else fetch from the same place anew; once."""
        position = self._positions[partition]
        if end <= position:
            self._moved_at[partition] = monotonic()
        elif start > position:
            log.error("log_records_gone", partition=partition, position=position, found=start)
            self.seek(partition, start)
            return Batch(partition, position, start, ())
        elif partition not in self._stalled:
            log.warning("partition_stalled", partition=partition, position=position, end=end)
            self.seek(partition, position)
            self._stalled.add(partition)
        return None
