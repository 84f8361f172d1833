"""The API service: briefs, timelines, live streams, commands, and the agents' pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, SQLAlchemyError

from services import reference, refusals
from services.api import pages
from services.api.backing import Backing
from services.api.bodies import Bounded
from services.api.live import Watch
from services.api.measures import Measures, Timed
from services.api.routes import briefs, commands, customers, figures, issues, operations, vcons
from services.database import PATIENCE, PLANNED_ONCE, async_engine, engine, is_away
from services.errors import Invalid, Problem, Unavailable
from services.eventlog import Appender
from services.settings import Settings
from services.timeline.learning import Latest

ABOUT: dict[str, Any] = {
    "title": "tellonce",
    "summary": "Say it once.",
    "description": """One timeline per customer over every channel, so that nobody has to explain the same issue twice.

Requests carry a reader's key: `Authorization: Bearer …`, `X-API-Key: …`, or HTTP Basic with the key as name.
Errors have one form: `code`, `message`, `hint`.""",
    "version": "1",
}
LOOK = 2.0  # seconds for each step of a look at whether the database answers


def create_app(settings: Settings, database_url: str, appender: Appender) -> FastAPI:
    """The application; it connects when it starts, not when it is made. The appender stays the caller's to close."""
    measures = Measures()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        reading, writing = async_engine(database_url), engine(database_url, patience=PATIENCE)
        telling = async_engine(database_url, pool_size=10, planning=PLANNED_ONCE)
        looking = async_engine(database_url, pool_size=1, patience=LOOK)
        measures.pools.watch("reading", reading)
        measures.pools.watch("telling", telling)
        measures.pools.watch("writing", writing)
        watch = Watch(database_url, reading)
        watching = asyncio.create_task(watch.run())
        rules = settings.rules()
        latest = Latest(settings.facts())
        app.state.backing = Backing(
            settings, appender, rules, reading, telling, writing, looking, watch, watching, measures, latest
        )
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await reading.dispose()
        await telling.dispose()
        await looking.dispose()
        writing.dispose()

    app = FastAPI(**ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Bounded)
    app.add_middleware(Timed, measures=measures)
    refusals.install(app, measures.refused)
    reference.install(app)
    _answer_for_the_database(app, measures)
    for part in (briefs, customers, issues, figures, vcons, commands, operations, pages):
        app.include_router(part.router)
    return app


def _answer_for_the_database(app: FastAPI, measures: Measures) -> None:
    """Its errors in the one form too: away, or given a value that it can't take."""

    def answer(problem: Problem) -> JSONResponse:
        measures.refused(problem)
        return JSONResponse(problem.body, problem.status, headers=problem.headers)

    async def away(request: Request, error: Exception) -> JSONResponse:
        if not is_away(error):
            raise error
        return answer(Unavailable("The database does not answer.", code="database_away"))

    async def unfit(request: Request, error: Exception) -> JSONResponse:
        hint = "Leave out NUL characters, and take times between the years 1 and 9999."
        return answer(Invalid("The database can't take a value that was sent.", code="invalid_value", hint=hint))

    app.add_exception_handler(SQLAlchemyError, away)
    app.add_exception_handler(DataError, unfit)
