"""CloudEvents 1.0 over HTTP: binary, structured and batch requests as the documents in them. Pure.

Source: CloudEvents HTTP Protocol Binding 1.0.2, sections 3.1 to 3.3.
"""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from schemas.codec import Malformed
from services.ingest import documents

STRUCTURED = "application/cloudevents"
BATCH = "application/cloudevents-batch"
JSON = re.compile(r"(application|text)/([\w.-]+\+)?json")
BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def translate(headers: Mapping[str, str], body: bytes, depth: int) -> Iterator[Any]:
    """The documents of a request in any mode, plain JSON among them; what can't be taken as its Malformed.

    Names of headers in lower case; `depth` is how many levels a document may nest. Raises Malformed if the
    body as a whole or a header can't be read.
    """
    return (documents.shallow(document, depth) for document in _documents(headers, body))


def _documents(headers: Mapping[str, str], body: bytes) -> list[Any]:
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith(STRUCTURED):
        return _structured(media_type, body)
    if "ce-id" in headers or "ce-specversion" in headers:
        return [_binary(headers, content_type, media_type, body)]
    return documents.split(body, content_type)


def _structured(media_type: str, body: bytes) -> list[Any]:
    mode, _, format = media_type.partition("+")
    if format != "json" or mode not in (STRUCTURED, BATCH):
        expected = f"send {STRUCTURED}+json, {BATCH}+json, or plain JSON"
        raise Malformed("unsupported_format", f"Content-Type {media_type} is not understood: {expected}.")
    parsed = documents.parse(body)
    if mode == BATCH and not isinstance(parsed, list):
        raise Malformed("not_a_batch", "A batch is a JSON array of events: put the event in [ ].")
    return parsed if isinstance(parsed, list) else [parsed]


def _binary(headers: Mapping[str, str], content_type: str, media_type: str, body: bytes) -> dict[str, Any]:
    attributes = {name: value for name, value in headers.items() if name.startswith("ce-")}
    document = {name.removeprefix("ce-"): _decoded(name, value) for name, value in attributes.items()}
    return document | ({"datacontenttype": content_type} if content_type else {}) | _data(media_type, body)


def _data(media_type: str, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if not media_type or JSON.fullmatch(media_type):
        return {"data": documents.parse(body)}
    if media_type.startswith("text/") or media_type.endswith("xml"):
        return {"data": body.decode("utf-8", "replace")}
    return {"data_base64": base64.b64encode(body).decode()}


def _decoded(name: str, value: str) -> str:
    """A header's value: unquoted, then percent-decoded once (section 3.1.3.2).

    Servers give the bytes of a header as Latin-1. Raises Malformed `bad_header`.
    """
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        if BAD_PERCENT.search(value):
            raise ValueError("a % is not followed by two hexadecimal digits")
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except ValueError as error:
        remedy = "write all but printable ASCII as percent-encoded UTF-8"
        raise Malformed("bad_header", f"Header {name} can't be decoded ({error}): {remedy}.") from None
