"""The JSON in a body, whatever its Content-Type says: one document, an array of them, or one a line; and that of an
answer. Pure."""

import json
from typing import Any

import orjson

from schemas.codec import Malformed

CONTAINERS = (dict, list)
LINES = frozenset(f"application/{name}" for name in ("x-ndjson", "ndjson", "jsonl", "x-jsonlines"))


def parse(body: bytes) -> Any:
    """The JSON in a body. Raises Malformed: `not_json`, which says where, or `nested_too_deep`."""
    body = body.removeprefix(b"\xef\xbb\xbf")  # a byte order mark may be ignored (RFC 8259, section 8.1)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise _too_deep() from None
        if b"\\ud" in body.lower():
            return _with_half_pairs(body)
        raise _not_json(error) from None


def written(document: Any) -> bytes:
    """A document as JSON; half a surrogate pair in an id goes back as it came."""
    try:
        return orjson.dumps(document)
    except TypeError:
        return json.dumps(document).encode()


def split(body: bytes, content_type: str) -> list[Any]:
    """The documents of a body; a line that is no JSON is there as its Malformed, so that the others go on.

    Lines are known by the content type, or by a first line that is an object where the whole is no JSON.
    """
    if content_type.partition(";")[0].strip().lower() in LINES:
        return _lines(body)
    try:
        parsed = parse(body)
    except Malformed:
        if _starts_with_an_object(body):
            return _lines(body)
        raise
    return parsed if isinstance(parsed, list) else [parsed]


def shallow(document: Any, depth: int) -> Any:
    """The document, or Malformed `nested_too_deep` if it nests more than `depth` levels, itself the first."""
    if isinstance(document, CONTAINERS) and _deeper_than(depth, document):
        return _too_deep(f" more than {depth} levels deep")
    return document


def _deeper_than(depth: int, document: Any) -> bool:
    level = [document]
    for _ in range(depth):
        level = [
            child
            for node in level
            for child in (node.values() if node.__class__ is dict else node)
            if child.__class__ is dict or child.__class__ is list
        ]
        if not level:
            return False
    return True


def _with_half_pairs(body: bytes) -> Any:
    """orjson refuses half a surrogate pair, which browsers send where a text was cut within an emoji."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise _not_json(error) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _starts_with_an_object(body: bytes) -> bool:
    first, newline, _ = body.lstrip().partition(b"\n")
    return bool(newline) and isinstance(_line(first), dict)


def _lines(body: bytes) -> list[Any]:
    return [_line(line) for line in body.split(b"\n") if line.strip()]


def _line(line: bytes) -> Any:
    try:
        return parse(line)
    except Malformed as problem:
        return problem


def _not_json(error: ValueError) -> Malformed:
    return Malformed("not_json", f"The body is not JSON in UTF-8: {error}.")


def _too_deep(how: str = " too deep") -> Malformed:
    return Malformed("nested_too_deep", f"The JSON nests{how}: flatten it, or send the inner parts as text.")
