"""The agents' pages: drawn on the server, whole without JavaScript; templates and static files beside."""

from fastapi import APIRouter

from services.api.pages import files, signing_in, views

router = APIRouter(include_in_schema=False)
for part in (files, signing_in, views):
    router.include_router(part.router)
