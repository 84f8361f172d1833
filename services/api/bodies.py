"""Bodies of requests are short here; none is read further than that."""

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import TooLarge

MOST = 250_000  # bytes: the longest note, each of its characters escaped
DIGITS = 20  # of any length; more take long to read


class Bounded:
    """ASGI middleware that answers 413 to a longer body: before reading it where its length is said."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = dict(scope["headers"]).get(b"content-length", b"")
        if said.isdigit() and int(said.lstrip(b"0")[:DIGITS] or 0) > MOST:
            problem = TooLarge(f"The body has more than {MOST} bytes.", code="body_too_large")
            await JSONResponse(problem.body, problem.status)(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MOST:
                raise HTTPException(413, f"The body has more than {MOST} bytes.")
            return message

        await self.app(scope, counted, send)
