"""What an operator sees of the API: seconds by route, reads by role, refusals, open streams, waits for connections."""

from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import Problem
from services.pools import Pools

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Measures:
    """The metrics of one application, on a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.pools = Pools(registry)
        self.seconds = Histogram(
            "tellonce_api_request_seconds",
            "Time to the start of the answer",
            ["route", "status"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.reads = Counter("tellonce_api_reads", "Reads of customers", ["role", "what"], registry=registry)
        self.streams = Gauge("tellonce_api_open_streams", "Live streams that are open", registry=registry)
        self._refused = Counter("tellonce_api_refused", "Requests refused", ["code"], registry=registry)
        self._away = Counter("tellonce_api_unavailable", "Requests answered 503", ["code"], registry=registry)

    def refused(self, problem: Problem) -> None:
        """Count a request that was refused, or could not be answered."""
        (self._away if problem.status == 503 else self._refused).labels(problem.code).inc()


class Timed:
    """ASGI middleware that measures every request; a stream until it starts, not until it ends."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                self.measures.seconds.labels(route, str(message["status"])).observe(perf_counter() - started)
            await send(message)

        await self.app(scope, receive, measured)
