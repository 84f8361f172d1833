"""What JSON allows and no store can hold: NULs and lone surrogates are replaced, the rest is refused."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson

DEPTH = 100  # levels of nesting; orjson writes 254
ONLY_JSON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL holds no NUL, UTF-8 no half of a pair
REPLACEMENT = "\ufffd"
SANITISED = "sanitised"  # the attribute that says that a character was replaced


class Unkeepable(ValueError):
    """A value that is not JSON, or that neither 64 bits nor the allowed depth can hold."""


def cleaned(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as plain JSON, marked `sanitised` if a character had to be replaced. Raises Unkeepable."""
    try:
        raw = orjson.dumps(document, option=ONLY_JSON)
    except TypeError:
        raw = None  # the slow look finds out why
    if raw and isinstance(document, dict) and not is_suspect(raw):
        return document
    clean: dict[str, Any] = _clean(document, "", DEPTH)
    return {**clean, SANITISED: True} if clean != document else clean


def is_suspect(raw: bytes) -> bool:
    """Whether JSON might hold a NUL or nest too deep; cheap, and right if it says no."""
    return b"\\u0000" in raw or raw.count(b"{") + raw.count(b"[") > DEPTH


def _clean(value: Any, where: str, depth: int) -> Any:
    if not depth:
        raise Unkeepable(f"Field {where[:100]!r} nests deeper than {DEPTH} levels; send it flatter.")
    match value:
        case str():
            return _text(value)
        case None | bool():
            return value
        case int() if -(2**63) <= value < 2**64:
            return value
        case float() if isfinite(value):
            return value
        case list() | tuple():
            return [_clean(item, f"{where}.{place}", depth - 1) for place, item in enumerate(value)]
        case Mapping():
            inner = {name: f"{where}.{name}" if where else str(name) for name in value}
            return {_text(str(name)): _clean(value[name], inner[name], depth - 1) for name in value}
    raise Unkeepable(f"Field {where!r} is no JSON value that 64 bits can hold; send it as a text.")


def _text(value: str) -> str:
    return UNSTORABLE.sub(REPLACEMENT, value)
