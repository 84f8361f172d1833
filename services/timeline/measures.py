"""What an operator sees of a worker and of an analyser: metrics, and whether they are well."""

from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from services.pools import Pools
from services.pressure import Pressure
from services.timeline.beats import Beat
from services.timeline.lag import Lag
from services.timeline.stitch import Outcome

REASONS = ("not_json", "not_an_event", "unknown_version", "unstorable")  # for which records are set aside
RECORDS = (1, 3, 10, 30, 100, 300, 1000, 3000)
DELAYS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600)


class Measures:
    """Counts of one worker, on a registry of its own. `data`: the folder of the embedded database, if it is one."""

    def __init__(self, data: Path | None = None) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.pools = Pools(registry)
        self.lag = Lag(registry)
        self.events = Counter("tellonce_events", "Events by what became of them", ["outcome"], registry=registry)
        self.dead = Counter("tellonce_dead_letters", "Records set aside", ["reason"], registry=registry)
        for reason in REASONS:  # told from the start, or the first one would be no increase
            self.dead.labels(reason)
        words = "Identifiers that came to another customer"
        self.moved = Counter("tellonce_identifiers_moved", words, registry=registry)
        self.retries = Counter("tellonce_retries", "Transactions done again after a deadlock", registry=registry)
        words = "Times that the database or the log was waited for"
        self.waits = Counter("tellonce_waits", words, ["error"], registry=registry)
        self.claims = Counter("tellonce_partition_claims", "Partitions taken over", registry=registry)
        self.fences = Counter("tellonce_partition_fences", "Partitions found taken by another", registry=registry)
        self.seconds = Histogram("tellonce_batch_seconds", "Time of a batch, read to committed", registry=registry)
        self.records = Histogram("tellonce_batch_records", "Records of a batch", buckets=RECORDS, registry=registry)
        words = "From received to on the timeline, of the oldest event of a batch"
        self.delay = Histogram("tellonce_delay_seconds", words, buckets=DELAYS, registry=registry)
        self.beat = Beat(registry, "tellonce_last_step_timestamp_seconds")
        self._store(registry, data)

    def _store(self, registry: CollectorRegistry, data: Path | None) -> None:
        def gauge(name: str, words: str) -> Gauge:
            return Gauge(f"tellonce_{name}", words, registry=registry)

        self._size = gauge("database_size_bytes", "Size of the database, without the server's write-ahead log")
        self._connections = gauge("database_connections", "Connections to the server")
        self._limit = gauge("database_connections_limit", "Connections that a plain role may have")
        self._oldest = gauge("database_oldest_transaction_seconds", "Age of the oldest transaction that writes")
        if data:
            free = gauge("data_free_bytes", "Room left where the embedded database is")
            free.set_function(lambda: disk_usage(data).free)

    def batch(self, outcome: Outcome, dead: Sequence[str], records: int, seconds: float, delay: float | None) -> None:
        """Count a committed batch; `delay`: seconds since its oldest event was received."""
        self.events.labels("stored").inc(outcome.stored)
        self.events.labels("duplicate").inc(outcome.duplicates)
        self.events.labels("conflict").inc(outcome.conflicts)
        self.moved.inc(outcome.moved)
        for reason in dead:
            self.dead.labels(reason).inc()
        self.seconds.observe(seconds)
        self.records.observe(records)
        if delay is not None:
            self.delay.observe(delay)

    def store(self, found: Pressure) -> None:
        """Say how the database is."""
        self._size.set(found.size)
        self._connections.set(found.connections)
        self._limit.set(found.limit)
        self._oldest.set(found.oldest)


class Analyses:
    """Counts of one analyser, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.beat = Beat(registry, "tellonce_analysis_last_step_timestamp_seconds")
        words = "Customers that were analysed, each as often as there was something new"
        self.customers = Counter("tellonce_analysed_customers", words, registry=registry)
        words = "Customers whose analysis failed; see `not_analysed` in the log"
        self.failed = Counter("tellonce_not_analysed", words, registry=registry)
        self.seconds = Histogram("tellonce_analysis_seconds", "Time of some customers together", registry=registry)
        words = "For how long the customer that waits longest has waited"
        self.waiting = Gauge("tellonce_analysis_waiting_seconds", words, registry=registry)
        self.lessons = Counter("tellonce_lessons", "Times that it learned anew from the stream", registry=registry)
