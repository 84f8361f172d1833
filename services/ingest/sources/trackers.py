"""What trackers of web and app say alike: who it is, when it was by a right clock, which call it is. Pure."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources.fields import given, text
from services.ingest.sources.post import Document

DEEPEST = 64  # levels that a call is looked into; ingest's own limit comes later
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def each(calls: Iterable[Any], translate: Callable[[Document], Iterable[Document]]) -> Iterator[Document | Malformed]:
    """What becomes of each call; what is none is there as its Malformed, so that the others go on."""
    for given_call in calls:
        call = documents.shallow(given_call, DEEPEST)
        if isinstance(call, Malformed):
            yield call
        elif not isinstance(call, dict):
            yield Malformed("not_a_call", "The call is no JSON object.")
        else:
            try:
                yield from translate(call)
            except Malformed as refused:
                yield refused


def identifiers(account: str | None, traits: Document, *devices: str | None) -> list[Document]:
    """Whom a call names: an account, which may be a mail address too; traits of that person; devices."""
    found = [
        ("account", account),
        ("email", account if account and MAIL.fullmatch(account) else None),
        ("email", text(traits, "email", "$email")),
        ("phone", text(traits, "phone", "$phone", "phone_number")),
        *(("device", device) for device in devices),
    ]
    return [{"type": type, "value": value} for type, value in dict.fromkeys(found) if value]


def joined(event: Document, previous: str | None) -> Document:
    """An event that identifies somebody, with the id they had before, which is a mail address or a device's.

    Some clients say that an id was itself before, which joins nothing.
    """
    if not previous or any(one["value"] == previous and one["type"] == "account" for one in event["identifiers"]):
        return event
    before = {"type": "email" if MAIL.fullmatch(previous) else "device", "value": previous}
    others = [one for one in event["identifiers"] if one != before]
    return event | {"identifiers": [*others, before], "data": event["data"] | {"previous": before}}


def author(traits: Document) -> Document:
    """The customer, by the name that their traits tell."""
    first, last = text(traits, "firstName", "first_name"), text(traits, "lastName", "last_name")
    name = text(traits, "name", "$name") or " ".join(word for word in (first, last) if word)
    return {"role": "customer"} | given(name=name[:512] or None)


def language(locale: str | None) -> str | None:
    """`et_EE` as `et-EE`; what names no language is none."""
    locale = (locale or "").replace("_", "-")
    return locale if LANGUAGE.fullmatch(locale) else None


def corrected(stated: datetime | None, sent_at: datetime | None, received_at: datetime) -> datetime:
    """When it happened by a right clock: `sent_at` is what the sender's said when it posted.

    The skew is taken in whole seconds, so that the network's delay moves nothing and a retry says the same time.
    """
    if stated is None or sent_at is None:
        return stated or received_at
    try:
        return stated + timedelta(seconds=round((received_at - sent_at).total_seconds()))
    except OverflowError:
        return received_at


def content_id(call: Document, stated: datetime | None, received_at: datetime) -> str:
    """An id for a call that has none: of its content, so that it is the same on every retry.

    A call that doesn't say when it was is another an hour later: else the second visit to a page would be lost.
    """
    content = json.dumps({name: value for name, value in call.items() if name not in VARYING}, sort_keys=True)
    hour = "" if stated else received_at.astimezone(UTC).strftime("%Y-%m-%dT%H")
    return "content-" + hashlib.sha256((content + hour).encode()).hexdigest()[:40]


VARYING = frozenset({"sentAt", "sent_at", "stm", "writeKey", "api_key", "token"})  # between a call and its retry


def page(seen: Document, url: str, title: str, referrer: str, name: str | None = None, **data: Any) -> Document:
    """A page that was seen, by the names that its address, title and referrer go by."""
    fields = {"url": text(seen, url), "title": text(seen, title), "referrer": text(seen, referrer)}
    return {"type": "page.viewed", "data": given(**fields, name=name, **data)}


def group(type: str, key: str | None, properties: Document) -> Document:
    """What is told of a company or another group that customers are in; its traits are not the customer's."""
    references = [{"type": type, "value": key}] if key else []
    return {"type": "app.event", "references": references, "data": {"name": "group", "properties": properties}}
