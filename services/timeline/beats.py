"""Whether a loop goes on, as an operator sees it: `/healthz`, `/readyz` and `/metrics` of a process that is one."""

from time import monotonic, time

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

STALE = 5.0  # seconds without a finished step until it is not ready


class Beat:
    """When a step was last finished. `name`: of the metric that tells it."""

    def __init__(self, registry: CollectorRegistry, name: str) -> None:
        self.registry = registry
        self._step = Gauge(name, "When a step was last finished", registry=registry)
        self._at = float("-inf")

    def alive(self) -> None:
        """Say that a step was finished."""
        self._at = monotonic()
        self._step.set(time())

    def away(self) -> None:
        """Say that what it needs does not answer: it is not ready until a step is finished again."""
        self._at = float("-inf")

    def app(self, waiting: str) -> Starlette:
        """The routes; `waiting` says in words what it does while it is not ready."""

        def ready(request: Request) -> Response:
            if monotonic() - self._at > STALE:
                return JSONResponse({"code": "not_ready", "message": waiting, "hint": "See its log."}, 503)
            return JSONResponse({"status": "ready"})

        return Starlette(
            routes=[
                Route("/healthz", lambda request: JSONResponse({"status": "alive"})),
                Route("/readyz", ready),
                Route("/metrics", lambda request: PlainTextResponse(generate_latest(self.registry).decode())),
            ]
        )
