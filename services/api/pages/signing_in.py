"""Signing in by a link that works once, and out again."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.access import redeem, sign_out
from services.api.backing import Back, Transaction
from services.api.callers import COOKIE
from services.api.pages.rendering import page
from services.api.pages.routing import OwnPage, PageRoute

router = APIRouter(route_class=PageRoute)
STAY = timedelta(hours=12)


@router.get("/sign-in")
async def how_to() -> Response:
    """How to get a link."""
    return page("sign_in.html", token=None, used=False)


@router.get("/sign-in/{token}")
async def ask(token: str) -> Response:
    """A button. Opening the link alone does not use it up, for mail programs and chats open links to preview them."""
    return page("sign_in.html", token=token)


@router.post("/sign-in/{token}", dependencies=[OwnPage])
async def enter(token: str, request: Request, conn: Transaction, back: Back) -> Response:
    """Use the link up for a cookie."""
    cookie = await conn.run_sync(redeem, token, datetime.now(UTC), STAY)
    if cookie is None:
        return page("sign_in.html", status=410, token=None, used=True)
    answer = RedirectResponse("/", 303)
    is_secure = "https" in (request.url.scheme, (back.settings.public_url or "").partition(":")[0])
    seconds = int(STAY.total_seconds())
    answer.set_cookie(COOKIE, cookie, seconds, httponly=True, samesite="lax", secure=is_secure)
    return answer


@router.post("/sign-out", dependencies=[OwnPage])
async def leave(request: Request, conn: Transaction) -> Response:
    """Forget this browser, here and there."""
    await conn.run_sync(sign_out, request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer
