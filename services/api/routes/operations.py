"""For operators: is it alive, is it ready, what does it do."""

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.api.answers import Trouble
from services.api.backing import Back
from services.errors import Unavailable
from services.timeline.migrate import is_current

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Alive")
async def healthz() -> dict[str, str]:
    """Answers as long as the process does."""
    return {"status": "alive"}


@router.get("/readyz", summary="Ready", responses={503: {"model": Trouble}})
async def readyz(back: Back) -> dict[str, str]:
    """Whether the database answers, its tables are those of this version, and live streams are woken.

    Not whether the event log does: what was told is read also without it, and only commands wait.
    """
    async with back.looking.connect() as conn:
        current = await conn.run_sync(is_current)
    if not current:
        raise Unavailable(
            "The tables are not those of this version.", code="not_migrated", hint="Run `tellonce migrate`."
        )
    if back.watching.done():
        raise Unavailable("Live streams are not woken.", code="not_watching", hint="Restart; its log says why.")
    return {"status": "ready"}


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(back: Back) -> Response:
    """Seconds by route, reads by role, open streams."""
    return Response(generate_latest(back.measures.registry), media_type=CONTENT_TYPE_LATEST)
