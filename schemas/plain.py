"""The short way for what is plain: a posted event that needs nothing but to be written, as its canonical line.

Most events are. It takes a fifth of the time of `from_wire` and `encode`, and gives the same bytes, or None: then it
is for them to read it all the same, or to say what is wrong (tests/property/test_plain.py holds one against the other).
"""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from schemas.cleaning import ONLY_JSON, is_suspect
from schemas.event import Direction, Role, Verification
from schemas.reading import AHEAD, EARLIEST, INSIDE, JSON, NAMES, VERSION, direction_of, source_of, written
from schemas.types import TYPES

SHORT = 512
MOST_IDENTIFIERS, MOST_REFERENCES = 50, 100
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
USUAL = frozenset({"account", "email", "phone", "device", "order"})  # names that need no look at the pattern
DIRECTIONS, ROLES, VERIFICATIONS = (frozenset(map(str, kind)) for kind in (Direction, Role, Verification))
ODD = frozenset({"data_base64", "received_at"})  # of these documents the long way knows what to do


class Plain(NamedTuple):
    """A plain event: its line, and what its key is made of."""

    line: bytes
    source: str
    id: str
    identifiers: list[dict[str, str]]
    conversation: str | None


class _NotPlain(ValueError):
    pass


def plain(
    document: dict[str, Any], source: str, received_at: datetime, channels: Collection[str], channel: str | None
) -> Plain | None:
    """The event of a document, or None: see above.

    `source`, `received_at`, `channel`: as in `from_wire`; `channels`: those that count as plain, each a name.
    """
    try:
        return _plain(document, source, received_at, channels, channel)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):  # the long way says what it is
        return None


def _plain(
    document: dict[str, Any], source: str, received_at: datetime, channels: Collection[str], channel: str | None
) -> Plain:
    fields = _fields(document)
    data = fields.get("data", {})
    id, type, conversation = fields["id"], fields["type"], fields.get("conversation")
    inside, own = _inside(fields, data)
    known = TYPES.get(type)
    if known:
        own = known.checked(own)
    wire = {
        "channel": fields.get("channel", (known and known.channel) or channel or "other"),
        "data": {**own, **inside},
        "datacontenttype": fields.get("datacontenttype", JSON),
        "direction": fields["direction"] if "direction" in fields else direction_of(known, data).value,
        "id": id,
        "recordedtime": written(received_at),
        "source": source_of(source, worded(fields["source"])) if "source" in fields else source,
        "specversion": fields.get("specversion", VERSION),
        "time": _time(fields["occurred_at"], received_at),
        "type": type,
    }
    if conversation is not None:
        wire["conversation"] = worded(conversation)
    if (
        wire["channel"] not in channels
        or wire["datacontenttype"] != JSON
        or wire["direction"] not in DIRECTIONS
        or wire["specversion"] != VERSION
        or not (known or TYPE.fullmatch(type))
        or not 0 < len(wire["source"]) <= SHORT
        or not worded(id)
    ):
        raise _NotPlain
    line = orjson.dumps(wire, option=ONLY_JSON | orjson.OPT_SORT_KEYS)
    if is_suspect(line):
        raise _NotPlain
    return Plain(line, wire["source"], id, inside.get("identifiers", []), conversation)


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in document.items():
        field = NAMES[name]
        if field in fields or field in ODD:
            raise _NotPlain
        if value is not None:
            fields[field] = value
    return fields


def _inside(fields: dict[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our fields inside the data, wherever they were given, and the data without them."""
    inside: dict[str, Any] = {}
    own = data
    for name in INSIDE:
        if name in data:
            if name in fields:
                raise _NotPlain
            if own is data:
                own = data.copy()
            inside[name] = CHECKS[name](own.pop(name))
        elif name in fields:
            inside[name] = CHECKS[name](_filled(fields[name]))
    return inside, own


def _filled(value: Any) -> Any:
    """A value at the top, where a blank text counts as absent."""
    if value.__class__ is str and not value.strip():
        raise _NotPlain
    return value


def worded(value: str) -> str:
    if value.__class__ is not str or len(value) > SHORT or not value.strip():
        raise _NotPlain
    return value


def _time(value: str, received_at: datetime) -> str:
    moment = datetime.fromisoformat(value)
    if value[10] != "T" or not EARLIEST <= moment <= received_at + AHEAD:  # a TypeError without a time zone
        raise _NotPlain
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _identifiers(found: list[dict[str, str]]) -> list[dict[str, str]]:
    if found.__class__ is not list or not 0 < len(found) <= MOST_IDENTIFIERS:
        raise _NotPlain
    for one in found:
        type = one["type"]
        if not (type in USUAL or NAME.fullmatch(type)) or not worded(one["value"]):
            raise _NotPlain
        if len(one) != 2 and (len(one) != 3 or one["verification"] not in VERIFICATIONS):
            raise _NotPlain
    return found


def _references(found: list[dict[str, str]]) -> list[dict[str, str]]:
    if found.__class__ is not list or not 0 < len(found) <= MOST_REFERENCES:
        raise _NotPlain
    for one in found:
        type = one["type"]
        if not (type in USUAL or NAME.fullmatch(type)) or not worded(one["value"]) or len(one) != 2:
            raise _NotPlain
    return found


def _author(author: dict[str, str]) -> dict[str, str]:
    role = author.get("role", "customer")
    others = author.keys() - {"role"}
    if role not in ROLES or not others <= {"id", "name"} or not all(worded(author[name]) for name in others):
        raise _NotPlain
    return author if "role" in author else {**author, "role": role}


def _text(text: str) -> str:
    if text.__class__ is not str:
        raise _NotPlain
    return text


def _language(code: str) -> str:
    if not LANGUAGE.fullmatch(code):
        raise _NotPlain
    return code


CHECKS: dict[str, Callable[[Any], Any]] = {
    "author": _author, "identifiers": _identifiers, "text": _text, "language": _language, "references": _references,
}  # fmt: skip
