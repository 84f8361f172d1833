"""Appending to the event log in Kafka: acknowledged by all in-sync replicas, bounded in bytes and in time."""

from collections.abc import Sequence
from concurrent.futures import Future
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
        deadline = monotonic() + self._timeout
        sent = self._begin(self._connected(), drafts, topic)
        try:
            sent.result(max(deadline - monotonic(), 0))
        except TimeoutError:
            self.give_up(sent)
            sent.result()

    def begin(self, drafts: Sequence[Draft]) -> Future[None] | None:
        """Begin to store drafts; see `Swift`."""
        producer = self._producer
        return self._begin(producer, drafts, None) if producer else None

    def give_up(self, begun: Future[None]) -> None:
        """End an append that takes too long; see `Swift`."""
        assert isinstance(begun, Sent)
        if begun.end(LogUnavailable("The event log in Kafka does not answer in time.")):
            self._abandon(begun.producer, TimeoutError("no answer in time"))

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now: asks the broker for the topic's leaders."""
        self._budget.check()
        self._connected()
        self._look()

    def close(self) -> None:
        """Store what is under way and end."""
        with self._building:
            producer, self._producer = self._producer, None
        if producer is not None:
            _close(producer, self._timeout)

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

    def _begin(self, producer: KafkaProducer, drafts: Sequence[Draft], topic: str | None) -> "Sent":
        topic, size, sent = topic or self._topic, sum(draft.size for draft in drafts), Sent(producer)
        try:
            self._budget.take(size)
        except LogUnavailable as full:
            sent.end(full)
            return sent
        try:
            with available():
                for row in rows(drafts, len(producer.partitions_for(topic))):
                    sent.records.append(producer.send(topic, row.value, row.key.encode(), partition=row.partition))
        except LogUnavailable as error:
            sent.failure = error
        self._settle(size, sent)
        return sent

    def _abandon(self, producer: KafkaProducer, error: Exception) -> None:
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

    def _settle(self, size: int, sent: "Sent") -> None:
        """Free the budget and tell the end when the last record is settled: for one given up on, when the producer
        does so."""
        for record in sent.records:
            if not record.is_done:
                record.add_both(lambda _: self._settle(size, sent))
                return
        self._budget.give_back(size)
        if failure := sent.failed():
            self._abandon(sent.producer, failure)
        sent.end(failure)


class Sent(Future[None]):
    """An append on its way by a producer: its records so far, and why there are no more of them."""

    def __init__(self, producer: KafkaProducer) -> None:
        super().__init__()
        self.producer = producer
        self.records: list[FutureRecordMetadata] = []
        self.failure: LogUnavailable | None = None
        self._ending = Lock()

    def failed(self) -> LogUnavailable | None:
        """Why it is not stored, when all records are settled."""
        failures = (record.exception for record in self.records if record.failed())
        first = next(failures, None)
        return self.failure or (first and LogUnavailable(f"The event log in Kafka can't be used: {first}"))

    def end(self, failure: LogUnavailable | None) -> bool:
        """Tell the end, where it has not come before; whether it had not."""
        with self._ending:
            if self.done():
                return False
            if failure:
                self.set_exception(failure)
            else:
                self.set_result(None)
            return True


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
