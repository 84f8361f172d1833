"""What a payload would become, without anything being stored: the tool for connecting a system. Pure."""

from collections.abc import Sequence
from typing import Any

from schemas.codec import Malformed, from_wire, to_wire
from services.ingest.documents import shallow
from services.ingest.sources.vendor import Forged, Post, Vendor
from services.masking import Masking

DEPTH = 32  # as deep as ingest lets JSON nest by default


def trial(vendor: Vendor, post: Post, secrets: Sequence[str] = (), source: str = "trial") -> list[dict[str, Any]]:
    """The events of a post as canonical JSON; what is refused as `{"refused": code, "message": …}`."""
    try:
        if secrets:
            vendor.verify(post, secrets)
        documents = ({"channel": vendor.channel} | one for one in vendor.translate(post))
        return [_event(shallow(one, DEPTH), post, source) for one in documents]
    except (Forged, Malformed) as refusal:
        return [_refused(refusal)]


def _event(document: Any, post: Post, source: str) -> dict[str, Any]:
    try:
        if isinstance(document, Malformed):
            raise document
        event, _ = Masking().masked(from_wire(document, source=source, received_at=post.received_at))
        return to_wire(event)
    except Malformed as refusal:
        return _refused(refusal)


def _refused(why: Malformed | Forged) -> dict[str, Any]:
    return {"refused": why.code, "message": why.message}
