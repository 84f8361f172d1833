"""A request as a vendor made it, with what signatures and translators need of it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import form
from services.ours import Ours

Document = dict[str, Any]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Post:
    """`raw` is the body as it came, which is what signatures are over, `content` the same inflated; names of headers
    in lower case. `target` is the path with the query as it was asked for, `origin` the public scheme and host;
    `path` is what stands behind the source's address, or one of the vendor's own. `certificate`: see `Vendor`;
    `ours`: which mail addresses are; `most`: bytes that a body may have, inflated, where it holds no mail."""

    raw: bytes
    content: bytes
    headers: Mapping[str, str]
    received_at: datetime
    method: str = "POST"
    path: str = ""
    target: str = ""
    origin: str = ""
    certificate: bytes = b""
    ours: Ours = field(default_factory=Ours)
    most: int = 1_000_000

    @property
    def url(self) -> str:
        """The whole address as the vendor knows it, for signatures that are over it."""
        return self.origin + self.target

    @cached_property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query's decoded pairs, in their order."""
        return tuple(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def query_params(self) -> dict[str, str]:
        """The query's first value of each name."""
        return dict(reversed(self.query))

    @cached_property
    def json(self) -> Any:
        """The body as JSON, whatever its Content-Type says. Raises Malformed."""
        return documents.parse(self.content)

    @property
    def object(self) -> Document:
        """The body as a JSON object. Raises Malformed."""
        if not isinstance(self.json, dict):
            raise Malformed("not_an_object", "The body is JSON, but no object: send it as the vendor does.")
        return self.json

    @cached_property
    def _read(self) -> dict[Callable[["Post"], Any], Any]:
        return {}

    def once(self, read: Callable[["Post"], Read]) -> Read:
        """What a function reads of this post, which looks but once. Raises what it raises."""
        if read not in self._read:
            self._read[read] = read(self)
        found: Read = self._read[read]
        return found

    @cached_property
    def form(self) -> tuple[form.Field, ...]:
        """The body's fields as bytes, urlencoded or multipart by its Content-Type. Raises Malformed."""
        return form.fields(self.content, self.headers.get("content-type", ""))

    @cached_property
    def values(self) -> dict[str, str]:
        """The form's fields that are no files, as UTF-8, the first of each name. Raises Malformed."""
        return {one.name: one.text for one in reversed(self.form) if one.filename is None}
