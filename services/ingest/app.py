"""The ingest service: takes what channel systems post, and answers 200 when the event log says durable."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services import reference, refusals
from services.database import engine as make_engine
from services.eventlog import Appender
from services.eventlog.budget import Budget
from services.ingest.acceptance import Acceptance
from services.ingest.carrier import Carrier
from services.ingest.deliveries import METHODS, SOURCES, Deliveries
from services.ingest.endpoints import Endpoint
from services.ingest.errands import Errands, Get, get
from services.ingest.groupcommit import GroupCommit, Threads
from services.ingest.keys import Keys
from services.ingest.measures import Measures, TimedAppender
from services.ingest.openapi import EVENTS, KEYS, REFUSALS, VENDORS
from services.ingest.operations import operations
from services.ingest.posts import Answer, Posts
from services.ingest.siblings import Siblings
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Vendor
from services.ingest.whole import Whole
from services.settings import Settings
from services.shortcut import Take

# Of the time until a 503 must be out; the rest is for the answer itself.
WAIT = 0.85


class Application(FastAPI):
    """FastAPI, except that what comes to the `direct` addresses goes straight there, past middleware and routes.

    `browsers`: the same for pages, which say where they come from. `deliveries`: to all addresses below SOURCES;
    `delivering`: the same for pages. `shortcuts`: who takes small posts that came whole, by their address; for the
    server.
    """

    direct: dict[str, Endpoint]
    browsers: dict[str, ASGIApp]
    deliveries: Endpoint
    delivering: ASGIApp
    shortcuts: Mapping[bytes, Take]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoint(scope["path"]) if scope["type"] == "http" else None
        if endpoint is None or scope["method"] not in endpoint.methods:
            await super().__call__(scope, receive, send)
        elif any(name == b"origin" for name, _ in scope["headers"]):
            await self.browsers.get(scope["path"], self.delivering)(scope, receive, send)
        else:
            await endpoint(scope, receive, send)

    def _endpoint(self, path: str) -> Endpoint | None:
        return self.direct.get(path) or (self.deliveries if path.startswith(SOURCES) else None)


def create_app(
    settings: Settings,
    database_url: str,
    appender: Appender | Carrier,
    place: Path | None = None,
    known: Mapping[str, Vendor] | None = None,
    get: Get = get,
) -> Application:
    """The application. Touches neither database nor log before it is started; the appender stays the caller's.

    `place`: its own among several processes, see `Siblings`, which may have but a `Carrier` to one
    that appends for all; `known`: the vendors by name, if others than all; `get` fetches what their posts ask us to.
    """
    engine = make_engine(database_url, pool_size=2, patience=settings.append_timeout)
    budget = Budget(settings.byte_budget)
    measures = Measures(budget)
    measures.pools.watch("keys", engine)
    keys = Keys(engine, settings.append_timeout * WAIT)
    log = appender if isinstance(appender, Carrier) else _threads(settings, TimedAppender(appender, measures))
    commits = GroupCommit(log, budget, settings.append_timeout * WAIT)
    acceptance = Acceptance(commits, settings.rules(), settings.channels, settings.max_events, settings.masking())
    errands, siblings = Errands(get), Siblings(measures.registry, place)
    posts = Posts(settings, keys, acceptance, budget, measures)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with siblings.listening():
            yield
        for one in (commits, keys, errands):
            one.close()
        engine.dispose()

    app = Application(title="tellonce ingest", summary=__doc__, lifespan=lifespan, docs_url=None, redoc_url=None)
    refusals.install(app)
    reference.install(app)
    app.add_middleware(CORSMiddleware, **_browsers(settings))
    _add_addresses(app, posts, errands, vendors() if known is None else known)
    needed = {"event log": appender.check, "database of the sources' keys": keys.check}
    app.include_router(operations(siblings, needed, settings.append_timeout))
    return app


def _threads(settings: Settings, appender: Appender) -> Threads:
    """In PostgreSQL appends take turns on the same rows; Kafka's are on their way at once, but each costs a request."""
    return Threads(appender, 2 if settings.is_kafka else 1)


def _add_addresses(app: Application, posts: Posts, errands: Errands, known: Mapping[str, Vendor]) -> None:
    """Add all addresses that take events."""
    settings, measures, deliveries = posts.settings, posts.measures, Deliveries(posts, errands, known)
    app.direct, app.browsers = {}, {}
    app.deliveries = Endpoint(SOURCES, deliveries.deliver, measures, METHODS)
    app.delivering = CORSMiddleware(app.deliveries, **_browsers(settings))
    _describe(app, "/v1/events", "events", posts.events.__doc__ or "", EVENTS)
    _add(app, settings, "/v1/events", Endpoint("/v1/events", posts.events, measures))
    app.shortcuts = {b"/v1/events": Whole("/v1/events", posts).take}
    for vendor in known.values():
        for path, methods in vendor.routes.items():
            if vendor.name in VENDORS:
                _describe(app, path, vendor.name, *VENDORS[vendor.name])
            taken = frozenset(methods.split())
            _add(app, settings, path, Endpoint(path, deliveries.route(vendor, methods), measures, taken))


def _add(app: Application, settings: Settings, path: str, endpoint: Endpoint) -> None:
    """Add a direct address, with and without a slash at its end: clients don't follow a redirect with their body."""
    for address in (path.rstrip("/"), path.rstrip("/") + "/"):
        app.direct[address] = endpoint
        app.browsers[address] = CORSMiddleware(endpoint, **_browsers(settings))
        # Never run, but whoever asks by another method hears that.
        app.router.add_api_route(address, lambda: None, methods=[*endpoint.methods], include_in_schema=False)


def _browsers(settings: Settings) -> dict[str, Any]:
    """From which sites pages may post, and how."""
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ["POST", "GET", "OPTIONS"],
        "allow_headers": ["*"],  # clients in browsers have headers of their own
        "expose_headers": ["Retry-After"],
        "max_age": 86400,
    }


def _describe(app: FastAPI, path: str, name: str, words: str, described: dict[str, Any]) -> None:
    """Add a direct address to the description."""

    async def endpoint() -> None:
        """Never run: see `Application`."""

    endpoint.__name__ = name
    app.router.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        response_model=Answer,
        responses=REFUSALS,
        summary=words.partition(":")[0].partition(",")[0],
        description=words,
        dependencies=KEYS,  # not run: they describe
        openapi_extra=described,
    )
