"""What a vendor's post asks us to fetch: the certificate of its signature, the address that confirms a subscription."""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog

from schemas.codec import Malformed
from services.errors import Unavailable
from services.ingest.sources.vendor import Forged, Post, Vendor
from services.logs import kind

SECONDS = 3.0  # until an address must have answered
MOST_BYTES = 64_000  # of an answer
MOST_WAITING = 20  # at once: what is asked for is known before it is proven
KEPT = 3600.0  # seconds for which a certificate is
MOST_KEPT = 100

PRINTABLE = re.compile(r"[!-~]+")

Get = Callable[[str], bytes]
log = structlog.get_logger()


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: it would lead to hosts that nobody has allowed."""

    def redirect_request(self, *arguments: Any) -> Request | None:
        return None


def get(address: str) -> bytes:
    """The body at an address. Raises OSError, HTTPException."""
    with build_opener(_Stay).open(address, timeout=SECONDS) as answer:
        return bytes(answer.read(MOST_BYTES))


class Errands:
    """Fetches over the network, in threads and with an end; `clock` gives monotonic seconds."""

    def __init__(self, get: Get = get, clock: Callable[[], float] = time.monotonic) -> None:
        self._get = get
        self._clock = clock
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._waiting = 0
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="errands")

    async def certificate(self, address: str, allowed: str) -> bytes:
        """The certificate at an address, kept for an hour. Raises as `visit` does."""
        until, found = self._kept.get(address, (0.0, b""))
        if self._clock() >= until:
            found = await self.visit(address, allowed)
            self._kept = dict(list(self._kept.items())[-MOST_KEPT:]) | {address: (self._clock() + KEPT, found)}
        return found

    async def visit(self, address: str, allowed: str) -> bytes:
        """What an address answers. Raises Forged unless it is one of the allowed, Unavailable if it does not answer."""
        check(address, allowed)
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many addresses are being asked for.", code="errands_unavailable")
        self._waiting += 1
        try:
            async with asyncio.timeout(SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._get, address)
        except (OSError, HTTPException, TimeoutError) as error:
            host = urlsplit(address).hostname  # the rest may be a secret
            log.warning("errand_failed", host=host, error=kind(error))
            raise Unavailable(f"{host} does not answer as it should.", code="errands_unavailable") from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def check(address: str, allowed: str) -> None:
    """Raise Forged unless an address is one that the vendor's posts may name."""
    if not (re.fullmatch(allowed, address) and PRINTABLE.fullmatch(address)):
        raise Forged("foreign_address", f"{address[:200]} is no address of the vendor's.")


def fetched(vendor: Vendor, post: Post) -> bytes:
    """The certificate of a post's signature, fetched at once; none where it can't be, or names none."""
    try:
        address = vendor.certificate(post) if vendor.certificate else None
        if address is None:
            return b""
        check(address, vendor.fetches)
        return get(address)
    except (Malformed, Forged, OSError, HTTPException):
        return b""
