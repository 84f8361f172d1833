"""Fields of other people's JSON, read leniently: what is of another kind counts as missing. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MILLISECONDS = 100_000_000_000  # as seconds this would be the year 5138


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
    for field in fields:
        try:
            value = round(float(text(document, field) or ""), 6)
        except (ValueError, OverflowError):
            continue
        if abs(value) < 1e12:
            return value
    return None


def moment(document: Mapping[str, Any], field: str) -> datetime | None:
    """The time in a field: ISO 8601, in UTC where it says no zone, or Unix seconds, or milliseconds where too many."""
    try:
        if (seconds := number(document, field)) is not None:
            return datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS else seconds, UTC)
        value = datetime.fromisoformat(text(document, field) or "")
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {field: value for field, value in fields.items() if value is not None}
