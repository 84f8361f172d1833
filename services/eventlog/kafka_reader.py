"""Reading the event log in Kafka: a consumer of a group that starts where the caller says, nowhere else."""

from collections.abc import Collection, Sequence
from time import monotonic
from types import TracebackType
from typing import Any, Self

import structlog
from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from services.eventlog import EVENTS, LARGEST, Batch, Record
from services.eventlog.kafka_clients import ROOM, Options, available, build, check_options, client, describe, reach

log = structlog.get_logger()

TIMEOUT = 5.0  # seconds for a broker to answer
STALL = 30.0  # seconds without progress, though there is more to read, until something is done about it

CONSUMING: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "max_poll_interval_ms": 300_000,
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 3_000,
    "partition_assignment_strategy": (CooperativeStickyAssignor,),
    "max_partition_fetch_bytes": LARGEST + ROOM,
    "fetch_max_bytes": 4 * LARGEST,
    "allow_auto_create_topics": False,
}


class KafkaReader(ConsumerRebalanceListener):  # type: ignore[misc]
    """One consumer, for one thread. Partitions wait, paused, until the caller has said where to start."""

    def __init__(
        self,
        servers: str,
        group: str,
        batch_size: int = 1000,
        options: Options | None = None,
        topic: str = EVENTS,
        stall: float = STALL,
    ) -> None:
        self._options = options or {}
        check_options(self._options)
        self._topic, self._stall = topic, stall
        self._reach = reach(servers, TIMEOUT)
        self._settings = CONSUMING | self._reach | {"group_id": group, "max_poll_records": batch_size}
        self._consumer: KafkaConsumer | None = None
        self._log: str | None = None
        self._held: frozenset[int] = frozenset()
        self._changes = 0
        self._positions: dict[int, int] = {}
        self._moved_at: dict[int, float] = {}
        self._stalled: set[int] = set()

    @property
    def log(self) -> str:
        """The topic with its id, which no other of the same name has; see `Reader`."""
        if self._log is None:
            with client(KafkaAdminClient, self._options, **self._reach) as admin:
                self._log = f"{self._topic}/{describe(admin, self._topic)['topic_id']}"
        return self._log

    def poll(self, timeout: float) -> list[Batch]:
        """The next records; see `Reader`."""
        with available():
            try:
                found = self._connected().poll(timeout_ms=int(timeout * 1000))
            except KafkaError:
                self._replace()
                raise
            known = ((where.partition, records) for where, records in found.items())
            batches = [self._batch(*one) for one in known if one[0] in self._positions]
            return batches or self._watch()

    def assigned(self) -> tuple[frozenset[int], int]:
        """The partitions held; see `Reader`."""
        return self._held, self._changes

    def seek(self, partition: int, position: int) -> None:
        """Read on from here; see `Reader`."""
        if self._consumer is None or partition not in self._held:
            raise ValueError(f"Partition {partition} isn't held.")
        where = TopicPartition(self._topic, partition)
        self._consumer.seek(where, position)
        self._consumer.resume(where)
        self._positions[partition] = position
        self._moved_at[partition] = monotonic()

    def done(self, partition: int, position: int) -> None:
        """Commit to Kafka without waiting; see `Reader`."""
        if self._consumer is not None:
            offset = OffsetAndMetadata(position, "", -1)
            with available():
                self._consumer.commit_async({TopicPartition(self._topic, partition): offset})

    def ends(self) -> dict[int, int]:
        """The end of every partition; see `Reader`."""
        with available():
            consumer = self._connected()
            where = [TopicPartition(self._topic, one) for one in consumer.partitions_for_topic(self._topic)]
            return {one.partition: end for one, end in consumer.end_offsets(where, timeout_ms=TIMEOUT * 1000).items()}

    def close(self) -> None:
        """Leave the group at once, so that the others take over."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(timeout_ms=TIMEOUT * 1000)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """The consumer was given partitions: they wait for `seek`. Called within `poll`, as the next."""
        added = frozenset(where.partition for where in assigned)
        self._hold(self._held | added, self._held - added)
        if self._consumer is not None:
            self._consumer.pause(*assigned)

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Partitions were taken from the consumer, or lost."""
        kept = self._held - {where.partition for where in revoked}
        self._hold(kept, kept)

    def _hold(self, partitions: frozenset[int], going_on: frozenset[int]) -> None:
        self._held = partitions
        self._changes += 1
        self._positions = {one: position for one, position in self._positions.items() if one in going_on}

    def _connected(self) -> KafkaConsumer:
        if self._consumer is None:
            self._consumer = build(KafkaConsumer, self._options, **self._settings)
            self._consumer.subscribe([self._topic], listener=self)
        return self._consumer

    def _replace(self) -> None:
        """Leave this consumer; the next poll makes another."""
        self._hold(frozenset(), frozenset())
        self._stalled.clear()
        self.close()

    def _batch(self, partition: int, records: Sequence[Any]) -> Batch:
        first = self._positions[partition]
        if records[0].offset != first:
            event = "log_records_gone" if records[0].offset > first else "log_restarted"
            log.error(event, partition=partition, position=first, found=records[0].offset)
        end = records[-1].offset + 1
        self._move(partition, end)
        return Batch(partition, first, end, [Record(partition, one.offset, one.value or b"") for one in records])

    def _move(self, partition: int, position: int) -> None:
        self._positions[partition] = position
        self._moved_at[partition] = monotonic()
        self._stalled.discard(partition)

    def _watch(self) -> list[Batch]:
        """See to the partitions that have not moved for long though there is more to read."""
        late = monotonic() - self._stall
        still = [TopicPartition(self._topic, one) for one in self._positions if self._moved_at[one] < late]
        if not still or self._consumer is None:
            return []
        starts = self._consumer.beginning_offsets(still, timeout_ms=TIMEOUT * 1000)
        ends = self._consumer.end_offsets(still, timeout_ms=TIMEOUT * 1000)
        found = [self._unstick(one.partition, starts[one], ends[one]) for one in still]
        if any(one.partition in self._stalled and self._moved_at[one.partition] < late for one in still):
            log.error("consumer_replaced", partitions=sorted(self._stalled))
            self._replace()
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
