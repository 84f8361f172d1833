"""`python -m schemas.generate` writes the contract for others: JSON Schema of an event, AsyncAPI of the topics."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from schemas.event import Event
from schemas.reading import INSIDE, TIMES
from schemas.types import TYPES

VERSION = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent / "generated"
ENVELOPE = ("id", "source", "type", "occurred_at", "received_at", "channel", "direction", "conversation")


class Untitled(GenerateJsonSchema):
    """Without the titles that only repeat a field's name."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def main(folder: Path = FOLDER) -> None:
    """Write both documents into the folder."""
    folder.mkdir(exist_ok=True)
    write(folder / "event.schema.json", event_schema())
    write(folder / "asyncapi.json", asyncapi())


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a document as JSON that people read and that differs only where it must."""
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def event_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an event in the canonical form; types we don't know have any data."""
    models: list[type[BaseModel]] = [Event, *sorted({one.data for one in TYPES.values()}, key=str)]
    refs, schema = models_json_schema([(model, "validation") for model in models], schema_generator=Untitled)
    definitions = schema["$defs"]
    ours = definitions.pop(Event.__name__)["properties"]
    envelope = {TIMES.get(name, name): ours[name] for name in ENVELOPE}
    way = {"description": "Left out: the way its type goes, or else inbound."}
    envelope["direction"] = {"$ref": ours["direction"]["$ref"], **way}
    inside = {name: ours[name] for name in INSIDE}
    return {
        "$schema": VERSION,
        "title": "Event",
        "description": "One immutable fact from a source: a CloudEvents 1.0 event, our structured fields in `data`.",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time"],
        "properties": {
            "specversion": {"const": "1.0"},
            **envelope,
            "datacontenttype": {"type": "string"},
            "data": {"type": "object", "properties": inside},
        },
        "propertyNames": {"pattern": "^[a-z0-9]+$"},
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "allOf": [_typed(name, refs[one.data, "validation"]) for name, one in TYPES.items()],
        "$defs": definitions,
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of the two topics: names, keys and values of their records."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "tellonce event log",
            "version": version("tellonce"),
            "description": "One topic for all channels, so that what happened to one customer keeps one order.",
        },
        "channels": {
            "events": _channel("timeline.events", "What was accepted, in order per key.", "events"),
            "dead": _channel("timeline.events.dead", "Records that can't be read, set aside once.", "dead"),
        },
        "operations": {
            "accept": _operation("send", "events", "Ingest appends what it accepts; it answers when that is durable."),
            "stitch": _operation("receive", "events", "The timeline reads it in batches and keeps positions itself."),
            "setAside": _operation("send", "dead", "The timeline sets aside what it can't read."),
        },
        "components": {"messages": {"events": _EVENTS, "dead": _DEAD}},
    }


def _typed(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
        "then": {"properties": {"data": data}},
    }


def _channel(address: str, description: str, message: str) -> dict[str, Any]:
    messages = {message: {"$ref": f"#/components/messages/{message}"}}
    return {"address": address, "description": description, "messages": messages}


def _operation(action: str, channel: str, summary: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


_KEY = {
    "type": "string",
    "description": "The strongest identifier of its first event, normalised: type:value or type:source:value.",
    "examples": ["account:C-20117", "email:mari@example.com", "conversation:telephony:call-7d20c1"],
}
_PLACE = {"type": "string", "description": "Where it was: partition-position.", "examples": ["2-40117"]}
_EVENTS = {
    "title": "Accepted events",
    "summary": "One event in canonical JSON, or several, a line each.",
    "contentType": "application/x-ndjson",
    "bindings": {"kafka": {"key": _KEY, "bindingVersion": "0.5.0"}},
    "payload": {"$ref": "./event.schema.json"},
}
_DEAD = {
    "title": "A record that can't be read",
    "summary": "The value as it was, byte for byte.",
    "contentType": "application/octet-stream",
    "bindings": {"kafka": {"key": _PLACE, "bindingVersion": "0.5.0"}},
}


if __name__ == "__main__":
    main()
