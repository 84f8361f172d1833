"""How far a worker is behind, in records and in seconds, as it is at the moment somebody looks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from time import time

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.timeline.arrivals import Arrival


class Lag(Collector):
    """Of the partitions held. What is known of a partition is only the times of what it gave last; `clock`: Unix
    seconds."""

    def __init__(self, registry: CollectorRegistry, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._behind: dict[int, int] = {}
        self._reading: dict[int, float] = {}  # received_at of the first event of the batch at hand
        self._stitched: dict[int, float] = {}  # of the last event of the batch before
        registry.register(self)

    def behind(self, records: Mapping[int, int]) -> None:
        """Say how many records are not stitched yet, of each partition that is held."""
        self._behind = dict(records)
        for known in (self._reading, self._stitched):
            for gone in known.keys() - records.keys():
                del known[gone]

    def reading(self, partition: int, arrived: Sequence[Arrival]) -> None:
        """Say that a batch is at hand: it holds the oldest that is not stitched, unless the one before still does."""
        if arrived:
            self._reading.setdefault(partition, min(map(_received, (arrived[0], arrived[-1]))))

    def stitched(self, partition: int, arrived: Sequence[Arrival]) -> float | None:
        """Say that it is done; seconds since the oldest of it was received."""
        oldest = self._reading.pop(partition, None)
        if arrived:
            self._stitched[partition] = _received(arrived[-1])
        return None if oldest is None else max(self._clock() - oldest, 0.0)

    def collect(self) -> Iterator[Metric]:
        """`tellonce_lag_records`, `tellonce_lag_seconds`, `tellonce_oldest_unstitched_timestamp_seconds`.

        The oldest that waits came after the newest that is stitched, so its wait is at most what is said.
        """
        one = ["partition"]
        records = GaugeMetricFamily("tellonce_lag_records", "Records not yet stitched", labels=one)
        seconds = GaugeMetricFamily("tellonce_lag_seconds", "For how long the oldest of them has waited", labels=one)
        words = "When the oldest event that is not stitched was received, or a little before"
        since = GaugeMetricFamily("tellonce_oldest_unstitched_timestamp_seconds", words, labels=one)
        now = self._clock()
        for partition, behind in self._behind.copy().items():
            oldest = self._reading.get(partition) or (self._stitched.get(partition) if behind else None)
            records.add_metric([str(partition)], behind)
            if oldest:
                since.add_metric([str(partition)], oldest)
            if oldest or not behind:
                seconds.add_metric([str(partition)], max(now - oldest, 0.0) if oldest else 0.0)
        yield from (records, seconds, since)


def _received(one: Arrival) -> float:
    moment: datetime = one.event.received_at or one.event.occurred_at
    return moment.timestamp()
