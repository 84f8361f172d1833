"""The ingest service: takes what channel systems post, and answers 200 when the event log says durable."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute

from services import refusals
from services.database import engine as make_engine
from services.eventlog import Appender
from services.eventlog.budget import Budget
from services.ingest.acceptance import Acceptance
from services.ingest.groupcommit import GroupCommit
from services.ingest.keys import Keys
from services.ingest.measures import Endpoint, Measures, TimedAppender
from services.ingest.openapi import EVENTS, KEYS, REFUSALS, SEGMENT
from services.ingest.operations import operations
from services.ingest.posts import Answer, Posts
from services.ingest.sources import segment
from services.settings import Settings

# Of the time until a 503 must be out; the rest is for the answer itself.
WAIT = 0.85


class Raw(APIRoute):
    """A route whose endpoint gets the request as it came: it is described like any other, but nothing is parsed
    for it, which would take most of the time of a small request."""

    def get_route_handler(self) -> Callable[..., Any]:
        return self.endpoint


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
    acceptance = Acceptance(commits, settings.rules(), settings.channels, settings.max_events)
    posts = Posts(settings, keys, acceptance, budget, measures)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        commits.close()
        keys.close()
        engine.dispose()

    app = FastAPI(title="tellonce ingest", summary=__doc__, lifespan=lifespan)
    refusals.install(app)
    _allow_browsers(app, settings.cors_origins)
    _add(app, "/v1/events", measures.timed(posts.events, "/v1/events"), EVENTS)
    for path in segment.PATHS:
        _add(app, path, measures.timed(posts.segment, path), SEGMENT)
    checks = {"event log": appender.check, "database of the sources' keys": keys.check}
    app.include_router(operations(measures.registry, checks, settings.append_timeout))
    return app


def _allow_browsers(app: FastAPI, origins: list[str]) -> None:
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["POST", "OPTIONS"],
        allow_headers=["*"],  # clients in browsers have headers of their own
        expose_headers=["Retry-After"],
        max_age=86400,
    )


def _add(app: FastAPI, path: str, endpoint: Endpoint, described: dict[str, Any]) -> None:
    """Add a route, with and without a slash at its end: clients don't follow a redirect with their body."""
    for address in (path, path + "/"):
        app.router.add_api_route(
            address,
            endpoint,
            methods=["POST"],
            response_model=Answer,
            responses=REFUSALS,
            summary=(endpoint.__doc__ or "").partition(":")[0].partition(",")[0],
            dependencies=KEYS,  # not run: they describe
            openapi_extra=described,
            include_in_schema=address == path,
            route_class_override=Raw,
        )
