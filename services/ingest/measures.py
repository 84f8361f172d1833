"""What an operator sees of ingest: metrics, on a registry of the application's own."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from services.errors import Problem, Unavailable
from services.eventlog import Appender, Draft, Swift
from services.eventlog.budget import Budget
from services.ingest.acceptance import Judged
from services.pools import Pools

APPENDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
RECORDS = (1, 3, 10, 30, 100, 300, 1000, 3000)


class Measures:
    """Counts of one process that takes events in. `budget`: of bytes on their way to the log, if it has one."""

    def __init__(self, budget: Budget | None = None) -> None:
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
        if budget:
            held = Gauge(f"{name}_in_flight_bytes", "Bytes on their way to the log", registry=registry)
            held.set_function(lambda: budget.taken)
            limit = Gauge(f"{name}_in_flight_limit_bytes", "Such bytes above which it answers 503", registry=registry)
            limit.set(budget.limit)
        words = "Whether that is connected which events are read from: 1 or 0"
        self._connected = Gauge(f"{name}_connected", words, ["to"], registry=registry)
        words = "Time of an append to the log, by how it ended"
        self._appends = Histogram(f"{name}_append_seconds", words, ["outcome"], buckets=APPENDS, registry=registry)
        words = "Records of an append that was stored"
        self._records = Histogram(f"{name}_append_records", words, buckets=RECORDS, registry=registry)

    def judged(self, judged: Judged) -> None:
        """Count the verdicts of a request."""
        if judged.drafts:
            self.accepted(len(judged.drafts))
        if judged.duplicates:
            self._verdicts["duplicate"].inc(judged.duplicates)
        for refusal in judged.refusals:
            self.turned_away(refusal["code"] or "")

    def accepted(self, events: int) -> None:
        """Count events that are stored."""
        self._verdicts["accepted"].inc(events)

    def turned_away(self, code: str) -> None:
        """Count an event that is refused."""
        self._refused.labels(code).inc()

    def answered(self, protocol: str, status: int) -> None:
        """Count an answer of a mail server that does not take something: later (4xx) or never (5xx)."""
        if status >= 400:
            (self._away if status < 500 else self._refused).labels(f"{protocol}_{status}").inc()

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

    def connected(self, to: str, is_so: bool) -> None:
        """Say whether that is connected which events are read from."""
        self._connected.labels(to).set(is_so)

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


@dataclass(frozen=True)
class TimedSwift(TimedAppender):
    """The same of one that needs no threads; see `Swift`."""

    appender: Swift

    def begin(self, drafts: Sequence[Draft]) -> Future[None] | None:
        """Begin to append, timed."""
        start = perf_counter()
        if begun := self.appender.begin(drafts):
            begun.add_done_callback(lambda end: self._ended(end, len(drafts), perf_counter() - start))
        return begun

    def give_up(self, begun: Future[None]) -> None:
        """End what takes too long."""
        self.appender.give_up(begun)

    def _ended(self, end: Future[None], drafts: int, seconds: float) -> None:
        self.measures.appended("failed" if end.exception() else "stored", drafts, seconds)


class Peer:
    """Something that events are read from, as a metric and as a check of readiness."""

    def __init__(self, name: str, measures: Measures) -> None:
        self._name = name
        self._measures = measures
        self.tell(False)

    def tell(self, is_connected: bool) -> None:
        """Say whether it is connected."""
        self._is_connected = is_connected
        self._measures.connected(self._name, is_connected)

    def check(self) -> None:
        """Raise Unavailable while it is not connected."""
        if not self._is_connected:
            raise Unavailable("there is no connection.")
