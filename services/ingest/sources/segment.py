"""Segment's tracking API, which RudderStack's clients speak too: their calls as events in our words. Pure.

Source: Segment's HTTP API and its specs of the six calls. What the context says of the machine (address, user
agent, campaign) is left out.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from schemas.codec import Malformed
from services.ingest.documents import shallow
from services.ingest.sources.fields import given, moment, part, text
from services.ingest.sources.tracked import track

Document = dict[str, Any]

# The last part of an address, whole or as the browser's client shortens it, and the call it takes.
CALLS = ("track", "identify", "page", "screen", "group", "alias")
SINGLE = {name: call for call in CALLS for name in (call, call[0])}
MANY = ("batch", "import", "b")
PATHS = tuple(f"/v1/{name}" for name in (*MANY, *SINGLE))

MOBILE = re.compile(r"\b(ios|iphone|ipad|ipados|android|kotlin|swift|react-native|flutter|tvos|watchos)\b")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def write_keys(body: Any) -> Iterator[str]:
    """The key that a body carries, if any."""
    key = text(body, "writeKey") if isinstance(body, dict) else None
    if key:
        yield key


def translate(path: str, body: Any, received_at: datetime, depth: int) -> Iterator[Document | Malformed]:
    """A request's calls as documents for `schemas.codec.from_wire`; what can't be taken as its Malformed.

    `path` is one of PATHS, `depth` is how many levels a call may nest. Raises Malformed if the body as a
    whole is no call and no batch of them.
    """
    name = path.rpartition("/")[2]
    if not isinstance(body, dict):
        raise Malformed("not_a_call", 'The body is no JSON object: send a call, or {"batch": [call, …]}.')
    calls = [body | {"type": SINGLE[name]}] if name in SINGLE else body.get("batch")
    if not isinstance(calls, list):
        raise Malformed("not_a_batch", 'Field "batch" is no list: send {"batch": [call, …]}.')
    return (_translated(shallow(call, depth), body, received_at) for call in calls)


def _translated(call: Any, body: Document, received_at: datetime) -> Document | Malformed:
    if isinstance(call, Malformed):
        return call
    if not isinstance(call, dict):
        return Malformed("not_a_call", "The call is no JSON object.")
    kind = text(call, "type", "action") or ""
    if kind not in TRANSLATIONS:
        return Malformed("unknown_call", f'Field "type" is {kind!r}: write one of {", ".join(CALLS)}.')
    traits = _traits(call, kind)
    document = {
        "id": text(call, "messageId", "message_id") or _content_id(call),
        "time": _occurred_at(call, body, received_at).isoformat(),
        "channel": "app" if kind == "screen" or _is_mobile(call) else "web",
        "author": {"role": "customer"} | given(name=_name(traits)),
        "identifiers": _identifiers(call, traits),
        **given(language=_language(call)),
    }
    return document | TRANSLATIONS[kind](call)


def _identify(call: Document) -> Document:
    return {"type": "customer.identified", "data": {"traits": _traits(call, "identify")}}


def _alias(call: Document) -> Document:
    """`previousId` is the same customer. Some clients alias an id to itself, which joins nothing."""
    account, previous = text(call, "userId", "user_id"), text(call, "previousId", "previous_id")
    identifiers = _identifiers(call, _traits(call, "alias"))
    data: Document = {"traits": _traits(call, "alias")}
    if previous and previous != account:
        data["previous"] = {"type": "email" if MAIL.fullmatch(previous) else "device", "value": previous}
        identifiers = [*(one for one in identifiers if one != data["previous"]), data["previous"]]
    return {"type": "customer.identified", "identifiers": identifiers, "data": data}


def _page(call: Document) -> Document:
    properties = part(call, "properties")
    seen = part(part(call, "context"), "page") | properties
    fields = {field: text(seen, field) for field in ("url", "title", "referrer")}
    name = text(call, "name") or text(properties, "name")
    return {"type": "page.viewed", "data": given(**fields, name=name, properties=properties)}


def _screen(call: Document) -> Document:
    properties = part(call, "properties")
    name = text(call, "name") or text(properties, "name") or "screen"
    return {"type": "screen.viewed", "data": {"name": name, "properties": properties}}


def _group(call: Document) -> Document:
    group = text(call, "groupId", "group_id")
    references = [{"type": "group", "value": group}] if group else []
    data = {"name": "group", "properties": part(call, "traits")}
    return {"type": "app.event", "references": references, "data": data}


TRANSLATIONS: dict[str, Callable[[Document], Document]] = {
    "track": track, "identify": _identify, "page": _page, "screen": _screen, "group": _group, "alias": _alias,
}  # fmt: skip


def _traits(call: Document, kind: str) -> Document:
    """What is known of the customer: the call's own traits, save in `group`, where they are the group's."""
    return part(part(call, "context"), "traits") | ({} if kind == "group" else part(call, "traits"))


def _identifiers(call: Document, traits: Document) -> list[Document]:
    account, mail = text(call, "userId", "user_id"), text(traits, "email")
    found = [
        ("account", account),
        ("email", account if account and MAIL.fullmatch(account) else None),
        ("email", mail),
        ("phone", text(traits, "phone")),
        ("device", text(call, "anonymousId", "anonymous_id")),
    ]
    return [{"type": type, "value": value} for type, value in dict.fromkeys(found) if value]


def _occurred_at(call: Document, body: Document, received_at: datetime) -> datetime:
    """When it happened by a right clock: `sentAt` is what the sender's said when it posted.

    A call with `receivedAt` was corrected by whoever passed it on: its `timestamp` stands. The skew is taken
    in whole seconds, so that the network's delay moves nothing and a retry says the same time.
    """
    if moment(call, "receivedAt"):
        return moment(call, "timestamp") or received_at
    stated = moment(call, "originalTimestamp") or moment(call, "timestamp")
    sent_at = moment(call, "sentAt") or moment(body, "sentAt")
    if stated is None or sent_at is None:
        return stated or received_at
    try:
        return stated + timedelta(seconds=round((received_at - sent_at).total_seconds()))
    except OverflowError:
        return received_at


def _content_id(call: Document) -> str:
    """An id for a call without `messageId`: of its content, so that it is the same on every retry."""
    content = {field: value for field, value in call.items() if field not in ("sentAt", "writeKey")}
    return "content-" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:40]


def _is_mobile(call: Document) -> bool:
    context = part(call, "context")
    words = " ".join(text(part(context, place), "name") or "" for place in ("os", "library"))
    has_device = any(part(context, "device").values())
    return has_device or call.get("channel") == "mobile" or bool(MOBILE.search(words.lower()))


def _name(traits: Document) -> str | None:
    first, last = text(traits, "firstName", "first_name"), text(traits, "lastName", "last_name")
    name = text(traits, "name") or " ".join(word for word in (first, last) if word)
    return name[:512] or None


def _language(call: Document) -> str | None:
    locale = (text(part(call, "context"), "locale") or "").replace("_", "-")
    return locale if LANGUAGE.fullmatch(locale) else None
