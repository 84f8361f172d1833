"""The ingest service: takes what channel systems post, and answers 200 when the event log says durable."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services import refusals
from services.database import engine as make_engine
from services.eventlog import Appender
from services.eventlog.budget import Budget
from services.ingest.acceptance import Acceptance
from services.ingest.endpoints import Endpoint
from services.ingest.groupcommit import GroupCommit
from services.ingest.keys import Keys
from services.ingest.measures import Measures, TimedAppender
from services.ingest.openapi import EVENTS, KEYS, REFUSALS, SEGMENT
from services.ingest.operations import operations
from services.ingest.posts import DELIVERIES, Answer, Posts
from services.ingest.sources import segment
from services.settings import Settings

# Of the time until a 503 must be out; the rest is for the answer itself.
WAIT = 0.85


class Application(FastAPI):
    """FastAPI, except that what comes to the `direct` addresses goes straight there, past middleware and routes.

    `browsers`: the same for pages, which say where they come from. `deliveries`: to all addresses below DELIVERIES.
    """

    direct: dict[str, Endpoint]
    browsers: dict[str, ASGIApp]
    deliveries: Endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None or scope["method"] not in endpoint.methods:
            await super().__call__(scope, receive, send)
        elif scope["path"] in self.browsers and any(name == b"origin" for name, _ in scope["headers"]):
            await self.browsers[scope["path"]](scope, receive, send)
        else:
            await endpoint(scope, receive, send)

    def _endpoint(self, path: str) -> Endpoint | None:
        return self.direct.get(path) or (self.deliveries if path.startswith(DELIVERIES) else None)


def create_app(settings: Settings, database_url: str, appender: Appender) -> FastAPI:
    """The application. Touches neither database nor log before it is started; the appender stays the caller's."""
    engine = make_engine(database_url, pool_size=2, patience=settings.append_timeout)
    budget = Budget(settings.byte_budget)
    measures = Measures(lambda: budget.taken, settings.byte_budget)
    measures.pools.watch("keys", engine)
    keys = Keys(engine, settings.append_timeout * WAIT)
    # In PostgreSQL appends take turns on the same rows; Kafka's are on their way at once.
    parallel = 4 if settings.log.startswith("kafka:") else 1
    commits = GroupCommit(TimedAppender(appender, measures), budget, settings.append_timeout * WAIT, parallel)
    acceptance = Acceptance(
        commits, settings.rules(), settings.channels, settings.max_events, settings.masking()
    )
    posts = Posts(settings, keys, acceptance, budget, measures)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        commits.close()
        keys.close()
        engine.dispose()

    app = Application(title="tellonce ingest", summary=__doc__, lifespan=lifespan)
    refusals.install(app)
    app.add_middleware(CORSMiddleware, **_browsers(settings))
    app.direct, app.browsers = {}, {}
    app.deliveries = Endpoint(DELIVERIES, posts.deliver, measures, frozenset({"POST", "HEAD"}))
    endpoints = {"/v1/events": (posts.events, EVENTS)} | dict.fromkeys(segment.PATHS, (posts.segment, SEGMENT))
    for path, (take, described) in endpoints.items():
        for address in (path, path + "/"):  # clients don't follow a redirect with their body
            app.direct[address] = Endpoint(path, take, measures)
            app.browsers[address] = CORSMiddleware(app.direct[address], **_browsers(settings))
        _describe(app, path, take, described)
    checks = {"event log": appender.check, "database of the sources' keys": keys.check}
    app.include_router(operations(measures.registry, checks, settings.append_timeout))
    return app


def _browsers(settings: Settings) -> dict[str, Any]:
    """From which sites pages may post, and how."""
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ["POST", "OPTIONS"],
        "allow_headers": ["*"],  # clients in browsers have headers of their own
        "expose_headers": ["Retry-After"],
        "max_age": 86400,
    }


def _describe(app: FastAPI, path: str, take: Callable[..., object], described: dict[str, Any]) -> None:
    """Add a direct address to the description, and to what is answered 405 for other methods."""

    async def endpoint() -> None:
        """Never run: see `Application`."""

    endpoint.__name__ = take.__name__
    for address in (path, path + "/"):
        app.router.add_api_route(
            address,
            endpoint,
            methods=["POST"],
            response_model=Answer,
            responses=REFUSALS,
            summary=(take.__doc__ or "").partition(":")[0].partition(",")[0],
            description=take.__doc__,
            dependencies=KEYS,  # not run: they describe
            openapi_extra=described,
            include_in_schema=address == path,
        )
