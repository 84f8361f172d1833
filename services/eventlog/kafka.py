"""Appending to the event log in Kafka: acknowledged by all in-sync replicas, bounded in bytes and in time."""

from collections.abc import Sequence
from threading import Lock, Thread
from time import monotonic
from typing import Any

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.producer.future import FutureRecordMetadata

from services.eventlog import EVENTS, LARGEST, Draft, LogUnavailable
from services.eventlog.budget import Budget
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
from services.eventlog.partitions import rows

log = structlog.get_logger()

LINGER = 2  # ms to wait for company: less than a request takes
BATCH = 256_000  # bytes of a partition sent at once; one such is under way at a time


class KafkaAppender:
    """One producer for all threads, and a new one after each failure."""

    def __init__(
        self,
        servers: str,
        timeout: float = 2.0,
        budget: int = 64_000_000,
        options: Options | None = None,
        topic: str = EVENTS,
    ) -> None:
        check_options(options or {})
        self._settings = {**producing(timeout), **reach(servers, timeout / 2), **(options or {})}
        self._timeout, self._topic = timeout, topic
        self._budget = Budget(budget)
        self._building = Lock()
        self._producer: KafkaProducer | None = None
        try:
            self._connected()
        except LogUnavailable as away:
            log.warning("log_unavailable", detail=str(away))

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        """Store drafts; see `Appender`."""
        deadline, topic = monotonic() + self._timeout, topic or self._topic
        size = sum(draft.size for draft in drafts)
        self._budget.take(size)
        futures: list[FutureRecordMetadata] = []
        try:
            producer = self._connected()
            with available():
                try:
                    for row in rows(drafts, len(producer.partitions_for(topic))):
                        futures.append(producer.send(topic, row.value, row.key.encode(), partition=row.partition))
                    for future in futures:
                        future.get(max(deadline - monotonic(), 0))
                except KafkaError as error:
                    self._abandon(producer, error)
                    raise
        finally:
            self._give_back(size, futures)

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now: asks the broker for the topic's leaders."""
        self._budget.check()
        self._connected()
        self._look()

    def close(self) -> None:
        """Store what is under way and end."""
        with self._building:
            if self._producer is not None:
                _close(self._producer, self._timeout)

    def _connected(self) -> KafkaProducer:
        if self._producer is not None:
            return self._producer
        if not self._building.acquire(timeout=self._timeout / 2):
            raise LogUnavailable("The connection to Kafka is being made.")
        try:
            if self._producer is None:
                self._look()  # kafka-python would make a missing topic, with the broker's own defaults
                self._producer = build(KafkaProducer, self._settings)
                with available():
                    self._producer.partitions_for(self._topic)  # so that no append need wait for it
            return self._producer
        finally:
            self._building.release()

    def _look(self) -> None:
        with admin_client(self._settings) as admin:
            describe(admin, self._topic)

    def _abandon(self, producer: KafkaProducer, error: KafkaError) -> None:
        """Let the next append build a new one: this one may have failed for good.

        A refused producer id is final by design; kafka-python 3.0.12 also never sends again after a batch that
        was under way has expired. Who still waits for it may succeed until it is closed.
        """
        if self._producer is not producer:
            return
        with self._building:
            if self._producer is not producer:
                return
            self._producer = None
        log.warning("producer_replaced", error=type(error).__name__, detail=str(error))
        Thread(target=_close, args=(producer, self._timeout), daemon=True).start()

    def _give_back(self, size: int, futures: Sequence[FutureRecordMetadata]) -> None:
        """Free the budget when the last record is settled: for one given up on, when the producer does so."""
        for future in futures:
            if not future.is_done:
                future.add_both(lambda _: self._give_back(size, futures))
                return
        self._budget.give_back(size)


def producing(timeout: float) -> dict[str, Any]:
    """Settings of a producer that has stored or given up within the time-out, half of which is to connect."""
    return {
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": LINGER,
        "batch_size": BATCH,
        "max_block_ms": int(timeout * 500),
        "delivery_timeout_ms": int(timeout * 1000),
        "max_request_size": LARGEST + ROOM,
        "metrics_enabled": False,  # ours tell of appends, at a fraction of its cost
    }


def _close(producer: KafkaProducer, timeout: float) -> None:
    """Close a producer when its records are settled, or else so that they are."""
    try:
        producer.close(timeout)
    except KafkaError as error:
        log.warning("producer_closed_with_records", detail=str(error))
        producer._sender.force_close()  # `close` gives up before it has come to that
