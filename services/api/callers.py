"""Who is asking: by key (Bearer, X-API-Key, or Basic with the key as either part), or signed in by cookie."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from services.access import Caller, Role, caller_of, caller_of_cookie
from services.api.backing import Transaction, backing
from services.errors import Forbidden, Unauthorized

COOKIE = "tellonce"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def key_of(request: Request) -> str | None:
    """The key a request carries; of HTTP Basic the password, or the name where there is no password."""
    scheme, _, word = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return word.strip()
    if scheme.lower() == "basic":
        try:
            name, _, password = base64.b64decode(word, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise Unauthorized("The Basic credentials can't be read.") from None
        return password or name
    return request.headers.get("x-api-key")


async def find_caller(request: Request, conn: Transaction) -> Caller | None:
    """Who asks, or None where nobody said. Raises Unauthorized for an unknown key."""
    if key := key_of(request):
        caller = await conn.run_sync(caller_of, key)
        if caller is None:
            raise Unauthorized("This key is not known, or was revoked.")
        return caller
    cookie = request.cookies.get(COOKIE)
    if cookie is None or not _is_own_page(request):
        return None
    return await conn.run_sync(caller_of_cookie, cookie, datetime.now(UTC))


def allowed(*roles: Role) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, who must have one of the roles or be an admin."""

    async def check(
        found: Annotated[Caller | None, Depends(find_caller)],
        bearer: Annotated[object, Security(HTTPBearer(auto_error=False, description="A reader's key."))],
        header: Annotated[object, Security(APIKeyHeader(name="X-API-Key", auto_error=False))],
    ) -> Caller:
        if found is None:
            raise Unauthorized("This needs a key.")
        if found.role not in (*roles, Role.admin):
            allowing = " or ".join([*roles, Role.admin])
            raise Forbidden(f"A key of role {found.role} can't do this; it takes one of role {allowing}.")
        return found

    return check


AgentOrChannel = Annotated[Caller, Depends(allowed(Role.agent, Role.channel))]
Agent = Annotated[Caller, Depends(allowed(Role.agent))]
Analyst = Annotated[Caller, Depends(allowed(Role.analyst))]
AgentOrAnalyst = Annotated[Caller, Depends(allowed(Role.agent, Role.analyst))]


def _is_own_page(request: Request) -> bool:
    """Whether a change that is asked for by cookie comes from a page of ours (browsers say so by Origin)."""
    origin = request.headers.get("origin")
    if request.method in SAFE or origin is None:
        return True
    public = backing(request).settings.public_url
    own = {request.headers.get("host"), urlsplit(public).netloc if public else None}
    return urlsplit(origin).netloc in own
