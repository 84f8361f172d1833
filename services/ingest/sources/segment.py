"""Segment's tracking API, which RudderStack's clients speak too: their calls as events in our words. Pure.

Source: Segment's HTTP API and its specs of the six calls. What the context says of the machine (address, user
agent, campaign) is left out.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from schemas.codec import Malformed
from services.ingest.sources import trackers
from services.ingest.sources.fields import given, moment, part, text
from services.ingest.sources.tracked import track
from services.ingest.sources.vendor import Document, Post, Vendor

# The last part of an address, whole or as the browser's client shortens it, and the call it takes.
CALLS = ("track", "identify", "page", "screen", "group", "alias")
SINGLE = {name: call for call in CALLS for name in (call, call[0])}
MANY = ("batch", "import", "b")
BEACON = "/beacon/v1/batch"  # of RudderStack's client for browsers, by `useBeacon`
PATHS = (*(f"/v1/{name}" for name in (*MANY, *SINGLE)), BEACON)

MOBILE = re.compile(r"\b(ios|iphone|ipad|ipados|android|kotlin|swift|react-native|flutter|tvos|watchos)\b")


def keys(post: Post) -> Iterator[str]:
    """The key that a body carries, or a beacon's address, if any. Raises Malformed."""
    body = text(post.json, "writeKey") if isinstance(post.json, dict) else None
    yield from filter(None, (body, post.query_params.get("writeKey")))


def translate(post: Post) -> Iterator[Document | Malformed]:
    """The calls of a batch, or of an array of them, or the one whose name stands in it or at the address's end.

    Raises Malformed if the body as a whole is none of these.
    """
    body, name = post.json, SINGLE.get(post.path.rstrip("/").rpartition("/")[2])
    calls: Any
    if isinstance(body, list):  # what Segment's and RudderStack's webhooks post together
        calls, body = body, {}
    elif not isinstance(body, dict):
        raise Malformed("not_a_call", 'The body is no JSON object: send a call, or {"batch": [call, …]}.')
    elif name or ("batch" not in body and _kind(body)):
        calls = [body | given(type=name)]
    else:
        calls = body.get("batch")
    if not isinstance(calls, list):
        raise Malformed("not_a_batch", 'Field "batch" is no list: send {"batch": [call, …]}.')
    return trackers.each(calls, partial(_translated, body=body, received_at=post.received_at))


def _translated(call: Document, body: Document, received_at: datetime) -> Iterable[Document]:
    kind = _kind(call)
    if kind not in TRANSLATIONS:
        raise Malformed("unknown_call", f'Field "type" is {kind!r}: write one of {", ".join(CALLS)}.')
    traits = _traits(call, kind)
    account, device = text(call, "userId", "user_id"), text(call, "anonymousId", "anonymous_id")
    event = {
        "id": text(call, "messageId", "message_id") or trackers.content_id(call, _stated(call), received_at),
        "time": _occurred_at(call, body, received_at).isoformat(),
        "channel": "app" if kind == "screen" or _is_mobile(call) else "web",
        "author": trackers.author(traits),
        "identifiers": trackers.identifiers(account, traits, device),
        **given(language=trackers.language(text(part(call, "context"), "locale"))),
    }
    event |= TRANSLATIONS[kind](call)
    yield trackers.joined(event, text(call, "previousId", "previous_id")) if kind == "alias" else event


def _kind(call: Document) -> str:
    """Which call it is; one that does not say, and whose address did not, by what only that call has."""
    signs = {"event": "track", "previousId": "alias", "groupId": "group", "traits": "identify"}
    return text(call, "type", "action") or next((kind for field, kind in signs.items() if field in call), "")


def _track(call: Document) -> Document:
    who = text(call, "userId", "user_id") or text(_traits(call, "track"), "email")
    return track(text(call, "event", "name") or "event", part(call, "properties"), who)


def _identify(call: Document) -> Document:
    return {"type": "customer.identified", "data": {"traits": _traits(call, "identify")}}


def _page(call: Document) -> Document:
    properties = part(call, "properties")
    seen = part(part(call, "context"), "page") | properties
    name = text(call, "name") or text(properties, "name")
    return trackers.page(seen, "url", "title", "referrer", name, properties=properties)


def _screen(call: Document) -> Document:
    properties = part(call, "properties")
    name = text(call, "name") or text(properties, "name") or "screen"
    return {"type": "screen.viewed", "data": {"name": name, "properties": properties}}


def _group(call: Document) -> Document:
    return trackers.group("group", text(call, "groupId", "group_id"), part(call, "traits"))


TRANSLATIONS: dict[str, Callable[[Document], Document]] = {
    "track": _track, "identify": _identify, "page": _page, "screen": _screen, "group": _group, "alias": _identify,
}  # fmt: skip


def _traits(call: Document, kind: str) -> Document:
    """What is known of the customer: the call's own traits, save in `group`, where they are the group's."""
    return part(part(call, "context"), "traits") | ({} if kind == "group" else part(call, "traits"))


def _stated(call: Document) -> datetime | None:
    return moment(call, "originalTimestamp") or moment(call, "timestamp")


def _occurred_at(call: Document, body: Document, received_at: datetime) -> datetime:
    """A call with `receivedAt` was corrected by whoever passed it on: its `timestamp` stands."""
    if moment(call, "receivedAt"):
        return moment(call, "timestamp") or received_at
    return trackers.corrected(_stated(call), moment(call, "sentAt") or moment(body, "sentAt"), received_at)


def _is_mobile(call: Document) -> bool:
    context = part(call, "context")
    words = " ".join(text(part(context, place), "name") or "" for place in ("os", "library"))
    has_device = any(part(context, "device").values())
    return has_device or call.get("channel") == "mobile" or bool(MOBILE.search(words.lower()))


BECOMES = {
    "identify; alias": "customer.identified",
    "page": "page.viewed",
    "screen": "screen.viewed",
    "track": "app.event, with references to orders, invoices, subscriptions and cases",
    "track *Order Completed*; *Order Refunded*": "purchase.made; billing.updated",
    "track *Products Searched*; *Application Crashed*": "search.made; error.shown",
    "track *Live Chat …*": "chat.started, message.received, message.sent, chat.ended",
    "track *Email Delivered*": "message.sent, as from a mailing list; the other *Email …*: app.event by e-mail",
    "group": "app.event, with a reference to the group",
}
VENDORS = (
    Vendor(
        name="segment",
        title="Segment",
        channel="web",
        translate=translate,
        keys=keys,
        routes=dict.fromkeys(PATHS, "POST"),
        reference="https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/",
        setup=(
            "Give Segment's clients ingest's address as their host (`host`, in the browser `apiHost` with `/v1`), and "
            "the source's key as the write key. Or, beside Segment itself: Connections → Destinations → Webhooks "
            "(Actions), with `{url}?key=KEY` as the address."
        ),
        becomes=BECOMES,
    ),
    Vendor(
        name="rudderstack",
        title="RudderStack",
        channel="web",
        translate=translate,
        keys=keys,
        reference="https://www.rudderstack.com/docs/api/http-api/",
        setup=(
            "Give RudderStack's clients ingest's address as their data plane (`dataPlaneUrl`), and the source's key "
            "as the write key; they post to Segment's addresses. Or, beside RudderStack itself, as a Webhook "
            "destination with `{url}?key=KEY` as its address."
        ),
        becomes=BECOMES,
    ),
)
