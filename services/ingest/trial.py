"""What a payload would become, without anything being stored: the tool for connecting a system. Pure."""

from collections.abc import Sequence
from typing import Any

from schemas.codec import Malformed, from_wire, to_wire
from services.ingest.sources.vendor import Forged, Post, Vendor, check_key
from services.masking import Masking

DEPTH = 32  # as deep as ingest lets JSON nest by default


def trial(
    vendor: Vendor, post: Post, secrets: Sequence[str] = (), masking: Masking | None = None, source: str = "trial"
) -> list[dict[str, Any]]:
    """The events of a post as canonical JSON; what is refused as `{"refused": code, "message": …}`; a handshake as
    `{"handshake": the reply's body, "visits": the address that would be asked for}`."""
    try:
        if secrets:
            _prove(vendor, post, secrets)
        if reply := vendor.handshake and vendor.handshake(post, secrets):
            return [{"handshake": reply.body.decode("utf-8", "replace"), "visits": reply.visit}]
        return [_event(one, post, source, masking or Masking()) for one in vendor.documents(post, DEPTH)]
    except (Forged, Malformed) as refusal:
        return [_refused(refusal)]


def _prove(vendor: Vendor, post: Post, secrets: Sequence[str]) -> None:
    if vendor.verify:
        vendor.verify(post, secrets)
    else:
        check_key(secrets, vendor.carried(post))


def _event(document: Any, post: Post, source: str, masking: Masking) -> dict[str, Any]:
    try:
        if isinstance(document, Malformed):
            raise document
        event, _ = masking.masked(from_wire(document, source=source, received_at=post.received_at))
        return to_wire(event)
    except Malformed as refusal:
        return _refused(refusal)


def _refused(why: Malformed | Forged) -> dict[str, Any]:
    return {"refused": why.code, "message": why.message}
