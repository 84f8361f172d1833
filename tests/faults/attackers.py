"""Clients that mean harm, as bare bytes on many connections at once."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import repeat
from urllib.parse import urlsplit

Piece = bytes | float  # to send, or seconds to wait
PACE = 1000  # new connections a second
SMALL = 4096  # bytes that wait to be read by who reads nothing
CLOSED, OPEN = 0, -1  # instead of a status: without an answer, and still open at the end


async def attack(
    address: str, parts: Callable[[], Iterable[Piece]], connections: int, patience: float = 60
) -> Counter[int]:
    """Send the same on so many connections at once; what each was answered first.

    CLOSED: the connection was closed before an answer; OPEN: it is still open after `patience` seconds without one.
    """
    tries = [_one(address, parts, number / PACE, patience) for number in range(connections)]
    return Counter(await asyncio.gather(*tries))


def request(path: str, *headers: str, body: bytes = b"", method: str = "POST") -> bytes:
    """A request as bytes; Content-Length is the caller's."""
    lines = [f"{method} {path} HTTP/1.1", "Host: here", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sized(path: str, body: bytes, *headers: str) -> bytes:
    """A whole request."""
    return request(path, f"Content-Length: {len(body)}", "Content-Type: application/json", *headers, body=body)


async def flood(address: str, piece: bytes, count: int, connections: int, patience: float, reads: bool) -> Counter[int]:
    """Send the same so often on each connection, waiting for no answer, and read what is answered, or nothing of it.

    CLOSED: the connection was closed; OPEN: all was taken, or nothing more within `patience` seconds.
    """
    tries = [_one_flood(address, repeat(piece, count), patience, reads) for _ in range(connections)]
    return Counter(await asyncio.gather(*tries))


async def _one_flood(address: str, pieces: Iterable[bytes], patience: float, reads: bool) -> int:
    where, loop = urlsplit(address), asyncio.get_running_loop()
    with socket.socket() as bare:
        bare.setblocking(False)
        if not reads:
            bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        await loop.sock_connect(bare, (where.hostname, where.port))
        reading = asyncio.create_task(_read(bare)) if reads else None
        try:
            async with asyncio.timeout(patience):
                for piece in pieces:
                    await loop.sock_sendall(bare, piece)
        except ConnectionError:
            return CLOSED
        except TimeoutError:
            return OPEN
        finally:
            if reading:
                reading.cancel()
    return OPEN


async def _read(bare: socket.socket) -> None:
    with suppress(ConnectionError):
        while await asyncio.get_running_loop().sock_recv(bare, 65536):
            pass


async def _one(address: str, parts: Callable[[], Iterable[Piece]], wait: float, patience: float) -> int:
    await asyncio.sleep(wait)
    where = urlsplit(address)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    sending = asyncio.create_task(_send(writer, parts()))
    try:
        async with asyncio.timeout(patience):
            line = await reader.readline()
            if not line:
                return CLOSED
            return int(line.split()[1])
    except ConnectionError:
        return CLOSED
    except TimeoutError:
        return OPEN
    finally:
        sending.cancel()
        writer.close()


async def _send(writer: asyncio.StreamWriter, parts: Iterable[Piece]) -> None:
    try:
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
                await writer.drain()
            else:
                await asyncio.sleep(part)
    except ConnectionError:
        return  # it is closed to us; the reading side tells
