"""Addresses that take posts, as plain ASGI applications: a request as far as it is needed, and its answer.

Starlette's requests, responses, middleware and routes take longer than all that is done with an event.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, Protocol
from urllib.parse import quote

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from services.errors import Problem
from services.ingest import documents
from services.ingest.sources.vendor import Reply

NO_QUERY = QueryParams()
POST = frozenset({"POST"})


class Posted:
    """A posted request; names of headers in lower case, the first of several."""

    __slots__ = ("_receive", "_scope", "headers", "method", "path", "query_params")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])
        }
        query = scope["query_string"]
        self.query_params = QueryParams(query) if query else NO_QUERY

    @property
    def target(self) -> str:
        """Path and query as they were asked for."""
        path, query = self._scope.get("raw_path") or quote(self.path).encode(), self._scope["query_string"]
        return bytes(path + b"?" + query if query else path).decode("latin-1")

    @property
    def origin(self) -> str:
        """Scheme and host as the caller knows them, by what proxies say of it."""
        scheme, host = self.headers.get("x-forwarded-proto"), self.headers.get("x-forwarded-host")
        scheme, host = scheme or self._scope["scheme"], host or self.headers.get("host", "")
        return "://".join(one.partition(",")[0].strip() for one in (scheme, host))

    async def stream(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ClientDisconnect."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            yield message.get("body", b"")
            more = message.get("more_body", False)


class Counts(Protocol):
    """Whoever counts requests."""

    def refused(self, problem: Problem) -> None: ...

    def timed(self, route: str, status: int, seconds: float) -> None: ...


class Endpoint:
    """An ASGI application that answers by what `take` makes of a request, or by the Problem that it raises."""

    def __init__(
        self, route: str, take: Callable[[Posted], Awaitable[Any]], counts: Counts, methods: frozenset[str] = POST
    ) -> None:
        self.methods = methods
        self._route = route
        self._take = take
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, status = perf_counter(), 500
        headers: dict[str, str] = {}
        try:
            answer = await self._take(Posted(scope, receive))
            status = answer.status if isinstance(answer, Reply) else 200
        except Problem as problem:
            status, answer, headers = problem.status, problem.body, problem.headers
            self._counts.refused(problem)
        finally:
            self._counts.timed(self._route, status, perf_counter() - start)
        await respond(send, status, answer, headers)


async def respond(send: Send, status: int, answer: Any, headers: Mapping[str, str]) -> None:
    """Send an answer: a Reply as it is, all else as JSON."""
    sent, body = written(answer, headers)
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


def written(answer: Any, headers: Mapping[str, str]) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of an answer."""
    if isinstance(answer, Reply):
        body, type, headers = answer.body, answer.type.encode(), answer.headers
    else:
        body, type = documents.written(answer), b"application/json"
    sent = [(b"content-type", type), (b"content-length", b"%d" % len(body))]
    return sent + [(name.lower().encode(), value.encode()) for name, value in headers.items()], body
