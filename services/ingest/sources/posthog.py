"""PostHog's capture API: what its clients post from pages, apps and servers. Pure.

What PostHog's own client notes for statistics (clicks, leaving a page, flags, replays) becomes nothing.
Source: PostHog's capture API, and its clients, which compress bodies in ways of their own.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import trackers
from services.ingest.sources.fields import given, items, moment, number, part, text
from services.ingest.sources.tracked import track
from services.ingest.sources.vendor import Document, Post, Vendor

PATHS = ("/batch", "/capture", "/track", "/engage", "/e", "/i/v0/e", "/i/v0/capture", "/i/v0/batch")
GZIP = b"\x1f\x8b"
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
# Ids that clients make up for visitors who have not signed in: UUIDs of version 7, the older form, words that say so.
MADE_UP = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|"
    r"[0-9a-f]{13,16}-[0-9a-f]{12,16}-[0-9a-f]{7,10}-[0-9a-f]{4,8}-[0-9a-f]{12,16}|"
    r"(anon|anonymous|guest|visitor|device)[-_:.].+",
    re.IGNORECASE,
)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
NOBODY = frozenset({"$posthog_cookieless", "[object object]", "distinct_id", "distinctid", "not_authenticated", "id"})
MOBILE = re.compile(r"ios|android|react-native|flutter", re.IGNORECASE)


def keys(post: Post) -> Iterator[str]:
    """The project's key, wherever a client has it. Raises Malformed."""
    body = post.once(_body)
    first = next(iter(body), {}) if isinstance(body, list) else body
    if isinstance(first, dict):
        for place in (first, part(first, "properties"), *items(first, "batch")[:1]):
            yield from filter(None, (text(place, name) for name in ("api_key", "token", "$token")))
            yield from filter(None, (text(part(place, "properties"), "token"),))


def translate(post: Post) -> Iterator[Document | Malformed]:
    """The events of a batch, of an array, or the one that is the body. Raises Malformed."""
    body = post.once(_body)
    calls, shared = (body, {}) if isinstance(body, list) else (None, body)
    if calls is None:
        if not isinstance(body, dict) or not ("batch" in body or "event" in body or "$set" in body):
            raise Malformed("not_an_event", "The body is no event of PostHog's, and no batch of them.")
        calls = body.get("batch", [body])
    if not isinstance(calls, list):
        raise Malformed("not_a_batch", 'Field "batch" is no list: send {"api_key": …, "batch": [event, …]}.')
    sent_at = moment(shared, "sent_at") or moment(post.query_params, "_")
    if shared.get("historical_migration") is True:
        sent_at = None
    return trackers.each(calls, partial(_translated, sent_at=sent_at, received_at=post.received_at))


def _body(post: Post) -> Any:
    """The body's JSON, out of a form or an address, base64 and gzip, as it was wrapped. Raises Malformed."""
    raw, query = post.content, post.query_params
    if query.get("compression") == "lz64":
        raise Malformed("unknown_compression", "lz64 is not read: update the client, which then takes gzip.")
    if post.method == "GET" or (not raw and "data" in query):
        raw = query.get("data", "").encode()
    elif raw[:5] == b"data=" or post.headers.get("content-type", "").startswith("multipart/"):
        raw = post.values.get("data", "").encode()
    for _ in range(4):
        if raw[:2] == GZIP:
            raw = _inflated(raw, post.most)
        elif packed := _unpacked(raw):
            raw = packed
        else:
            break
    return documents.parse(raw)


def _unpacked(raw: bytes) -> bytes | None:
    """What base64 stands for, if it is that; a form has made spaces of its plus signs."""
    if raw[:1] in (b"{", b"["):
        return None
    packed = raw.strip().replace(b" ", b"+")
    if not BASE64.fullmatch(packed):
        return None
    try:
        return base64.b64decode(
            packed.rstrip(b"=") + b"=" * (-len(packed.rstrip(b"=")) % 4), b"-_" if _is_url(packed) else None
        )
    except binascii.Error:
        return None


def _is_url(packed: bytes) -> bool:
    return b"-" in packed or b"_" in packed


def _inflated(raw: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(31)
    try:
        inflated = inflater.decompress(raw, most)
    except zlib.error as error:
        raise Malformed("bad_compression", f"The body can't be inflated: {error}.") from None
    if not inflater.eof:
        raise Malformed("bad_compression", f"The body ends too early, or has more than {most} bytes inflated.")
    return inflated


def _translated(call: Document, sent_at: datetime | None, received_at: datetime) -> Iterable[Document]:
    name, properties = text(call, "event") or ("$set" if "$set" in call else ""), part(call, "properties")
    known = MEANINGS.get(name)
    if not name:
        raise Malformed("not_an_event", 'Field "event" is missing: it is the name of what happened.')
    if known is None and name.startswith("$"):
        return
    who = text(call, "distinct_id") or text(properties, "distinct_id", "$distinct_id")
    traits = _traits(call, properties)
    identifiers = [] if _is_groups_own(name, who, properties) else _identifiers(who, traits, properties)
    at = _occurred_at(call, properties, sent_at, received_at)
    mobile = MOBILE.search(text(properties, "$lib") or "") or name == "$screen"
    event = {
        "id": text(call, "uuid")
        or text(properties, "$insert_id")
        or trackers.content_id(call, _stated(call), received_at),
        "time": at.isoformat(),
        "channel": "app" if mobile else "web",
        "author": trackers.author(traits),
        "identifiers": identifiers,
        **given(language=trackers.language(text(properties, "$browser_language", "$locale"))),
    }
    event |= known(call, properties) if known else track(name, _own(properties))
    yield _aliased(event, who, properties) if name in ALIASES else event


def _aliased(event: Document, who: str | None, properties: Document) -> Document:
    """Two ids of one customer. Which of them is the account depends on the client: the one that none made up."""
    alias = text(properties, "alias")
    if who and alias and MADE_UP.fullmatch(who) and not MADE_UP.fullmatch(alias):
        who, alias = alias, who
    return trackers.joined(event | {"identifiers": trackers.identifiers(who, {})}, alias)


def _identifiers(who: str | None, traits: Document, properties: Document) -> list[Document]:
    device, before = text(properties, "$device_id"), text(properties, "$anon_distinct_id")
    if not who or who.lower() in NOBODY:
        return trackers.identifiers(None, traits, device, before)
    is_unknown = properties.get("$is_identified") is False or properties.get("$process_person_profile") is False
    if who == device or is_unknown or MADE_UP.fullmatch(who):
        return trackers.identifiers(None, traits, who, device, before)
    return trackers.identifiers(who, traits, device, before)


def _is_groups_own(name: str, who: str | None, properties: Document) -> bool:
    """Whether an id stands for a group alone: servers' clients make one of its name, or one out of nothing."""
    if name != "$groupidentify" or not who:
        return False
    type, key = text(properties, "$group_type"), text(properties, "$group_key")
    is_server = properties.get("$is_server") is True or bool(
        re.search("python|node|go|php", text(properties, "$lib") or "")
    )
    return who.lstrip("$") == f"{type}_{key}" or (is_server and bool(UUID.fullmatch(who)))


def _traits(call: Document, properties: Document) -> Document:
    """What is known of the person; what was said first and may be old gives way."""
    places = [part(place, name) for name in ("$set_once", "$set") for place in (properties, call)]
    return {name: value for place in places for name, value in place.items()}


def _own(properties: Document) -> Document:
    """The properties that somebody chose; those with $ are the client's."""
    return {
        name: value for name, value in properties.items() if name[:1] != "$" and name not in ("token", "distinct_id")
    }


def _stated(call: Document) -> datetime | None:
    return moment(call, "timestamp")


def _occurred_at(call: Document, properties: Document, sent_at: datetime | None, received_at: datetime) -> datetime:
    """`offset` is how many milliseconds ago it was when the client posted."""
    offset = number(call, "offset")
    if _stated(call) is None and offset is not None and 0 <= offset < 1e12:
        return received_at - timedelta(milliseconds=offset)
    return trackers.corrected(_stated(call), sent_at, received_at)


def _identify(call: Document, properties: Document) -> Document:
    return {"type": "customer.identified", "data": {"traits": _traits(call, properties)}}


def _page(call: Document, properties: Document) -> Document:
    seen = {"title": text(properties, "title", "$title")} | properties
    return trackers.page(seen, "$current_url", "title", "$referrer", properties=_own(properties))


def _screen(call: Document, properties: Document) -> Document:
    name = text(properties, "$screen_name") or "screen"
    return {"type": "screen.viewed", "data": {"name": name, "properties": _own(properties)}}


def _group(call: Document, properties: Document) -> Document:
    type = re.sub(r"[^a-z0-9_]", "_", (text(properties, "$group_type") or "").lower())
    known = type if re.fullmatch(r"[a-z][a-z0-9_]{0,31}", type) else "group"
    return trackers.group(known, text(properties, "$group_key"), part(properties, "$group_set"))


def _failure(call: Document, properties: Document) -> Document:
    first = next(iter(items(properties, "$exception_list")), {})
    message = text(properties, "$exception_message") or text(first, "value", "type")
    code = text(properties, "$exception_type") or text(first, "type")
    data = given(message=message, code=code, url=text(properties, "$current_url"))
    return {"type": "error.shown", "data": data}


def _survey(call: Document, properties: Document) -> Document:
    """What somebody answered; a survey does not say what its numbers mean."""
    answers = [text(properties, name) for name in sorted(properties) if name.startswith("$survey_response")]
    words = "\n".join(dict.fromkeys(answer for answer in answers if answer))
    survey = {"survey": text(properties, "$survey_name", "$survey_id")}
    return {"type": "app.event", "data": {"name": "survey sent", "properties": survey}} | given(text=words or None)


def _rage(call: Document, properties: Document) -> Document:
    url = given(url=text(properties, "$current_url"))
    return {"type": "app.event", "data": {"name": "rage click", "properties": url}}


ALIASES = ("$create_alias", "$merge_dangerously")
MEANINGS: dict[str, Callable[[Document, Document], Document]] = {
    "$identify": _identify, "$set": _identify, **dict.fromkeys(ALIASES, _identify), "$pageview": _page,
    "$screen": _screen, "$groupidentify": _group, "$exception": _failure, "$rageclick": _rage, "survey sent": _survey,
}  # fmt: skip


VENDORS = (
    Vendor(
        name="posthog",
        title="PostHog",
        channel="web",
        translate=translate,
        keys=keys,
        routes=dict.fromkeys(PATHS, "GET POST"),
        methods="GET POST",
        reference="https://posthog.com/docs/api/capture",
        setup=(
            "Give PostHog's clients ingest's address as their host (`host`, `api_host`), and the source's key as the "
            "project's API key. Feature flags and replays are not served: switch them off, in the browser by "
            "`advanced_disable_flags` and `disable_session_recording`."
        ),
        becomes={
            "$identify, $set": "customer.identified",
            "$create_alias, $merge_dangerously": "customer.identified, with the id before",
            "$pageview; $screen": "page.viewed; screen.viewed",
            "$exception; $rageclick": "error.shown; app.event",
            "$groupidentify": "app.event, with a reference to the group",
            "survey sent": "app.event, the answers as its text",
            "events of your own": "app.event; those that Segment's specs name as there, such as *Order Completed*",
        },
    ),
)
