"""Fields of other people's JSON, read leniently: what is of another kind counts as missing. Pure."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

MONEY, CURRENCY = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII), re.compile(r"[A-Z]{3}")
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
        value = datetime.fromisoformat((text(document, field) or "").removesuffix(" UTC"))
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


def money_of(document: Mapping[str, Any], *fields: str) -> str | None:
    """The first of the fields that holds an amount of money, as a decimal text; a comma may stand for its point."""
    for field in fields:
        stated = (text(document, field) or "").strip().replace(",", ".")
        if MONEY.fullmatch(stated):
            return stated
    return None


def currency_of(document: Mapping[str, Any]) -> str | None:
    """The currency that a document is in, by its three letters."""
    stated = (text(document, "currency") or "").strip().upper()
    return stated if CURRENCY.fullmatch(stated) else None


def quantity(document: Mapping[str, Any]) -> float:
    """How many of a line; one where it isn't said."""
    found = number(document, "quantity", "qty")
    return found if found is not None and found >= 0 else 1


def status_of(words: str) -> str:
    """A vendor's word for a status as a name: `Out for delivery` is out_for_delivery."""
    name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", words).lower()).strip("_")[:32]
    return name if name[:1].isalpha() else "updated"
