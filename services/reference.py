"""The page that tells an HTTP service's calls, drawn from its OpenAPI.

It stands where agents are signed in, so it is whole by itself: nothing comes from elsewhere, and no script runs.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

HERE = Path(__file__).parent
STYLE = (HERE / "reference.css").read_text()
HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{HASH}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def install(app: FastAPI) -> None:
    """Serve the page at `/docs`, in place of FastAPI's own, which run scripts of a third party's server."""
    drawn = cache(lambda: draw(app.openapi()))

    @app.get("/docs", include_in_schema=False)
    async def reference() -> HTMLResponse:
        return HTMLResponse(drawn(), headers=HEADERS)


def draw(document: Mapping[str, Any]) -> str:
    """An OpenAPI document as a page."""
    return TEMPLATES.get_template("reference.html").render(document, style=Markup(STYLE))


def kind(schema: Mapping[str, Any]) -> Markup:
    """What a value is, linked to the schemas that it is made of."""
    if "$ref" in schema:
        return Markup('<a href="#{0}">{0}</a>').format(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return Markup(", ").join(Markup("<code>{}</code>").format(one) for one in schema["enum"])
    if "anyOf" in schema:
        return Markup(" or ").join(kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return Markup("list of {}").format(kind(schema.get("items", {})))
    return escape(schema.get("format") or schema.get("const") or schema.get("type") or "anything")


def words(text: str) -> Markup:
    """Paragraphs, with `code`."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup("".join(f"<p>{one}</p>" for one in marked.split("\n\n")))


TEMPLATES = Environment(
    loader=FileSystemLoader(HERE),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters |= {"kind": kind, "words": words}
