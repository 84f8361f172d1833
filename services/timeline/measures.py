"""What an operator sees of a worker: metrics, and whether it is well."""

from collections.abc import Mapping, Sequence
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.timeline.stitch import Outcome

STALE = 5.0  # seconds without a finished step until the worker is not ready


class Measures:
    """Counts of one worker, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.events = Counter("tellonce_events", "Events by what became of them", ["outcome"], registry=registry)
        self.dead = Counter("tellonce_dead_letters", "Records set aside", ["reason"], registry=registry)
        self.moved = Counter(
            "tellonce_identifiers_moved", "Identifiers that came to another customer", registry=registry
        )
        self.retries = Counter("tellonce_retries", "Transactions done again after a deadlock", registry=registry)
        self.seconds = Histogram("tellonce_batch_seconds", "Time of a batch, read to committed", registry=registry)
        self.behind = Gauge("tellonce_lag_records", "Records not yet stitched", ["partition"], registry=registry)
        self._alive_at = 0.0

    def alive(self) -> None:
        """Say that a step was finished."""
        self._alive_at = monotonic()

    def batch(self, outcome: Outcome, dead: Sequence[str], seconds: float) -> None:
        """Count a committed batch."""
        self.events.labels("stored").inc(outcome.stored)
        self.events.labels("duplicate").inc(outcome.duplicates)
        self.events.labels("conflict").inc(outcome.conflicts)
        self.moved.inc(outcome.moved)
        for reason in dead:
            self.dead.labels(reason).inc()
        self.seconds.observe(seconds)

    def lag(self, records: Mapping[int, int]) -> None:
        """Say how far behind the held partitions are."""
        self.behind.clear()
        for partition, count in records.items():
            self.behind.labels(str(partition)).set(count)

    def app(self) -> Starlette:
        """`/healthz`, `/readyz` and `/metrics` of the worker."""

        def ready(request: Request) -> Response:
            silent = monotonic() - self._alive_at
            if silent > STALE:
                body = {
                    "code": "not_ready",
                    "message": "The worker waits for its database or log.",
                    "hint": "See its log.",
                }
                return JSONResponse(body, 503)
            return JSONResponse({"status": "ready"})

        return Starlette(
            routes=[
                Route("/healthz", lambda request: JSONResponse({"status": "alive"})),
                Route("/readyz", ready),
                Route("/metrics", lambda request: PlainTextResponse(generate_latest(self.registry).decode())),
            ]
        )
