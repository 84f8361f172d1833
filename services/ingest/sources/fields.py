"""Fields of other people's JSON, read leniently: what is of another kind counts as missing. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MILLISECONDS, MICROSECONDS = 1e11, 1e14  # as seconds the first would be the year 5138


def part(document: Mapping[str, Any], field: str) -> dict[str, Any]:
    """The object in a field, or an empty one."""
    value = document.get(field)
    return value if isinstance(value, dict) else {}


def items(document: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """The objects in a field's list."""
    value = document.get(field)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(document: Mapping[str, Any], *fields: str) -> str | None:
    """The first of the fields that holds a text that is not blank, or a number, as text."""
    for field in fields:
        value = document.get(field)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    return None


def number(document: Mapping[str, Any], *fields: str) -> float | None:
    """The first of the fields that holds a number below a trillion, or a text that is one; to a millionth."""
    return _number(document, fields, 1e12)


def moment(document: Mapping[str, Any], field: str) -> datetime | None:
    """The time in a field: ISO 8601, in UTC where it says no zone; Unix seconds, milli- or microseconds."""
    try:
        if (stated := _number(document, (field,), 1e17)) is not None:
            unit = 1e6 if stated > MICROSECONDS else 1e3 if stated > MILLISECONDS else 1
            return datetime.fromtimestamp(stated / unit, UTC)
        value = datetime.fromisoformat(text(document, field) or "")
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {field: value for field, value in fields.items() if value is not None}


def _number(document: Mapping[str, Any], fields: tuple[str, ...], limit: float) -> float | None:
    for field in fields:
        try:
            value = round(float(text(document, field) or ""), 6)
        except (ValueError, OverflowError):
            continue
        if abs(value) < limit:
            return value
    return None


def named(**values: str | None) -> list[dict[str, str]]:
    """Identifiers by type; those without a value are left out."""
    return [{"type": type, "value": value} for type, value in values.items() if value]


def name(document: Mapping[str, Any], *fields: str) -> str | None:
    """The first of the fields that holds a text, as long as a name may be."""
    found = text(document, *fields)
    return found and found[:512]


def told(at: datetime | None, otherwise: datetime) -> str:
    """A time as documents have it; `otherwise` where the vendor says none."""
    return (at or otherwise).isoformat()


def content_id(*parts: object) -> str:
    """An id of content, for what the vendor gives none: the same on every retry."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode(errors="replace")).hexdigest()[:24]
