"""The pages of agents and CX leads: drawn on the server, whole without JavaScript; templates and files beside."""

from fastapi import APIRouter

from services.api.pages import evidence, figures, files, signing_in, views

router = APIRouter(include_in_schema=False)
for part in (files, signing_in, views, figures, evidence):
    router.include_router(part.router)
