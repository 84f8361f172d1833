"""What appends for a process of ingest that has no connection to the log: it hands drafts to the process that has.

The loop itself writes to a Unix socket and reads the answers, so that no thread here wants Python's lock.
"""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from services.eventlog import Draft, LogUnavailable
from services.ingest.frames import HEAD, Frames, framed, packed
from services.ingest.groupcommit import APART

AWAY = "The process that appends to the event log is away."
NUMBERS = 2**32


class Carrier:
    """Belongs to one event loop. `place`: the socket of who appends; it is connected with at the first append, and anew
    when that one was lost."""

    parallel, apart = 2, APART / 2  # who appends gathers as long again

    def __init__(self, place: Path, timeout: float) -> None:
        self._place, self._timeout = place, timeout
        self._number = 0
        self._under_way: dict[int, asyncio.Future[None]] = {}
        self._frames: Frames | None = None
        self._unsent: list[tuple[int, bytes]] = []
        self._connecting: asyncio.Task[None] | None = None

    def begin(self, drafts: Sequence[Draft]) -> asyncio.Future[None]:
        """Hand drafts over; see `Appending`."""
        loop = asyncio.get_running_loop()
        self._number = number = (self._number + 1) % NUMBERS
        self._under_way[number] = durable = loop.create_future()
        if self._frames:
            self._frames.send(number, packed(drafts))
        else:
            self._unsent.append((number, packed(drafts)))
            self._connecting = self._connecting or loop.create_task(self._connect())
        return durable

    def check(self) -> None:
        """Raise LogUnavailable when an append would fail now. Blocks, on a connection of its own."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(self._timeout)
            try:
                asking.connect(str(self._place))
                asking.sendall(framed(0, b""))
                wrong = _answer(asking)
            except OSError as error:
                raise LogUnavailable(AWAY) from error
        if wrong:
            raise LogUnavailable(wrong)

    def close(self) -> None:
        """End the connection."""
        if self._frames:
            self._frames.close()

    async def _connect(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            _, self._frames = await loop.create_unix_connection(
                lambda: Frames(self._come, self._lost), str(self._place)
            )
        except OSError:
            self._lost(None)
        else:
            for number, body in self._unsent:
                self._frames.send(number, body)
            if not self._frames.is_open:  # lost already
                self._lost(None)
        self._unsent, self._connecting = [], None

    def _come(self, _: Frames, number: int, wrong: bytes) -> None:
        """Tell of the end of an append."""
        durable = self._under_way.pop(number, None)
        if durable is None or durable.done():  # who waited was told otherwise, or is gone
            return
        if wrong:
            durable.set_exception(LogUnavailable(wrong.decode()))
        else:
            durable.set_result(None)

    def _lost(self, _: Frames | None) -> None:
        """Tell all: of what was handed over nothing is known now."""
        self._frames = None
        lost, self._under_way = self._under_way, {}
        for durable in lost.values():
            if not durable.done():
                durable.set_exception(LogUnavailable(AWAY))


def _answer(asking: socket.socket) -> str:
    with closing(asking.makefile("rb")) as come:
        head = come.read(HEAD.size)
        if len(head) < HEAD.size:
            raise ConnectionResetError
        return come.read(HEAD.unpack(head)[0]).decode()
