"""The fields of a posted form as bytes, urlencoded or multipart, each with its own headers. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from schemas.codec import Malformed

MOST = 2000  # fields of a form


@dataclass(frozen=True)
class Field:
    """A field, or a file where it has a `filename`. Names of headers in lower case; an urlencoded form has none.

    A translator may decode `content` by the charset that a header or another field names.
    """

    name: str
    content: bytes
    filename: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The content as UTF-8."""
        return _text(self.content)


def fields(content: bytes, content_type: str) -> tuple[Field, ...]:
    """A body's fields in their order. Raises Malformed `not_a_form`, `too_many_fields`.

    Multipart by the boundary in its Content-Type (RFC 7578); all else is read as urlencoded.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind != b"multipart/form-data":
        return tuple(_urlencoded(content.strip()))
    reading = _Reading()
    try:
        MultipartParser(options.get(b"boundary") or b"-", reading.callbacks).write(content)
    except FormParserError as error:
        raise Malformed("not_a_form", f"The body is not the multipart form it says it is: {error}.") from None
    if not reading.is_whole:
        raise Malformed("not_a_form", "The multipart form ends before its last boundary.")
    return tuple(reading.found)


def _urlencoded(content: bytes) -> Iterator[Field]:
    if content.count(b"&") >= MOST:
        raise _too_many()
    for pair in filter(None, content.replace(b"+", b" ").split(b"&")):
        name, _, value = pair.partition(b"=")
        yield Field(_text(unquote_to_bytes(name)), unquote_to_bytes(value))


class _Reading:
    """Collects what the parser calls out."""

    def __init__(self) -> None:
        self.found: list[Field] = []
        self.is_whole = False
        self._headers: dict[str, bytes] = {}
        self._name, self._value, self._content = bytearray(), bytearray(), bytearray()
        self.callbacks: Any = {
            "on_part_begin": self._begin, "on_part_end": self._end, "on_end": self._whole,
            "on_part_data": lambda data, start, end: self._content.extend(data[start:end]),
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
        }  # fmt: skip

    def _begin(self) -> None:
        self._headers, self._content = {}, bytearray()

    def _header(self) -> None:
        self._headers[_text(self._name).lower()] = bytes(self._value).strip()
        self._name, self._value = bytearray(), bytearray()

    def _end(self) -> None:
        if len(self.found) == MOST:
            raise _too_many()
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        name, filename = options.get(b"name", b""), options.get(b"filename")
        headers = {name: _text(value) for name, value in self._headers.items()}
        shown = None if filename is None else _text(filename)
        self.found.append(Field(_text(name), bytes(self._content), shown, headers))

    def _whole(self) -> None:
        self.is_whole = True


def _text(raw: bytes | bytearray) -> str:
    return raw.decode("utf-8", "replace")


def _too_many() -> Malformed:
    return Malformed("too_many_fields", f"The form has more than {MOST} fields.")
