"""Intercom's webhooks: conversations as its API tells them, of version 1 as well as of 2 and later. Pure.

A notification carries the conversation with the parts that are new; bodies are HTML. Only notifications of a new
conversation tell its first message, so that later ones don't tell it again.
Source: Intercom's webhook topics and models (`conversation`, `conversation_part`); signed notifications.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence

from services import hypertext
from services.ingest.sources.fields import given, items, moment, name, named, number, part, text, told
from services.ingest.sources.vendor import Document, Post, Vendor, check_signature

CUSTOMERS = ("user", "lead", "contact", "visitor")
ROLES = {"admin": "agent", "team": "agent", "bot": "bot", "operator": "bot"}
CREATED = ("conversation.user.created", "conversation.contact.created", "conversation.admin.single.created",
           "conversation.admin.created", "conversation.operator.created")  # fmt: skip
KNOWN = ("created", "signed_up", "updated", "user.created", "lead.created", "email.updated", "user.updated",
         "lead.updated", "lead.added_email", "lead.signed_up", "added_email")  # fmt: skip
ENDS = ("close", "closed")
OPENS = ("open", "note_and_reopen")


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA1 over the body by the app's client secret; without a time. Raises Forged."""
    expected = (f"sha1={hmac.new(secret.encode(), post.raw, hashlib.sha1).hexdigest()}" for secret in secrets)
    check_signature(expected, post.headers.get("x-hub-signature"))


def translate(post: Post) -> Iterator[Document]:
    """The events of a notification; none for a ping. Raises Malformed."""
    topic, item = text(post.object, "topic") or "", part(part(post.object, "data"), "item")
    kind, _, what = topic.partition(".")
    if kind in ("contact", "user", "lead") and what in KNOWN:
        yield from _contact(item, post)
    elif kind in ("conversation", "conversation_part"):
        yield from _conversation(item, topic, post)


def _conversation(item: Document, topic: str, post: Post) -> Iterator[Document]:
    parent = part(item, "conversation")  # some send the part itself, with its conversation
    conversation = parent or item
    key = text(item, "conversation_id") or text(conversation, "id")
    first = part(conversation, "source") or part(conversation, "conversation_message")
    parts = items(part(conversation, "conversation_parts"), "conversation_parts")
    if text(item, "type") == "conversation_part":
        parts = [item]
    known = {"channel": "email" if text(first, "type") == "email" else "chat", "conversation": key}
    started = told(moment(conversation, "created_at"), post.received_at)
    if topic in CREATED:
        data = given(url=text(first, "url"), subject=_plain(text(first, "subject")))
        whom = _customer(conversation, first)
        if not _is_ours(first):
            yield {**known, **whom, "id": f"{key}/started", "type": "chat.started", "time": started, "data": data}
        yield from _message(first, {**known, **whom, "time": started}, text(first, "delivered_as"))
    elif topic == "conversation_part.redacted" and first.get("redacted") is True:
        parts = [*parts, first]
    for one in parts:
        at = told(moment(one, "created_at"), post.received_at)
        yield from _part(one, {**known, **_customer(conversation, one), "time": at}, post)
    if topic.endswith("rating.added"):
        yield from _rating(part(conversation, "conversation_rating"), known | _customer(conversation, {}), post)


def _is_ours(message: Document) -> bool:
    return text(part(message, "author"), "type") not in CUSTOMERS


def _part(one: Document, known: Document, post: Post) -> Iterator[Document]:
    id, type = f"{known['conversation']}/{text(one, 'id')}", text(one, "part_type") or ""
    if one.get("redacted") is True:
        at = told(moment(one, "updated_at"), post.received_at)
        yield {**known, "id": f"{id}/deleted", "type": "message.deleted", "time": at, "data": {"message": id}}
        return
    yield from _message(one, known, type)
    by = {**known, "author": _author(one, known)}
    if type in ENDS:
        yield {**by, "id": f"{id}/closed", "type": "chat.ended", "data": {"disposition": "closed"}}
    elif type in OPENS:
        way = "outbound" if _is_ours(one) else "inbound"
        yield {**by, "id": f"{id}/opened", "type": "chat.started", "direction": way, "data": {}}


def _message(one: Document, known: Document, kind: str | None) -> Iterator[Document]:
    """What somebody wrote in it, if anybody did."""
    body = text(one, "body") or ""
    words, files = hypertext.text(body), _files(one)
    if not files and "<img" in body:
        files = [{"type": "image"}]
    if not words and not files:
        return
    ours = _is_ours(one)
    known = {
        **known,
        "id": f"{known['conversation']}/{text(one, 'id')}",
        "direction": "outbound" if ours else "inbound",
        "author": _author(one, known),
        "text": words,
    }
    if "note" in (kind or ""):
        yield {**known, "type": "note.written", "direction": "internal"}
    else:
        data = {"attachments": files, **given(subject=_plain(text(one, "subject")))}
        yield {**known, "type": "message.sent" if ours else "message.received", "data": data}


def _author(one: Document, known: Document) -> Document:
    """Who wrote or did it; a customer by the name they are known by, where it doesn't say another."""
    author = part(one, "author")
    if _is_ours(one):
        return {"role": ROLES.get(text(author, "type") or "", "agent"), **given(name=name(author, "name"))}
    return {"role": "customer", **given(name=name(author, "name") or known["author"].get("name"))}


def _plain(html: str | None) -> str | None:
    return html and (hypertext.text(html) or None)


def _files(one: Document) -> list[Document]:
    found = items(one, "attachments")
    return [given(name=text(file, "name"), type=text(file, "content_type", "type")) for file in found]


def _customer(conversation: Document, one: Document) -> Document:
    """Whom a conversation is with: of several, who wrote this part. A lead's own id is Intercom's invention."""
    listed = items(part(conversation, "contacts"), "contacts") or items(conversation, "contacts")
    people = [found for found in (part(conversation, "user"), *listed) if found]
    first, author = part(part(conversation, "source"), "author"), part(one, "author")
    wrote = [found for found in (author, first) if text(found, "type") in CUSTOMERS]
    number = next((found for person in (*wrote, *people) if (found := text(person, "id"))), None)
    same = [person for person in (*people, *wrote) if text(person, "id") == number]
    whole = {field: value for person in same for field, value in person.items() if value}
    return _known(whole, is_lead=any("lead" in (text(one, "type"), text(one, "role")) for one in same))


def _known(contact: Document, is_lead: bool) -> Document:
    person = name(contact, "name")
    account = None if is_lead else text(contact, "external_id", "user_id")
    mail, phone = text(contact, "email"), text(contact, "phone")
    return {
        "identifiers": named(account=account, email=mail, phone=phone, intercom=text(contact, "id")),
        "author": {"role": "customer", **given(name=person)},
    }


def _rating(rating: Document, known: Document, post: Post) -> Iterator[Document]:
    """The customer's word about the conversation, on a scale of 1 to 5."""
    score, remark = number(rating, "rating"), text(rating, "remark")
    if score is not None:
        at = told(moment(rating, "created_at"), post.received_at)
        data = {"kind": "csat", "score": score}
        id = f"{known['conversation']}/rating"
        yield {**known, "id": id, "type": "feedback.received", "time": at, "data": data, **given(text=remark)}


def _contact(contact: Document, post: Post) -> Iterator[Document]:
    """Who somebody is, as of the contact's last change."""
    number = text(contact, "id")
    at = moment(contact, "updated_at") or moment(contact, "created_at") or moment(post.object, "created_at")
    is_lead = "lead" in (text(contact, "type"), text(contact, "role"))
    whom = _known(contact, is_lead)
    if number and whom["identifiers"]:
        traits = given(name=name(contact, "name"))
        yield {
            **whom,
            "id": f"contact-{number}/{int(at.timestamp()) if at else ''}",
            "type": "customer.identified",
            "time": told(at, post.received_at),
            "data": {"traits": traits},
        }


VENDORS = (
    Vendor(
        name="intercom",
        title="Intercom",
        channel="chat",
        translate=translate,
        verify=verify,
        secret="the app's client secret",
        reference="https://developers.intercom.com/docs/references/webhooks/webhook-models",
        setup=(
            "Developer Hub → your app → Webhooks: paste `{url}` and subscribe to the topics below. Give the client "
            "secret (Basic information) by `tellonce sources secret`."
        ),
        becomes={
            "conversation.user.created": "chat.started, message.received",
            "conversation.user.replied": "message.received",
            "conversation.admin.replied, admin.single.created, operator.replied": "message.sent",
            "conversation.admin.noted": "note.written",
            "conversation.admin.closed, conversation.admin.opened": "chat.ended, chat.started",
            "conversation.rating.added": "feedback.received",
            "conversation_part.redacted": "message.deleted",
            "contact.created, contact.email.updated, contact.signed_up": "customer.identified",
        },
    ),
)
