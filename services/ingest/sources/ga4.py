"""Google Analytics 4's Measurement Protocol: what servers and shops post beside the tag on the page. Pure.

What Google Analytics counts for itself (sessions, scrolling, seconds) becomes nothing.
Source: Google's reference of the protocol and of the recommended events.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial

from schemas.codec import Malformed
from services.ingest.sources import trackers
from services.ingest.sources.fields import given, items, part, text
from services.ingest.sources.tracked import track
from services.ingest.sources.vendor import Document, Post, Vendor

PATHS = ("/mp/collect", "/debug/mp/collect")
SILENT = frozenset({
    "session_start", "first_visit", "first_open", "user_engagement", "scroll", "click", "form_start", "view_promotion",
    "view_item_list", "ad_impression", "screen_engagement",
})  # fmt: skip


def keys(post: Post) -> Iterator[str]:
    """The source's key as the API secret."""
    yield from filter(None, (post.query_params.get("api_secret"),))


def translate(post: Post) -> Iterator[Document | Malformed]:
    """The events of a body. Raises Malformed."""
    body = post.object
    events = body.get("events")
    if not isinstance(events, list):
        raise Malformed("not_a_payload", 'Field "events" is no list: send {"client_id": …, "events": [{"name": …}]}.')
    return trackers.each(_placed(events), partial(_translated, body=body, post=post))


def _placed(events: list[object]) -> Iterator[object]:
    """Events with their place, by which those that say the same are told apart."""
    for place, event in enumerate(events):
        yield event | {"place": place} if isinstance(event, dict) else event


def _translated(call: Document, body: Document, post: Post) -> Iterable[Document]:
    name, properties = text(call, "name"), part(call, "params")
    if not name:
        raise Malformed("not_an_event", 'Field "name" is missing: it is the name of what happened.')
    if name in SILENT:
        return
    traits = {
        field: text(one, "value") for field, one in part(body, "user_properties").items() if isinstance(one, dict)
    }
    stated = _moment(call) or _moment(body)
    device, is_app = text(body, "client_id"), bool(text(body, "app_instance_id"))
    known = {
        "id": _id(call, body, stated, post.received_at),
        "time": (stated or post.received_at).isoformat(),
        "channel": "app" if is_app else "web",
        "author": trackers.author(traits),
        "identifiers": trackers.identifiers(text(body, "user_id"), traits, device, text(body, "app_instance_id")),
        **given(language=trackers.language(text(properties, "language"))),
    }
    meaning = MEANINGS.get(name)
    yield known | ((meaning(properties) if meaning else {}) or track(name, properties))


def _id(call: Document, body: Document, stated: datetime | None, received_at: datetime) -> str:
    """The protocol has no ids: an order's or what was said of whom."""
    order = text(part(call, "params"), "transaction_id")
    if order and text(call, "name") in ("purchase", "refund"):
        call = {"name": call["name"], "order": order, "value": part(call, "params").get("value")}
        return trackers.content_id(call, received_at, received_at)
    who = {field: text(body, field) for field in ("client_id", "app_instance_id", "user_id", "timestamp_micros")}
    return trackers.content_id(call | {"who": who}, stated, received_at)


def _moment(document: Document) -> datetime | None:
    """Unix time in microseconds."""
    try:
        return datetime.fromtimestamp(float(text(document, "timestamp_micros") or "") / 1e6, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _page(properties: Document) -> Document:
    return trackers.page(properties, "page_location", "page_title", "page_referrer", properties=properties)


def _screen(properties: Document) -> Document:
    name = text(properties, "screen_name", "firebase_screen", "screen_class", "firebase_screen_class") or "screen"
    return {"type": "screen.viewed", "data": {"name": name, "properties": properties}}


def _order(name: str) -> Callable[[Document], Document]:
    def meaning(properties: Document) -> Document:
        named = given(order_id=text(properties, "transaction_id"), products=items(properties, "items") or None)
        return track(name, properties | named)

    return meaning


def _search(properties: Document) -> Document:
    query = text(properties, "search_term")
    return {"type": "search.made", "data": {"query": query}} if query else {}


def _form(properties: Document) -> Document:
    form, url = text(properties, "form_name", "form_id"), text(properties, "form_destination", "page_location")
    return {"type": "form.submitted", "data": given(form=form, url=url)}


def _failure(properties: Document) -> Document:
    data = given(message=text(properties, "description"), url=text(properties, "page_location"))
    return {"type": "error.shown", "data": data}


MEANINGS: dict[str, Callable[[Document], Document]] = {
    "page_view": _page, "screen_view": _screen,
    "purchase": _order("Order Completed"), "refund": _order("Order Refunded"),
    "search": _search, "view_search_results": _search, "form_submit": _form, "exception": _failure,
    "app_exception": _failure,
}  # fmt: skip


VENDORS = (
    Vendor(
        name="ga4",
        title="Google Analytics 4 (Measurement Protocol)",
        channel="web",
        translate=translate,
        keys=keys,
        routes=dict.fromkeys(PATHS, "POST"),
        reference="https://developers.google.com/analytics/devguides/collection/protocol/ga4/reference",
        setup=(
            "Post what goes to `https://www.google-analytics.com/mp/collect` to ingest's `/mp/collect` as well, with "
            "the source's key as `api_secret`; any `measurement_id` will do. The tag on pages (`gtag.js`) speaks "
            "another protocol, which is not read."
        ),
        becomes={
            "page_view; screen_view": "page.viewed; screen.viewed",
            "purchase; refund": "purchase.made; billing.updated",
            "search, view_search_results": "search.made",
            "form_submit; exception": "form.submitted; error.shown",
            "events of your own": "app.event",
        },
    ),
)
