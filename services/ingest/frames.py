"""What processes of ingest tell the one that appends for them all, over a Unix socket: drafts one way, ends the other.

A frame is its length in bytes (u32), a number that its answer bears as well (u32), and a body: drafts, each as the
length of its key (u32), that of its value (u32), whether it shares (u8), key and value; without any it asks whether the
log is there. An answer's body is empty when all is well, or says what is wrong. Numbers are little-endian.
"""

import asyncio
from collections.abc import Callable, Sequence
from struct import Struct
from typing import cast

from services.eventlog import Draft

HEAD = Struct("<II")
DRAFT = Struct("<II?")


def framed(number: int, body: bytes) -> bytes:
    """A frame, ready to be sent."""
    return HEAD.pack(len(body), number) + body


def packed(drafts: Sequence[Draft]) -> bytes:
    """The body of drafts."""
    parts: list[bytes] = []
    for key, value, shares in drafts:
        name = key.encode()
        parts += (DRAFT.pack(len(name), len(value), shares), name, value)
    return b"".join(parts)


def unpacked(body: bytes) -> list[Draft]:
    """Drafts of a body."""
    drafts: list[Draft] = []
    place = 0
    while place < len(body):
        length, size, shares = DRAFT.unpack_from(body, place)
        key, value = place + DRAFT.size, place + DRAFT.size + length
        place = value + size
        drafts.append(Draft(body[key:value].decode(), body[value:place], shares))
    return drafts


class Frames(asyncio.Protocol):
    """One end of a connection. `come`: hears of each frame, by its number and body; `lost`: of the end of it all."""

    def __init__(self, come: Callable[["Frames", int, bytes], None], lost: Callable[["Frames"], None]) -> None:
        self._come, self._lost = come, lost
        self._held = bytearray()  # of a frame that is not whole
        self._transport: asyncio.WriteTransport | None = None

    @property
    def is_open(self) -> bool:
        """Whether what is sent has a way to go."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, number: int, body: bytes) -> None:
        """Send a frame, as far as there is a connection."""
        if self._transport and self.is_open:
            self._transport.write(framed(number, body))

    def close(self) -> None:
        """End the connection when all is sent."""
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._held += data
        place, have = 0, len(self._held)
        while have - place >= HEAD.size:
            size, number = HEAD.unpack_from(self._held, place)
            body = place + HEAD.size
            if have < body + size:
                break
            place = body + size
            self._come(self, number, bytes(self._held[body:place]))
        del self._held[:place]

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(self)
