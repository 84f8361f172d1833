"""What a vendor's post becomes, and posts that prove themselves."""

from typing import Any

import orjson

from services.ingest.sources import vendors
from services.ingest.sources.vendor import Post
from services.ingest.trial import trial
from tests.builders import at


def post(body: Any, headers: dict[str, str] | None = None, **fields: Any) -> Post:
    """A post with a body, as bytes or as what becomes JSON."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Post(raw, raw, headers or {}, fields.pop("received_at", at(0)), **fields)


def becomes(vendor: str, body: Any, headers: dict[str, str] | None = None, **fields: Any) -> list[dict[str, Any]]:
    """The events of a post, or why it or a part of it is refused."""
    return trial(vendors()[vendor], post(body, headers, **fields))


def only(vendor: str, body: Any, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """The one event of a post."""
    (event,) = becomes(vendor, body, headers, **fields)
    return event


def read(event: dict[str, Any]) -> tuple[Any, ...]:
    """An event as somebody reads it first: what, which way, by whom, of whom, and the words."""
    data = event["data"]
    people = [f"{one['type']}:{one['value']}" for one in data.get("identifiers", ())]
    return event["type"], event["direction"], data.get("author", {}).get("role"), people, data.get("text")
