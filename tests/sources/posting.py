"""Posts as vendors make them, and what they become."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from schemas.codec import Malformed
from services.ingest.sources.vendor import Forged, Post, Vendor
from services.ingest.trial import trial

RECEIVED = datetime(2026, 6, 1, 12, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded"}


def post(body: Any, url: str = "https://ingest.example/v1/sources/s", method: str = "POST", **headers: str) -> Post:
    """A post of bytes as they are, of text, or of anything else as JSON; `x_name=value` are headers."""
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return Post(raw, raw, named, RECEIVED, method, "", url.removeprefix(origin), origin)


def form(fields: dict[str, Any], url: str = "https://ingest.example/v1/sources/s", **headers: str) -> Post:
    """An urlencoded form."""
    return post(urlencode(fields), url, **headers, content_type=FORM["content-type"])


def becomes(vendor: Vendor, posted: Post) -> list[dict[str, Any]]:
    """The events of a post, or its refusal."""
    return trial(vendor, posted)


def only(vendor: Vendor, posted: Post) -> dict[str, Any]:
    """The one event of a post."""
    (event,) = becomes(vendor, posted)
    assert "refused" not in event, event
    return event


def refusal(vendor: Vendor, posted: Post, *secrets: str) -> str | None:
    """The code with which a post is not taken for its vendor's; None if it is."""
    try:
        assert vendor.verify
        vendor.verify(posted, secrets)
    except (Forged, Malformed) as refused:
        return refused.code
    return None


def people(event: dict[str, Any]) -> list[tuple[str, str]]:
    """Whom an event names."""
    return [(one["type"], one["value"]) for one in event["data"].get("identifiers", [])]
