"""A vendor's wire format as data: how its posts prove themselves, and what they become. Pure.

A vendor is one file beside this one, with `VENDORS`, a tuple of these.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from schemas.codec import Malformed
from services.ingest import documents

Document = dict[str, Any]
FRESH = 300.0  # seconds by which a signature's time may differ from ours


class Forged(Exception):
    """A request that does not prove who made it. `code` is stable: signature_missing, signature_wrong, …"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Post:
    """A request as a vendor made it. `raw` is the body as it came, which is what signatures are over, `content` the
    same inflated; names of headers in lower case."""

    raw: bytes
    content: bytes
    headers: Mapping[str, str]
    received_at: datetime

    @cached_property
    def object(self) -> Document:
        """The body as a JSON object, whatever its Content-Type says. Raises Malformed."""
        parsed = documents.parse(self.content)
        if not isinstance(parsed, dict):
            raise Malformed("not_an_object", "The body is JSON, but no object: send it as the vendor does.")
        return parsed


@dataclass(frozen=True)
class Vendor:
    """A wire format by its name, which is the `kind` of the sources that speak it.

    `translate` gives documents for `schemas.codec.from_wire`, in the order of the post, with ids that are the same on
    every retry, and none for what tells us nothing (typing, receipts). It raises Malformed for a post that is none of
    the vendor's. `verify` raises Forged; it is asked of sources that have secrets, of others the key decides.
    """

    name: str
    title: str
    channel: str  # of documents that name none
    translate: Callable[[Post], Iterable[Document]]
    verify: Callable[[Post, Sequence[str]], None]
    secret: str  # what the vendor calls the secret of its signatures
    setup: str  # what to paste where, in Markdown; `{url}` stands for the source's address
    reference: str  # where the format is described
    becomes: Mapping[str, str] = field(default_factory=dict)  # what the vendor calls it: the event it becomes


def check_signature(expected: Iterable[str], given: str | None) -> None:
    """Compare a signature with those that the secrets would give, in constant time. Raises Forged."""
    if not given:
        raise Forged("signature_missing", "The request is not signed.")
    if not any(hmac.compare_digest(one.encode(), given.strip().encode()) for one in expected):
        raise Forged("signature_wrong", "The signature is not that of this body by the source's secret.")


def signature(secret: str, signed: bytes) -> str:
    """HMAC-SHA256 in hex (RFC 2104)."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def check_fresh(stated: str, now: datetime) -> None:
    """Compare a signature's time, in Unix seconds, with ours. Raises Forged."""
    try:
        away = abs(float(stated) - now.timestamp())
    except ValueError:
        raise Forged("signature_without_time", "The signature does not say when it was made.") from None
    if not away <= FRESH:
        raise Forged("signature_too_old", f"The signature's time is {away:.0f} s from ours; {FRESH:.0f} are allowed.")
