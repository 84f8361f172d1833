"""Static files: each address carries a hash of the content, so that browsers keep it until it changes."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from services.errors import NotFound

router = APIRouter()
FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def versions() -> dict[str, str]:
    """The hash of every static file by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in FOLDER.iterdir()}


def address(name: str) -> str:
    """Where a static file is."""
    return f"/static/{name}?v={versions()[name]}"


@router.get("/static/{name}")
async def static(request: Request, name: str) -> FileResponse:
    """A static file; for ever where the address has its present hash. Raises NotFound."""
    if name not in versions():
        raise NotFound(f"There is no file {name!r}.")
    is_present = request.query_params.get("v") == versions()[name]
    return FileResponse(FOLDER / name, headers={"Cache-Control": FOR_EVER if is_present else "no-cache"})
