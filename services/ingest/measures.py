"""What an operator sees of ingest: metrics, on a registry of the application's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from services.errors import Problem
from services.eventlog import Appender, Draft
from services.ingest.acceptance import Judged
from services.pools import Pools

APPENDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
RECORDS = (1, 3, 10, 30, 100, 300, 1000, 3000)


class Measures:
    """Counts of one ingest application. `in_flight` tells the bytes on their way to the log, `budget` their limit."""

    def __init__(self, in_flight: Callable[[], float], budget: int) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.pools = Pools(registry)
        name = "tellonce_ingest"
        events = Counter(f"{name}_events", "Events stored", ["verdict"], registry=registry)
        self._verdicts = {verdict: events.labels(verdict) for verdict in ("accepted", "duplicate")}
        self._refused = Counter(f"{name}_refused", "Events and requests refused", ["code"], registry=registry)
        self._away = Counter(f"{name}_unavailable", "Requests answered 503", ["code"], registry=registry)
        self._seconds = Histogram(
            f"{name}_request_seconds", "Time of a request", ["route", "status"], registry=registry
        )
        self._by_route: dict[tuple[str, int], Histogram] = {}  # the library looks a label up slowly
        held = Gauge(f"{name}_in_flight_bytes", "Bytes on their way to the log", registry=registry)
        held.set_function(in_flight)
        limit = Gauge(f"{name}_in_flight_limit_bytes", "Such bytes above which it answers 503", registry=registry)
        limit.set(budget)
        words = "Time of an append to the log, by how it ended"
        self._appends = Histogram(f"{name}_append_seconds", words, ["outcome"], buckets=APPENDS, registry=registry)
        words = "Records of an append that was stored"
        self._records = Histogram(f"{name}_append_records", words, buckets=RECORDS, registry=registry)

    def judged(self, judged: Judged) -> None:
        """Count the verdicts of a request."""
        if judged.drafts:
            self._verdicts["accepted"].inc(len(judged.drafts))
        if judged.duplicates:
            self._verdicts["duplicate"].inc(judged.duplicates)
        for refusal in judged.refusals:
            self._refused.labels(refusal["code"]).inc()

    def refused(self, problem: Problem) -> None:
        """Count a request refused as a whole; where it has results, its events are counted one by one."""
        if "results" not in problem.details:
            (self._away if problem.status == 503 else self._refused).labels(problem.code).inc()

    def timed(self, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        histogram = self._by_route.get((route, status))
        if histogram is None:
            histogram = self._by_route[route, status] = self._seconds.labels(route, str(status))
        histogram.observe(seconds)

    def appended(self, outcome: str, drafts: int, seconds: float) -> None:
        """Count an append to the log: `stored` or `failed`."""
        self._appends.labels(outcome).observe(seconds)
        if outcome == "stored":
            self._records.observe(drafts)


@dataclass(frozen=True)
class TimedAppender:
    """An appender whose appends are measured; see `Appender`."""

    appender: Appender
    measures: Measures

    def append(self, drafts: Sequence[Draft], topic: str | None = None) -> None:
        """Append, timed."""
        start, outcome = perf_counter(), "failed"
        try:
            self.appender.append(drafts, topic)
            outcome = "stored"
        finally:
            self.measures.appended(outcome, len(drafts), perf_counter() - start)

    def check(self) -> None:
        """Not measured: nothing is stored."""
        self.appender.check()

    def close(self) -> None:
        """Close the appender."""
        self.appender.close()
