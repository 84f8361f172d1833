"""Events on the wire: one canonical form out, strict CloudEvents 1.0 in JSON; that and what people post in.

The canonical form (CloudEvents JSON format 1.0.2, structured mode) keeps our structured fields inside `data`,
for an attribute must be a scalar.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel

from schemas.canonical import known
from schemas.cleaning import Unkeepable, cleaned, is_suspect
from schemas.event import Event
from schemas.reading import INSIDE, JSON, TIMES, VERSION, Malformed, read, written

__all__ = ["Malformed", "Unreadable", "decode", "encode", "from_wire", "to_wire", "written"]


class Unreadable(Exception):
    """A line of the log that holds no event. `reason`: not_json, not_an_event or unknown_version."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def to_wire(event: Event) -> dict[str, Any]:
    """The event as canonical CloudEvents JSON; absent fields are left out, times are in UTC."""
    inside = {name: _plain(value) for name in INSIDE if (value := getattr(event, name)) not in (None, ())}
    times = {TIMES[name]: written(value) for name in TIMES if (value := getattr(event, name))}
    optional = {"conversation": event.conversation} if event.conversation else {}
    return {
        "datacontenttype": JSON,
        **event.extensions,
        "specversion": VERSION,
        "id": event.id,
        "source": event.source,
        "type": event.type,
        **times,
        "channel": event.channel,
        "direction": event.direction.value,
        **optional,
        "data": {**event.data, **inside},
    }


def encode(event: Event) -> bytes:
    """The event as one line of canonical JSON, keys sorted, no newline: equal events are equal bytes."""
    return orjson.dumps(to_wire(event), option=orjson.OPT_SORT_KEYS)


def decode(line: bytes) -> Event:
    """The event of one line of a record. Raises Unreadable."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Unreadable("not_json", str(error)) from None
    if not isinstance(document, dict):
        raise Unreadable("not_an_event", "the record is no JSON object")
    if (version := document.get("specversion")) != VERSION:
        raise Unreadable("unknown_version", f"specversion is {version!r}, not {VERSION!r}")
    suspect = is_suspect(line)
    if not suspect and (event := known(document)):
        return event
    try:
        return read(cleaned(document) if suspect else document, "")
    except (Malformed, Unkeepable) as error:
        raise Unreadable("not_an_event", str(error)) from None


def from_wire(
    document: Mapping[str, Any],
    *,
    source: str,
    received_at: datetime | None = None,
    channel: str | None = None,
) -> Event:
    """Read one posted event: CloudEvents in JSON, or plain JSON with our fields at the top. Raises Malformed.

    `source` is the registered source; the document's own stays behind it as a path, so that no source can
    speak for another. With `source=""` the document's own is taken. `received_at`, if given, is what counts, and
    stands for a time before 1990 or more than a day later, which is kept as the extension `statedtime`.
    `channel` is for documents and types that name none.
    """
    if not isinstance(document, Mapping):
        raise Malformed("not_an_object", 'An event is a JSON object such as {"id": …, "type": …, "time": …}.')
    try:
        return read(cleaned(document), source, received_at, channel)
    except Unkeepable as error:
        raise Malformed("invalid_value", str(error)) from None


def _plain(value: Any) -> Any:
    """A model, or a tuple of models, as JSON without the fields that are absent."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, BaseModel):
        return {name: item for name, item in value.__dict__.items() if item is not None}
    return value
