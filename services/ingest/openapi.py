"""How the addresses that take events describe themselves: bodies are read raw, so FastAPI can't know their form."""

import json
from importlib import resources
from typing import Any

from fastapi import Security
from fastapi.security import APIKeyQuery, HTTPBasic, HTTPBearer
from pydantic import BaseModel, Field

from schemas.types import TYPES


class Trouble(BaseModel):
    """The one form of every error; where all events were refused, with their verdicts in `results`."""

    code: str = Field(description="Stable; programs decide by it.", examples=["not_json"])
    message: str = Field(examples=["The body is not JSON in UTF-8: unexpected end of data: line 1 column 7."])
    hint: str = Field(description="What to do next.")


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Trouble, "description": "The body can't be read, or all its events were refused."},
    401: {"model": Trouble, "description": "No valid key of a source; nothing is stored."},
    408: {"model": Trouble, "description": "The body did not come in time."},
    413: {"model": Trouble, "description": "More bytes or events than one request may have."},
    503: {"model": Trouble, "description": "The event log is away; send again after Retry-After seconds."},
}


def _events() -> dict[str, Any]:
    folder = resources.files("schemas") / "examples"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    examples = {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in files}
    described = {
        name: {"summary": TYPES[name].summary if name in TYPES else "A type we don't know.", "value": value}
        for name, value in examples.items()
    }
    event: dict[str, Any] = {"type": "object", "description": "See the JSON Schema of an event."}
    lines = "\n".join(json.dumps(value, ensure_ascii=False) for value in list(examples.values())[:2])
    content = {
        "application/cloudevents+json": {"schema": event, "examples": described},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": event}},
        "application/json": {"schema": {"oneOf": [event, {"type": "array", "items": event}]}, "examples": described},
        "application/x-ndjson": {"schema": {"type": "string"}, "example": lines},
    }
    return {"requestBody": {"required": True, "content": content}}


def _segment() -> dict[str, Any]:
    call = {"type": "track", "messageId": "m-1", "userId": "8812", "event": "Order Completed"}
    properties = {"orderId": "1001", "total": 19.9, "currency": "EUR"}
    batch = {"batch": [call | {"properties": properties}], "sentAt": "2026-05-04T09:30:00Z"}
    content = {"application/json": {"schema": {"type": "object"}, "example": batch}}
    return {"requestBody": {"required": True, "content": content}}


# Where a source's key may be; Segment's clients may also have it in the body.
KEYS = [
    Security(HTTPBasic(description="The source's key as the name.", auto_error=False)),
    Security(HTTPBearer(description="The source's key.", auto_error=False)),
    Security(APIKeyQuery(name="writeKey", description="The source's key.", auto_error=False)),
]
EVENTS = _events()
# Vendors whose own addresses are described, in what words.
CALLS = "Post Segment's calls, in a batch or one by one, as its clients and RudderStack's do."
VENDORS = {"segment": (CALLS, _segment())}
