"""`/healthz`, `/readyz` and `/metrics` of what takes events in."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from services import refusals
from services.errors import Unavailable
from services.ingest.siblings import Siblings

Checks = Mapping[str, Callable[[], None]]  # what is needed: a function that blocks, and raises when it is away


def application(registry: CollectorRegistry, checks: Checks, timeout: float = 2.0) -> FastAPI:
    """These routes alone, for a process that is not asked by HTTP otherwise."""
    app = FastAPI(openapi_url=None)
    refusals.install(app)
    app.include_router(operations(Siblings(registry), checks, timeout))
    return app


def operations(siblings: Siblings, checks: Checks, timeout: float) -> APIRouter:
    """The routes for whoever runs it; a check that takes longer than `timeout` seconds has failed."""
    router = APIRouter(tags=["operations"])
    threads = ThreadPoolExecutor(len(checks), thread_name_prefix="checks")

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Whether the process is alive."""
        return {"status": "alive"}

    @router.get("/readyz", responses={503: {"description": "Something that is needed is away; it says what."}})
    async def readyz() -> dict[str, str]:
        """Whether events can be accepted."""
        for name, check in checks.items():
            try:
                async with asyncio.timeout(timeout):
                    await asyncio.get_running_loop().run_in_executor(threads, check)
            except (Unavailable, SQLAlchemyError, TimeoutError) as error:
                why = str(error).partition("\n")[0] or "no answer in time"
                raise Unavailable(f"The {name} is away: {why}", code="not_ready") from None
        return {"status": "ready"}

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> str:
        """Counts and times for Prometheus."""
        return (await siblings.metrics()).decode()

    return router
