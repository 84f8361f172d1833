"""The keys that a request carries outside its body. Pure."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Protocol


class Asked(Protocol):
    """A request; names of headers in lower case, or found in any."""

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def query_params(self) -> Mapping[str, str]: ...


def in_request(request: Asked) -> Iterator[str]:
    """The keys that a request carries outside its body: Basic (as name or password), Bearer, `?key=`, `?writeKey=`."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, password = _basic(credentials.strip()).partition(":")
        yield from filter(None, (name, password))
    elif scheme.lower() == "bearer":
        yield from filter(None, (credentials.strip(),))
    yield from filter(None, (request.query_params.get(name) for name in ("key", "writeKey")))


def _basic(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
