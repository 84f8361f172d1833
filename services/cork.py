"""A transport that sends the head of an answer together with its body.

uvicorn writes them one after the other, and uvloop hands each to the kernel at once: two calls of the system, two
packets, and two awakenings of the client for one small answer.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any

HEAD = b"HTTP/1.1 "


class Cork:
    """The transport, save that a head waits for what is written next, or else for the loop's next turn."""

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Write, or keep a head for a moment."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(HEAD):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def write_whole(self, data: bytes) -> None:
        """Write an answer that has its body."""
        self._flush()
        self._transport.write(data)

    def close(self) -> None:
        """Close when all is sent."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)
