"""A connection of our HTTP server without a network: pieces of requests in, what is written out."""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from services.server import Connection, Server
from services.shortcut import Take

SECONDS = 20  # for an answer, on a machine that others use too


class Kept(asyncio.Transport):
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed_after = -1
        self.is_read = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.is_closing():
            self.written.append(bytes(data))

    def close(self) -> None:
        self.closed_after = len(self.written)

    def is_closing(self) -> bool:
        return self.closed_after >= 0

    def abort(self) -> None:
        self.close()

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.written))

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True


def connected(application: ASGIApp, shortcuts: Mapping[bytes, Take]) -> tuple[Connection, Kept]:
    """A new connection to an application, in a running loop, and where its answers go."""
    server = Server(application, "127.0.0.1", 0, SECONDS, None, shortcuts)
    server.config.load()
    connection, kept = Connection(server.config, ServerState(), {}), Kept()
    connection.connection_made(kept)
    return connection, kept


async def answers(kept: Kept, count: int) -> list[bytes]:
    """What was written, when there are so many answers, each of one piece."""
    async with asyncio.timeout(SECONDS):
        while len(kept.written) < count:
            await asyncio.sleep(0.001)
    return kept.written


def post(path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST") -> bytes:
    """A request as it is on the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: here", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
