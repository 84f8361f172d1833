"""A client on one connection that is kept, as cheap as the standard library has it."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30  # seconds until an answer


class Asking:
    """Asks a service with a key; an answer that is not 200 raises RuntimeError."""

    def __init__(self, address: str, key: str = "") -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def __call__(self, path: str, body: Any = None) -> bytes:
        """What is answered; posted when there is a body."""
        return self._answer(path, body).read()

    def lines(self, path: str) -> Iterator[bytes]:
        """What is answered, line by line as it comes, without end."""
        yield from self._answer(path, None)

    def _answer(self, path: str, body: Any) -> HTTPResponse:
        content = json.dumps(body) if body is not None else None
        try:
            self._connection.request("GET" if content is None else "POST", path, content, self._headers)
            answer = self._connection.getresponse()
        except RemoteDisconnected:  # it was idle for longer than the service keeps connections
            self._connection.close()
            self._connection.request("GET" if content is None else "POST", path, content, self._headers)
            answer = self._connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.read().decode(errors='replace')}")
        return answer
