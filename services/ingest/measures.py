"""What an operator sees of ingest: metrics, on a registry of the application's own."""

from collections.abc import Awaitable, Callable
from functools import wraps
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.requests import Request
from starlette.responses import Response

from services.errors import Problem
from services.ingest.acceptance import Judged

Endpoint = Callable[[Request], Awaitable[Response]]


class Measures:
    """Counts of one ingest application. `in_flight` tells the bytes on their way to the log."""

    def __init__(self, in_flight: Callable[[], float]) -> None:
        self.registry = registry = CollectorRegistry()
        name = "tellonce_ingest"
        events = Counter(f"{name}_events", "Events stored", ["verdict"], registry=registry)
        self._verdicts = {verdict: events.labels(verdict) for verdict in ("accepted", "duplicate")}
        self._refused = Counter(f"{name}_refused", "Events and requests refused", ["code"], registry=registry)
        self._away = Counter(f"{name}_unavailable", "Requests answered 503", ["code"], registry=registry)
        self._seconds = Histogram(
            f"{name}_request_seconds", "Time of a request", ["route", "status"], registry=registry
        )
        held = Gauge(f"{name}_bytes_in_flight", "Bytes on their way to the log", registry=registry)
        held.set_function(in_flight)

    def judged(self, judged: Judged) -> None:
        """Count the verdicts of a request."""
        for verdict, counter in self._verdicts.items():
            if count := judged.counts[verdict]:
                counter.inc(count)
        for refusal in judged.refusals:
            self._refused.labels(refusal.code).inc()

    def timed(self, endpoint: Endpoint, route: str) -> Endpoint:
        """The endpoint, with its requests timed and those refused as a whole counted."""

        @wraps(endpoint)
        async def measured(request: Request) -> Response:
            start, status = perf_counter(), 500
            try:
                response = await endpoint(request)
                status = response.status_code
                return response
            except Problem as problem:
                status = problem.status
                if "results" not in problem.details:  # else its events are counted one by one
                    (self._away if status == 503 else self._refused).labels(problem.code).inc()
                raise
            finally:
                self._seconds.labels(route, str(status)).observe(perf_counter() - start)

        return measured
