"""What is odd about events, and how to read them all the same. Pure; reads the canonical JSON of the codec."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.types import TYPES

Wire = Mapping[str, Any]  # an event as canonical CloudEvents JSON
Data = Mapping[str, Any]  # its `data`


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_author(value: object) -> bool:
    return value is None or isinstance(value, dict)


def _is_list(value: object) -> bool:
    """Of things with a type and a value, as identifiers and references are."""
    if not isinstance(value, list):
        return value is None
    return all(isinstance(one, dict) and {"type", "value"} <= one.keys() for one in value)


OURS: dict[str, Callable[[object], bool]] = {
    "author": _is_author, "identifiers": _is_list, "text": _is_text, "language": _is_text, "references": _is_list,
}  # fmt: skip


def data_of(event: Wire) -> Data:
    """An event's data; of types that are not ours without what only goes by the name of one of our fields."""
    data: Data = event.get("data") or {}
    if event["type"] in TYPES or all(name not in data or fits(data[name]) for name, fits in OURS.items()):
        return data
    return {name: value for name, value in data.items() if name not in OURS or OURS[name](value)}


def marks(event: Wire, conflicts: int = 0) -> list[str]:
    """What is odd about an event; `conflicts`: how many other contents came under its id."""
    found = {
        "some characters could not be kept": event.get("sanitised") is True,
        f"its clock said {str(event.get('statedtime'))[:10]}": "statedtime" in event,
        f"came again with other content{f' ({conflicts} times)' if conflicts > 1 else ''}": conflicts,
    }
    return [words for words, holds in found.items() if holds]
