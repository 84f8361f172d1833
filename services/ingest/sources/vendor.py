"""A vendor's wire format as data: how its posts prove themselves, and what they become. Pure.

A vendor is one file beside this one, with `VENDORS`, a tuple of these.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from schemas.codec import Malformed
from services.errors import Problem
from services.ingest import documents
from services.ingest.credentials import in_request
from services.ingest.sources.post import Document, Post

__all__ = [
    "Document", "Forged", "Post", "Reply", "Vendor", "check_fresh", "check_key", "check_signature", "in_json",
    "signature",
]  # fmt: skip

FRESH = 300.0  # seconds by which a signature's time may differ from ours


class Forged(Exception):
    """A request that does not prove who made it. `code` is stable: signature_missing, signature_wrong, …"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Reply:
    """An answer of the vendor's own kind, instead of ours. `visit` is an address to be asked for before it is given,
    such as one that confirms a subscription; it has to fit the vendor's `fetches`."""

    body: bytes = b""
    type: str = "text/plain"
    status: int = 200
    visit: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def in_json(answer: Document) -> Reply:
    """An answer in JSON."""
    return Reply(documents.written(answer), "application/json")


def _no_keys(post: Post) -> Iterable[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A wire format by its name, which is the `kind` of the sources that speak it.

    `translate` gives documents for `schemas.codec.from_wire`, in the order of the post, with ids that are the same on
    every retry, so that a post that is replayed with its signature changes nothing; none for what tells us nothing
    (typing, receipts); and for a part that can't be read its Malformed, so that the others go on. It raises Malformed
    for a post that is none of the vendor's, and nothing else.

    Who made a post is proven by `verify`, which raises Forged, if the vendor has it and the source has secrets. Else
    by a key: the source's own or one of its secrets, as Basic, Bearer, `?key=`, or where `keys` finds it.
    """

    name: str
    title: str
    channel: str  # of documents that name none
    translate: Callable[[Post], Iterable[Document | Malformed]]
    setup: str  # what to paste where, in Markdown; `{url}` stands for the source's address
    reference: str  # where the format is described
    verify: Callable[[Post, Sequence[str]], None] | None = None
    secret: str = ""  # what the vendor calls the secret of its signatures, or the key that it sends along
    becomes: Mapping[str, str] = field(default_factory=dict)  # what the vendor calls it: the event it becomes
    # Keys in places of the vendor's own, such as `api_key` in the body. May raise Malformed.
    keys: Callable[[Post], Iterable[str]] = _no_keys
    # The vendor's own addresses, for clients that can't be told another, each with its methods: {"/e/": "GET POST"}.
    # Their source is the one whose key the post carries.
    routes: Mapping[str, str] = field(default_factory=dict)
    methods: str = "POST"  # of posts to a source's address; what other methods ask is the handshake's alone
    # The reply to a post that is no event but a handshake, or None. A POST is proven first; the reply to a GET is
    # given if `keys` finds the token that it carries to be the source's key or one of its secrets. May raise Malformed.
    handshake: Callable[[Post, Sequence[str]], Reply | None] | None = None
    # The answer in the vendor's form, once what was posted is durable, or to a refusal, whose status and headers stay.
    answer: Callable[[Post, Problem | None], Reply] | None = None
    drop: int | None = None  # the status upon which the vendor sends no more, where 400 is not one
    # The address of the certificate that a signature is checked by, or None: `verify` finds it in `post.certificate`.
    certificate: Callable[[Post], str | None] | None = None
    large: bool = False  # its posts may be as long as a mail, attachments and all
    # What a signature that does not cover the body may be used for once, or None: with other events it is refused.
    once: Callable[[Post], str | None] | None = None
    fetches: str = r"(?!)"  # a regular expression of all addresses that may be asked for, whole: https and known hosts

    def carried(self, post: Post) -> Iterator[str]:
        """The keys that a post carries, wherever they are. Raises Malformed."""
        yield from in_request(post)
        yield from self.keys(post)

    def documents(self, post: Post, depth: int) -> Iterator[Document | Malformed]:
        """What `translate` gives, with its channel; Malformed for what nests deeper. Raises Malformed."""
        for one in self.translate(post):
            yield one if isinstance(one, Malformed) else documents.shallow({"channel": self.channel} | one, depth)


def check_signature(expected: Iterable[str], given: str | None) -> None:
    """Compare a signature with those that the secrets would give, in constant time. Raises Forged."""
    if not given:
        raise Forged("signature_missing", "The request is not signed.")
    if not any(hmac.compare_digest(one.encode(), given.strip().encode(errors="replace")) for one in expected):
        raise Forged("signature_wrong", "The signature is not that of this body by the source's secret.")


def check_key(known: Iterable[str], given: Iterable[str]) -> None:
    """Compare the keys that a post carries with those that it may, in constant time. Raises Forged."""
    allowed = [one.encode() for one in known]
    if not any(hmac.compare_digest(one.encode(errors="replace"), other) for one in given for other in allowed):
        raise Forged("key_wrong", "The request carries no key of the source.")


def signature(secret: str, signed: bytes) -> str:
    """HMAC-SHA256 in hex (RFC 2104)."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def check_fresh(stated: str, now: datetime, seconds: float = FRESH) -> None:
    """Compare a signature's time, in Unix seconds, with ours: at most so many seconds old, or FRESH ahead.

    `seconds` is more where a vendor posts again for hours by the same signature. Raises Forged.
    """
    try:
        age = now.timestamp() - float(stated)
    except ValueError:
        raise Forged("signature_without_time", "The signature does not say when it was made.") from None
    if not -FRESH <= age <= seconds:
        allowed = f"{seconds:.0f} are allowed"
        raise Forged("signature_too_old", f"The signature's time is {abs(age):.0f} s from ours; {allowed}.")
