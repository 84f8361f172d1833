"""From templates to pages: what every template can use, and the headers that every page has."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import phonenumbers
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from schemas.event import Verification
from services.access import Caller
from services.api.answers import KnownIdentifier
from services.api.pages.files import address
from services.api.phrases import changed, lasting, percent
from services.api.summaries import KINDS
from services.identifiers import WEAKEST, rank

HEADERS = {
    # Everything from here and nothing inline: what a customer wrote can't become code.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
CHANNELS = {"email": "Mail", "sms": "Text messages", "social": "Social media", "other": "Notices"}
SURENESS = {
    Verification.verified: "The channel attests that it is theirs",
    Verification.claimed: "They said so; nobody checked",
    Verification.observed: "Seen in passing",
}


def page(name: str, caller: Caller | None = None, status: int = 200, **context: Any) -> HTMLResponse:
    """A template as an answer. `caller` is who is signed in."""
    html = TEMPLATES.get_template(name).render(caller=caller, **context)
    return HTMLResponse(html, status, HEADERS)


def moment(at: datetime, after: datetime | None = None) -> Markup:
    """A time to read, in UTC; on the same day as `after` only the hour. The reader's browser makes it local."""
    at = at.astimezone(UTC)
    year = "" if at.year == datetime.now(UTC).year else f" {at.year}"
    is_same_day = after and after.astimezone(UTC).date() == at.date()
    words = f"{at:%H:%M}" if is_same_day else f"{at.day} {at:%b}{year}, {at:%H:%M}"
    since = Markup(' data-after="{}"').format(after.isoformat()) if after else ""
    return Markup('<time datetime="{}"{}>{}</time>').format(at.isoformat(), since, words)


def handle(identifier: KnownIdentifier) -> str:
    """An identifier as people write it."""
    if identifier.type != "phone":
        return identifier.value
    try:
        number = phonenumbers.parse(identifier.value)
    except phonenumbers.NumberParseException:
        return identifier.value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def handles(identifiers: Iterable[KnownIdentifier]) -> list[KnownIdentifier]:
    """The identifiers by which a person can be reached or named, strongest first."""
    return sorted((one for one in identifiers if one.type not in WEAKEST), key=lambda one: rank(one.type))


def devices(identifiers: Iterable[KnownIdentifier]) -> list[KnownIdentifier]:
    """The browsers and apps they came with."""
    return [one for one in identifiers if one.type == "device"]


def channel(name: str) -> str:
    """A channel as people say it."""
    return CHANNELS.get(name, name.replace("_", " ").capitalize())


def dealing(channel: str) -> str:
    """One dealing on a channel as people say it."""
    return KINDS.get(channel, "contact").lower()


TEMPLATES = Environment(
    loader=PackageLoader("services.api.pages"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
TEMPLATES.globals |= {"static": address, "changed": changed}
TEMPLATES.filters |= {
    "moment": moment,
    "handle": handle,
    "handles": handles,
    "devices": devices,
    "channel": channel,
    "dealing": dealing,
    "percent": percent,
    "lasting": lasting,
    "sureness": SURENESS.__getitem__,
}
