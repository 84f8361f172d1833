"""The least an HTTP service can do: an ASGI application that decodes a body and answers. What POST leaves as `answer`,
GET gives back."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

ANSWER = {"bytes": b'{"success": true}'}
HEADERS = [(b"content-type", b"application/json")]


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Decode what is posted, and answer 200."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if body:
        decoded = orjson.loads(body)
        if scope["path"] == "/answer":
            ANSWER["bytes"] = orjson.dumps(decoded)
    answer = ANSWER["bytes"]
    length = (b"content-length", str(len(answer)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": answer})
