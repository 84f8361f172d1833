"""Zendesk's Sunshine Conversations (Smooch): webhooks of version 1 and 2. Pure.

Typing, reading and receipts of delivery become nothing. Of a message of the company's, version 2 does not say to whom:
its conversation does.
Source: Sunshine Conversations, webhooks (v2 `events`; v1 triggers `message:appUser`, `message:appMaker`, …).
"""

import re
from collections.abc import Iterable, Iterator

from services.ingest.sources.fields import given, items, moment, name, named, part, text, told
from services.ingest.sources.vendor import Document, Post, Vendor

MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
CHANNELS = {
    "messenger": "social", "instagram": "social", "instagramdirect": "social", "twitter": "social", "mailgun": "email",
    "twilio": "sms", "messagebird": "sms",
}  # fmt: skip


def keys(post: Post) -> Iterable[str]:
    """The webhook's secret, which comes along."""
    return [post.headers.get("x-api-key", "")]


def translate(post: Post) -> Iterator[Document]:
    """The events of a post. Raises Malformed."""
    for event in items(post.object, "events"):
        yield from _event(event, post)
    if trigger := text(post.object, "trigger"):
        yield from _trigger(trigger, post)


def _event(event: Document, post: Post) -> Iterator[Document]:
    """Version 2: each event has an id and a time of its own."""
    type, payload = text(event, "type") or "", part(event, "payload")
    message, at = part(payload, "message"), moment(event, "createdAt")
    author = part(message, "author")
    user = part(author, "user") or part(payload, "user")
    known = {
        "id": text(event, "id"),
        "time": told(at, post.received_at),
        "channel": _channel(part(message, "source") or part(payload, "source")),
        "conversation": text(part(payload, "conversation"), "id"),
        **_customer(user | given(id=text(user, "id") or _user_id(author))),
    }
    if type == "conversation:message":
        content = part(message, "content")
        by = {"type": text(author, "type"), "name": name(author, "displayName"), "subtypes": author.get("subtypes")}
        received = told(moment(message, "received") or at, post.received_at)
        yield from _message({**content, "id": message.get("id")}, {**known, "time": received}, by)
    elif type == "conversation:postback":
        postback = part(payload, "postback")
        yield {**known, "type": "message.received", **given(text=text(postback, "text", "displayText", "payload"))}
    elif type in ("conversation:create", "conversation:referral"):
        yield {**known, "type": "chat.started", "data": _referral(payload)}
    elif type == "conversation:remove":
        yield {**known, "type": "chat.ended", "data": {"disposition": "removed"}}
    elif type == "conversation:message:delivery:failure":
        yield from _failed(message, part(payload, "error"), known)
    elif type == "user:merge":
        merged = part(payload, "mergedUsers")
        yield from _merged(part(merged, "surviving"), [part(merged, "discarded")], known, "id")
    elif type in ("user:update", "user:create"):
        yield {**known, "type": "customer.identified", "data": {"traits": given(name=known["author"].get("name"))}}


def _user_id(author: Document) -> str | None:
    return text(author, "userId") if text(author, "type") == "user" else None


def _trigger(trigger: str, post: Post) -> Iterator[Document]:
    """Version 1: messages have ids and times; what has none is known by its trigger, person and moment."""
    body, user = post.object, part(post.object, "appUser")
    at = moment(body, "timestamp")
    person = text(user, "_id")
    known = {
        "id": f"{trigger}/{person}/{text(body, 'timestamp') or ''}",
        "time": told(at, post.received_at),
        "channel": _channel(part(body, "source") or part(body, "client")),
        "conversation": text(part(body, "conversation"), "_id") or person,
        **_customer(user),
    }
    if trigger in ("message:appUser", "message:appMaker"):
        for message in items(body, "messages"):
            said = {"time": told(moment(message, "received"), post.received_at)}
            role = text(message, "role") or trigger.partition(":")[2]
            by = {"type": "user" if role == "appUser" else "business", "name": name(message, "name")}
            reached = next(iter(items(user, "clients")), {}) if role != "appUser" else {}
            source = {"channel": _channel(reached or part(message, "source"))}
            yield from _message({**message, "id": message.get("_id")}, {**known, **said, **source}, by)
    elif trigger == "postback":
        for postback in items(body, "postbacks"):
            action = part(postback, "action")
            id = f"{known['id']}/{text(action, '_id') or text(action, 'payload')}"
            yield {**known, "id": id, "type": "message.received", **given(text=text(action, "text", "payload"))}
    elif trigger in ("conversation:start", "conversation:referral"):
        yield {**known, "type": "chat.started", "data": _referral(body)}
    elif trigger in ("delivery:failure", "message:delivery:failure"):
        failed = items(body, "messages") or [part(body, "message")]
        for message in failed:
            yield from _failed(message, part(body, "error"), known)
    elif trigger == "merge:appUser":
        yield from _merged(part(body, "surviving"), items(body, "discarded"), known, "_id")


def _message(message: Document, known: Document, by: Document) -> Iterator[Document]:
    number, is_customers = text(message, "id"), by["type"] == "user"
    subtypes = by.get("subtypes")
    is_bot = isinstance(subtypes, list) and any(str(one).lower() in ("ai", "bot") for one in subtypes)
    role = "customer" if is_customers else "bot" if is_bot else "agent"
    media = text(message, "mediaType"), text(message, "altText")
    files = [given(type=media[0], name=media[1])] if text(message, "mediaUrl", "mediaType") else []
    words = _words(message)
    if not (words or files):
        return
    yield {
        **known,
        "id": number,
        "type": "message.received" if is_customers else "message.sent",
        "direction": "inbound" if is_customers else "outbound",
        "author": {"role": role, **given(name=by["name"])},
        "data": {"attachments": files},
        **given(text=words),
    }


def _words(message: Document) -> str | None:
    """What is written in a message of any type: its text, its answers to a form, or the titles it shows."""
    answers = [
        f"{text(field, 'label', 'name') or ''}: {answer}".lstrip(": ")
        for field in items(message, "fields")
        if (answer := _answer(field))
    ]
    shown = [": ".join(filter(None, (text(one, "title"), text(one, "description")))) for one in items(message, "items")]
    place = part(message, "location")
    where = ", ".join(filter(None, (text(place, "name"), text(place, "address"))))
    found = [text(message, "text"), *answers, *shown, where or text(message, "textFallback")]
    return "\n".join(one for one in found if one) or _coordinates(message)


def _answer(field: Document) -> str | None:
    chosen = [word for one in items(field, "select") if (word := text(one, "label", "name"))]
    return text(field, "text", "email") or ", ".join(chosen) or None


def _coordinates(message: Document) -> str | None:
    at = part(message, "coordinates")
    lat, long = text(at, "lat"), text(at, "long")
    return f"{lat}, {long}" if lat and long else None


def _customer(user: Document) -> Document:
    profile = part(user, "profile") or user
    account = text(user, "externalId", "userId")
    mail = text(profile, "email") or (account if account and MAIL.fullmatch(account) else None)
    whole = " ".join(word for field in ("givenName", "surname") if (word := text(profile, field)))
    identities = {text(one, "type"): text(one, "value") for one in items(user, "identities")}
    phone = identities.get("phone_number") or text(part(user, "properties"), "phone")
    found = named(
        account=account, email=mail or identities.get("email"), phone=phone, sunshine=text(user, "_id", "id")
    )  # fmt: skip
    return {"identifiers": found, "author": {"role": "customer", **given(name=whole[:512] or None)}}


def _channel(source: Document) -> str:
    return CHANNELS.get((text(source, "type", "platform") or "").lower(), "chat")


def _referral(body: Document) -> Document:
    found = part(body, "referral")
    details = part(found, "details")
    return given(ref=text(found, "code") or text(details, "ref"), origin=text(details, "source"))


def _failed(message: Document, error: Document, known: Document) -> Iterator[Document]:
    number = text(message, "_id", "id")
    if number:
        reason = given(reason=text(error, "message", "title", "code"))
        yield {
            **known, "id": f"{number}/failed", "type": "message.failed", "direction": "internal",
            "author": {"role": "system"}, "data": {"message": number, **reason},
        }  # fmt: skip


def _merged(kept: Document, gone: Iterable[Document], known: Document, field: str) -> Iterator[Document]:
    """Two users turned out to be one: what either did is the other's as well, and an account was another before."""
    for one in gone:
        number, account = text(one, field), text(one, "externalId", "userId")
        if number and text(kept, field):
            whom = _customer(kept)
            whom["identifiers"] = [*whom["identifiers"], *named(sunshine=number)]
            previous = {"type": "account", "value": account} if account else None
            yield {
                **known, **whom, "id": f"merge/{text(kept, field)}/{number}", "type": "customer.identified",
                "data": {"traits": {}, **given(previous=previous)},
            }  # fmt: skip


VENDORS = (
    Vendor(
        name="sunshine",
        title="Zendesk Sunshine Conversations",
        channel="chat",
        translate=translate,
        keys=keys,
        secret="the webhook's secret, which it sends along as X-API-Key",
        reference="https://docs.smooch.io/rest/#tag/Webhooks",
        setup=(
            "Make a webhook of version v2 (or v1) with `{url}` as its target. Its secret is in the answer: give it by "
            "`tellonce sources secret`."
        ),
        becomes={
            "conversation:message (v1: message:appUser, message:appMaker)": "message.received, message.sent",
            "conversation:postback (v1: postback)": "message.received",
            "conversation:create, conversation:referral (v1: conversation:start)": "chat.started",
            "conversation:message:delivery:failure (v1: message:delivery:failure)": "message.failed",
            "conversation:remove": "chat.ended",
            "user:merge (v1: merge:appUser), user:update": "customer.identified",
        },
    ),
)
