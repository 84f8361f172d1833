"""Snowplow's tracker protocol: events that its trackers post together, or ask for one by one as an image. Pure.

Page pings and what else only counts seconds becomes nothing.
Source: Snowplow's tracker protocol, and the schemas in Iglu Central of what its trackers say of themselves.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial

from schemas.codec import Malformed
from services.errors import Problem
from services.ingest import documents
from services.ingest.sources import trackers
from services.ingest.sources.fields import given, items, moment, number, part, text
from services.ingest.sources.tracked import track
from services.ingest.sources.vendor import Document, Post, Reply, Vendor, in_json

PATHS = {"/com.snowplowanalytics.snowplow/tp2": "POST", "/i": "GET"}
APPS = frozenset({"mob", "app"})  # platforms that are no site's
GIF = base64.b64decode(b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # one transparent pixel


def keys(post: Post) -> Iterator[str]:
    """The source's key as the tracker's app id, for there is no other place for one. Raises Malformed."""
    for call in post.once(_calls)[:1]:
        if isinstance(call, dict):
            yield from filter(None, (text(call, "aid"), text(call, "tna")))


def translate(post: Post) -> Iterator[Document | Malformed]:
    """The events of a `payload_data`, or the one that the query is. Raises Malformed."""
    return trackers.each(post.once(_calls), partial(_translated, received_at=post.received_at))


def _calls(post: Post) -> list[object]:
    if post.method == "GET" or (not post.content and post.query):
        return [post.query_params]
    data = post.object.get("data")
    if not isinstance(data, list):
        raise Malformed(
            "not_a_payload", 'Field "data" is no list: send {"schema": "iglu:…/payload_data/…", "data": […]}.'
        )
    return data


def _translated(call: Document, received_at: datetime) -> Iterable[Document]:
    kind = text(call, "e") or ""
    if kind not in MEANINGS:
        raise Malformed("unknown_event", f'Field "e" is {kind!r}: it is one of {", ".join(MEANINGS)}.')
    contexts = _contexts(call)
    known = MEANINGS[kind](call, contexts)
    if not known:
        return
    person = contexts.get("user", {})
    account = text(call, "uid") or text(person, "id", "user_id")
    # The tracker's own cookie; or the collector's, which is not so sure; or an app's installation.
    device = text(call, "duid") or text(contexts.get("client_session", {}), "userId") or text(call, "tnuid", "nuid")
    stated = moment(call, "ttm") or moment(call, "dtm")
    sent_at = None if moment(call, "ttm") else moment(call, "stm")  # the true time is right by itself
    yield {
        "id": text(call, "eid") or trackers.content_id(call, stated, received_at),
        "time": trackers.corrected(stated, sent_at, received_at).isoformat(),
        "channel": "app" if text(call, "p") in APPS or known["type"] == "screen.viewed" else "web",
        "author": trackers.author(person),
        "identifiers": trackers.identifiers(account, person, device),
        **given(language=trackers.language(text(call, "lang"))),
    } | known


def _contexts(call: Document) -> dict[str, Document]:
    """What is told beside the event, by the name of its schema, the first of each."""
    found: dict[str, Document] = {}
    for one in items(_json(call, "cx", "co"), "data"):
        found.setdefault(_name(one), part(one, "data"))
    return found


def _json(call: Document, packed: str, plain: str) -> Document:
    """A field's JSON: packed as base64 for addresses, or plain. Raises Malformed."""
    parsed: object = call.get(plain)
    if raw := text(call, packed):
        try:
            # What is not of the alphabet is left out, as the collector does; trackers leave out the padding.
            parsed = documents.parse(base64.b64decode(raw.rstrip("=") + "==", b"-_"))
        except (binascii.Error, ValueError):
            raise Malformed("not_base64", f'Field "{packed}" is not base64 for addresses.') from None
    elif isinstance(parsed, str):
        parsed = documents.parse(parsed.encode(errors="replace"))
    parsed = documents.shallow(parsed, trackers.DEEPEST)
    if isinstance(parsed, Malformed):
        raise parsed
    return parsed if isinstance(parsed, dict) else {}


def _name(described: Document) -> str:
    """`submit_form` of `iglu:com.snowplowanalytics.snowplow/submit_form/jsonschema/1-0-0`."""
    parts = (text(described, "schema") or "").split("/")
    return parts[1] if len(parts) > 1 else ""


def _page(call: Document, contexts: dict[str, Document]) -> Document:
    return trackers.page(call, "url", "page", "refr")


def _structured(call: Document, contexts: dict[str, Document]) -> Document:
    names = {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"}
    properties = {name: value for field, name in names.items() if (value := text(call, field))}
    return track(text(call, "se_ac") or "event", properties)


def _described(call: Document, contexts: dict[str, Document]) -> Document:
    """An event by its schema; what it is called is the schema's name."""
    event = part(_json(call, "ue_px", "ue_pr"), "data")
    name, data = _name(event), part(event, "data")
    if name in SILENT:
        return {}
    meaning = DESCRIBED.get(name)
    known = meaning(data, contexts) if meaning else {}
    return known or track(name or "event", data)


def _transaction(call: Document, contexts: dict[str, Document]) -> Document:
    """An order; its items, which come as events of their own (`ti`), are left out."""
    return track(
        "Order Completed", given(order_id=text(call, "tr_id"), total=text(call, "tr_tt"), currency=text(call, "tr_cu"))
    )


def _nothing(call: Document, contexts: dict[str, Document]) -> Document:
    return {}


MEANINGS: dict[str, Callable[[Document, dict[str, Document]], Document]] = {
    "pv": _page, "ue": _described, "se": _structured, "tr": _transaction, "pp": _nothing, "ti": _nothing,
    "ad": _nothing,
}  # fmt: skip


def _screen(data: Document, contexts: dict[str, Document]) -> Document:
    return {"type": "screen.viewed", "data": {"name": text(data, "name", "screenName") or "screen", "properties": data}}


def _form(data: Document, contexts: dict[str, Document]) -> Document:
    fields = {text(one, "name") or "": one.get("value") for one in items(data, "elements")}
    return {"type": "form.submitted", "data": given(form=text(data, "formId"), fields=fields)}


def _search(data: Document, contexts: dict[str, Document]) -> Document:
    terms, found = data.get("terms"), number(data, "totalResults")
    query = " ".join(str(one) for one in terms) if isinstance(terms, list) else text(data, "terms", "query")
    if not query:
        return {}
    return {"type": "search.made", "data": {"query": query, **given(results=_count(found))}}


def _count(found: float | None) -> int | None:
    return int(found) if found is not None and found >= 0 else None


def _failure(data: Document, contexts: dict[str, Document]) -> Document:
    code = text(data, "exceptionName", "programmingLanguage")
    return {"type": "error.shown", "data": given(message=text(data, "message"), code=code)}


def _commerce(data: Document, contexts: dict[str, Document]) -> Document:
    """A transaction or a refund, whose figures stand beside it; all else is what somebody did in the shop."""
    told = {name: contexts.get(name, {}) for name in ("transaction", "refund")}
    names = {"transaction": ("Order Completed", "revenue"), "refund": ("Order Refunded", "refund_amount")}
    name, amount = names.get(text(data, "type") or "", ("", ""))
    said = told.get(text(data, "type") or "", {})
    if not name:
        return track(text(data, "type") or "event", data)
    order = given(order_id=text(said, "transaction_id"), total=text(said, amount), currency=text(said, "currency"))
    return track(name, order)


DESCRIBED: dict[str, Callable[[Document, dict[str, Document]], Document]] = {
    "screen_view": _screen, "submit_form": _form, "site_search": _search, "application_error": _failure,
    "snowplow_ecommerce_action": _commerce,
}  # fmt: skip
SILENT = frozenset({
    "page_ping", "web_vitals", "performance_timing", "focus_form", "change_form", "screen_end", "screen_summary",
    "application_foreground", "application_background", "ad_impression", "cmp_visible", "list_item_view",
})  # fmt: skip


def answer(post: Post, problem: Problem | None) -> Reply:
    """A pixel to who asked for one, `ok` to who posted, as Snowplow's collector does; refusals in JSON."""
    if problem:
        return in_json(problem.body)
    return Reply(GIF, "image/gif") if post.method == "GET" else Reply(b"ok")


VENDORS = (
    Vendor(
        name="snowplow",
        title="Snowplow",
        channel="web",
        translate=translate,
        keys=keys,
        answer=answer,
        routes=PATHS,
        methods="GET POST",
        reference="https://docs.snowplow.io/docs/fundamentals/canonical-event/understanding-the-snowplow-tracker-protocol/",
        setup=(
            "Give Snowplow's trackers ingest's address as their collector (`endpoint`), and the source's key as the "
            "app id (`appId`), for they send no other key. In the browser also `withCredentials: false`."
        ),
        becomes={
            "page view; screen_view": "page.viewed; screen.viewed",
            "submit_form; site_search; application_error": "form.submitted; search.made; error.shown",
            "transaction, as an event or an e-commerce action; refund": "purchase.made; billing.updated",
            "structured and self-describing events": "app.event, by the action's or the schema's name",
        },
    ),
)
