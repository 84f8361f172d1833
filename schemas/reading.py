"""Reads posted events: CloudEvents in JSON, or plain JSON with our fields at the top.

Lenient, but nothing is lost: what can't be kept is refused with the field's name and what to write instead.
"""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.event import Direction, Event
from schemas.types import TYPES, EventType

VERSION = "1.0"
JSON = "application/json"

INSIDE = ("author", "identifiers", "text", "language", "references")  # ours, inside `data` on the wire
TIMES = {"occurred_at": "time", "received_at": "recordedtime"}  # field: attribute; either name is read
OTHERS = ("specversion", "datacontenttype", "data", "data_base64")
FIELDS = ("id", "source", "type", "channel", "direction", "conversation", *INSIDE, *TIMES, *OTHERS)
NAMES = {name: name for name in FIELDS} | {attribute: field for field, attribute in TIMES.items()}

EXTENSION = re.compile(r"[a-z0-9]+")  # CloudEvents 1.0.2, section 3.1
EMITTER = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:/+|urn:|/+)/*")  # what a CloudEvents source starts with
EARLIEST, AHEAD = datetime(1990, 1, 1, tzinfo=UTC), timedelta(days=1)  # a clock that says less, or more, is wrong
EXTENSIONS = 50  # of one event
LIKENESS = 0.86  # of two names, by difflib: "chanel" is meant to be "channel", "resource" is not "source"

HINTS = {
    "id": "write a text of 1 to 512 characters that is unique in your system and the same on every retry",
    "type": 'write a type such as "message.received", or one of your own such as "com.example.parcel.lost"',
    "time": 'write when it happened with its time zone, such as "2026-05-04T09:30:00+03:00"',
    "recordedtime": 'leave it out, or write a time such as "2026-05-04T09:30:00+03:00"',
    "source": "write a name of at most 512 characters",
    "channel": "write a name such as email, phone, chat, web or app, in lower case",
    "direction": "write inbound, outbound or internal",
    "conversation": "write your system's own key for it, a text of at most 512 characters",
    "author": 'write it as {"role": "customer", "name": "Mari Maasikas"}, or role agent, bot, system',
    "identifiers": 'write a list such as [{"type": "email", "value": "mari@example.com"}]',
    "text": "write what was said or written as one text",
    "language": "write a code such as et, lt or en-GB",
    "references": 'write a list such as [{"type": "order", "value": "1001"}]',
}


class Malformed(Exception):
    """What was posted is no event: a stable code, and a sentence with the field and what to write."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read(
    document: dict[str, Any], source: str, received_at: datetime | None = None, channel: str | None = None
) -> Event:
    """The event of a clean document; see `schemas.codec.from_wire`. Raises Malformed."""
    fields, others = _sorted(document)
    version = fields.pop("specversion", None)
    if version not in (None, VERSION):
        _refuse("unsupported_specversion", f'Field "specversion" is {version!r}: write "1.0" or leave it out.')
    fields["extensions"] = _extensions(others, is_cloudevent=version is not None)
    data = _data(fields)
    type = TYPES.get(str(fields.get("type")))
    fields["source"] = source_of(source, fields.get("source"))
    fields["occurred_at"] = moment = _time("time", fields.get("occurred_at"))
    if received_at and not EARLIEST <= moment <= received_at + AHEAD:
        fields["occurred_at"], fields["extensions"]["statedtime"] = received_at, moment.isoformat()
    if stated := received_at or fields.get("received_at"):
        fields["received_at"] = received_at or _time("recordedtime", stated)
    fields.setdefault("channel", (type and type.channel) or channel or "other")
    fields.setdefault("direction", direction_of(type, data))
    return _event(fields, data, type)


def _sorted(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our fields by their own names, and those of others. What is null or blank is absent."""
    fields: dict[str, Any] = {}
    others = {}
    for name, value in document.items():
        field = NAMES.get(name)
        if value is None or (field and isinstance(value, str) and not value.strip()):
            continue
        if not field:
            others[name] = value
        elif fields.setdefault(field, value) != value:
            _refuse("given_twice", f'Field "{name}" goes by another name here as well: write one of them.')
    return fields, others


def _data(fields: dict[str, Any]) -> dict[str, Any]:
    """The data, always as an object: what is no JSON object is kept in one, with its media type beside it."""
    media = fields.pop("datacontenttype", JSON)
    data, binary = fields.pop("data", {}), fields.pop("data_base64", None)
    if binary is None and isinstance(data, dict):
        if media != JSON:
            fields["extensions"]["datacontenttype"] = str(media)  # a dialect of JSON stays an attribute
        return data
    if binary is not None and data:
        _refuse("given_twice", 'Fields "data" and "data_base64" exclude each other: write one.')
    wrapped = {"content": data} if binary is None else {"base64": binary}
    return wrapped if media == JSON else {**wrapped, "content_type": media}


def _event(fields: dict[str, Any], data: dict[str, Any], type: EventType | None, left: Collection[str] = ()) -> Event:
    """The event, our fields lifted out of its data; those `left` mean something else there."""
    lifted = {name: data[name] for name in INSIDE if name in data and name not in left}
    if twice := [name for name in lifted if name in fields and lifted[name] not in (None, fields[name])]:
        _refuse("given_twice", f'Field "{twice[0]}" differs between the top and "data": write it once.')
    whole = {**lifted, **fields}
    if "identifiers" in whole:
        whole["identifiers"] = _named(whole["identifiers"])
    own = {name: value for name, value in data.items() if name not in lifted} if lifted else data
    whole["data"] = _checked(type, own) if type else own
    try:
        return Event.model_validate(whole)
    except ValidationError as error:
        misfits = lifted.keys() & {problem["loc"][0] for problem in error.errors()}
        if misfits and not type:
            return _event(fields, data, type, {*left, *misfits})
        _refuse_field(error)


def _checked(type: EventType, data: dict[str, Any]) -> dict[str, Any]:
    try:
        return type.checked(data)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, ("data", *problem["loc"])))
        _refuse("invalid_data", f'Field "{where}" of a {type.name}: {_said(problem)}.')


def direction_of(type: EventType | None, data: dict[str, Any]) -> Direction:
    """Which way an event goes that does not say so."""
    if not type:
        return Direction.inbound
    if type.name == "call.turn" and data.get("speaker") in ("agent", "bot"):
        return Direction.outbound  # a turn goes the way of who speaks
    return type.direction


def source_of(registered: str, own: Any) -> str:
    """The registered source, with what the document itself says behind it as a path. Raises Malformed."""
    if not registered:
        return str(own or _refuse("missing_source", f'Field "source" is missing: {HINTS["source"]}.'))
    path = EMITTER.sub("", str(own or ""))
    if path in ("", registered):
        return registered
    return path if path.startswith(f"{registered}/") else f"{registered}/{path}"


def _time(name: str, value: Any) -> datetime:
    """An RFC 3339 timestamp, in UTC; years 1 to 9999."""
    if value in (None, ""):
        _refuse(f"missing_{name}", f'Field "{name}" is missing: {HINTS[name]}.')
    try:
        moment = datetime.fromisoformat(value.strip().upper())
        if moment.tzinfo:
            return moment.astimezone(UTC)
    except (AttributeError, ValueError, OverflowError):
        _refuse(f"invalid_{name}", f'Field "{name}" is {str(value)[:99]!r}, which is no time: {HINTS[name]}.')
    _refuse(f"{name}_without_zone", f'Field "{name}" is {value!r}, without a time zone: {HINTS[name]}.')


@lru_cache(maxsize=64)  # all events of a request came at one time
def written(moment: datetime) -> str:
    """A time in UTC as it is on the wire."""
    return moment.isoformat().replace("+00:00", "Z")


def _named(identifiers: Any) -> Any:
    """Identifiers without those whose value is blank: forms and SDKs send them where they know nothing."""
    if not isinstance(identifiers, list):
        return identifiers or ()
    return [item for item in identifiers if not isinstance(item, dict) or str(item.get("value") or "").strip()]


def _extensions(others: dict[str, Any], is_cloudevent: bool) -> dict[str, Any]:
    """What is left: attributes of others. In plain JSON, one that looks like ours is taken for a slip."""
    if len(others) > EXTENSIONS:
        _refuse("too_many_fields", f'The event has {len(others)} fields of your own: put them into "data".')
    for name, value in others.items():
        fits = EXTENSION.fullmatch(name) and isinstance(value, str | int)
        if fits and (is_cloudevent or not _alike(name)):
            continue
        meant = f'; did you mean "{_alike(name)}"?' if _alike(name) else "."
        _refuse("unknown_field", f'Field "{name[:100]}" is not known{meant} Fields of your own go into "data".')
    return others


@lru_cache(maxsize=1024)
def _alike(name: str) -> str:
    likely = [one for one in NAMES if 2 * min(len(one), len(name)) >= LIKENESS * (len(one) + len(name))]
    return next(iter(get_close_matches(name, likely, 1, LIKENESS)), "")


def _refuse_field(error: ValidationError) -> NoReturn:
    problem = error.errors()[0]
    field, *path = map(str, problem["loc"])
    if problem["type"] == "missing" and not path:
        _refuse(f"missing_{field}", f'Field "{field}" is missing: {HINTS[field]}.')
    where = ".".join((field, *path))
    _refuse("invalid_field", f'Field "{where}": {_said(problem)}; {HINTS.get(field, "correct it")}.')


def _said(problem: ErrorDetails) -> str:
    return problem["msg"].removeprefix("Value error, ")


def _refuse(code: str, message: str) -> NoReturn:
    raise Malformed(code, message)
