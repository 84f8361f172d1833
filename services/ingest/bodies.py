"""Bodies of requests as bytes, read and inflated under a limit: none can take more memory than that."""

import asyncio
import zlib
from collections.abc import AsyncIterable, Callable, Mapping

from starlette.requests import ClientDisconnect

from services.errors import Invalid, Problem, TooLarge
from services.eventlog.budget import Budget

# zlib's window bits. "deflate" means the zlib format (RFC 9110, section 8.4.1.2), but some send it raw.
GZIP, ZLIB, RAW = 31, 15, -15
DIGITS = 20  # of any length; more take long to read


class TooSlow(Problem):
    status, code, hint = 408, "body_too_slow", "Send the request again, the body without pauses."


class Portion:
    """Takes bytes from the budget, by the function that `with` gives, until the end of the block."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = 0

    def __enter__(self) -> Callable[[int], None]:
        return self._take

    def __exit__(self, *_: object) -> None:
        self._budget.give_back(self._taken)

    def _take(self, size: int) -> None:
        self._budget.take(size)
        self._taken += size


async def read(
    stream: AsyncIterable[bytes],
    headers: Mapping[str, str],
    limit: int,
    seconds: float,
    take: Callable[[int], None],
) -> bytes:
    """A body's bytes as they came, at most `limit` of them and within `seconds`; `take` hears of each chunk.

    Raises TooLarge, before reading where Content-Length tells, TooSlow, Invalid `body_cut_off`, and what `take`
    raises.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length.lstrip("0")[:DIGITS] or 0) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in stream:
                take(len(chunk))
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise TooSlow(f"The body was not complete within {seconds:g} s.") from None
    except ClientDisconnect:
        raise Invalid("The connection ended before the body.", code="body_cut_off") from None
    return bytes(body)


def inflate(raw: bytes, encoding: str, limit: int) -> bytes:
    """The body without its Content-Encoding. Raises TooLarge, or Invalid `bad_encoding`."""
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            return _inflated(raw, GZIP, limit)
        case "deflate":
            return _inflated(raw, ZLIB if _has_zlib_header(raw) else RAW, limit)
    raise Invalid(
        f"Content-Encoding {encoding!r} is not understood.",
        code="bad_encoding",
        hint="Send the body as it is, or with gzip or deflate.",
    )


def _inflated(raw: bytes, window: int, limit: int) -> bytes:
    inflated = bytearray()
    while raw:  # gzip allows several members one after the other (RFC 1952, section 2.2)
        inflater = zlib.decompressobj(window)
        try:
            inflated += inflater.decompress(raw, limit + 1 - len(inflated))
        except zlib.error as error:
            raise _bad_encoding(str(error)) from None
        if len(inflated) > limit:
            raise _too_large(limit)
        if not inflater.eof:
            raise _bad_encoding("it ends too early")
        raw = inflater.unused_data
    return bytes(inflated)


def _has_zlib_header(raw: bytes) -> bool:
    """Two bytes: method 8, and together a multiple of 31 (RFC 1950, section 2.2)."""
    return len(raw) > 1 and raw[0] & 0x0F == 8 and int.from_bytes(raw[:2]) % 31 == 0


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The body has more than {limit} bytes, counted inflated.",
        code="body_too_large",
        hint="Send fewer events in one request.",
    )


def _bad_encoding(why: str) -> Invalid:
    return Invalid(
        f"The body can't be inflated: {why}.",
        code="bad_encoding",
        hint="Compress it again, or leave out Content-Encoding if it is not compressed.",
    )
