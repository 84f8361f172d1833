"""For operators: is it alive, is it ready, what does it do."""

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.api.answers import Trouble
from services.api.backing import Back, Transaction
from services.errors import Unavailable
from services.timeline.migrate import is_current

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Alive")
async def healthz() -> dict[str, str]:
    """Answers as long as the process does."""
    return {"status": "alive"}


@router.get("/readyz", summary="Ready", responses={503: {"model": Trouble}})
async def readyz(conn: Transaction) -> dict[str, str]:
    """Whether the database answers and its tables are those of this version."""
    if not await conn.run_sync(_is_current):
        raise Unavailable(
            "The tables are not those of this version.", code="not_migrated", hint="Run `tellonce migrate`."
        )
    return {"status": "ready"}


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(back: Back) -> Response:
    """Seconds by route, reads by role, open streams."""
    return Response(generate_latest(back.measures.registry), media_type=CONTENT_TYPE_LATEST)


def _is_current(conn: sa.Connection) -> bool:
    return is_current(conn)
