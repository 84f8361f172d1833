"""What WhatsApp's Cloud API tells in a `changes` of its webhooks. Pure.

A customer goes by a phone number, by a `user_id` of the business's own (BSUID), or both. WhatsApp knows no end of a
conversation: it is the company's number with the customer.
Source: WhatsApp Business Platform, webhooks reference (messages, statuses, smb_message_echoes, calls).
"""

from collections.abc import Iterator
from typing import NamedTuple

from services.ingest.sources.fields import given, items, moment, name, named, number, part, text, told
from services.ingest.sources.vendor import Document, Post

MEDIA = ("image", "video", "audio", "document", "sticker")
MOVED = ("user_changed_number", "customer_changed_number")  # WhatsApp's word, now and before
CALLS = {"COMPLETED": "completed", "FAILED": "abandoned"}  # the API's word: ours


class Party(NamedTuple):
    """The customer of a message or call."""

    phone: str | None
    id: str | None
    parent: str | None
    name: str | None

    def shared(self, value: Document) -> Document:
        """What all documents about this customer have."""
        line = text(part(value, "metadata"), "phone_number_id", "display_phone_number")
        phone = self.phone and "+" + self.phone.lstrip("+")
        return {
            "channel": "chat",
            "identifiers": named(phone=phone, whatsapp=self.id, whatsapp_parent=self.parent),
            "conversation": f"{line}:{self.phone or self.id}" if self.phone or self.id else None,
        }


def translate(entry: Document, post: Post) -> Iterator[Document]:
    """The events of an entry."""
    for value in (part(change, "value") for change in items(entry, "changes")):
        for message in items(value, "messages"):
            yield from _message(message, value, post, is_ours=False)
        for message in items(value, "message_echoes"):
            yield from _message(message, value, post, is_ours=True)
        for status in items(value, "statuses"):
            yield from _status(status, value, post)
        for call in items(value, "calls"):
            yield from _call(call, value, post)


def _party(value: Document, one: Document, side: str) -> Party:
    """Who is at the `side` (from, to, recipient) of a message, with what the post's contacts say of them."""
    phone, id = text(one, side, f"{side}_id"), text(one, f"{side}_user_id")
    contacts = items(value, "contacts")
    about = [one for one in contacts if (phone and text(one, "wa_id") == phone) or (id and text(one, "user_id") == id)]
    contact = (about or (contacts if len(contacts) == 1 else [{}]))[0]  # a number and a wa_id may differ
    return Party(
        phone or (None if id else text(contact, "wa_id")),
        id or text(contact, "user_id"),
        text(one, f"{side}_parent_user_id") or text(contact, "parent_user_id"),
        name(part(contact, "profile"), "name", "username"),
    )


def _message(message: Document, value: Document, post: Post, is_ours: bool) -> Iterator[Document]:
    number, type = text(message, "id"), text(message, "type") or ""
    customer = _party(value, message, "to" if is_ours else "from")
    known = {
        **customer.shared(value),
        "id": number,
        "time": told(moment(message, "timestamp"), post.received_at),
        "direction": "outbound" if is_ours else "inbound",
        "author": {"role": "agent"} if is_ours else {"role": "customer", **given(name=customer.name)},
    }
    body = part(message, type)
    if type == "reaction":
        yield {**known, "type": "message.reacted", "data": given(message=text(body, "message_id"),
                                                                 emoji=text(body, "emoji"))}  # fmt: skip
    elif type == "revoke":
        yield {**known, "type": "message.deleted", "data": {"message": text(body, "original_message_id")}}
    elif type == "edit":
        new = part(body, "message")
        data = {"message": text(body, "original_message_id"), "attachments": _files(new)}
        yield {**known, "type": "message.edited", "text": _words(new), "data": data}
    elif type == "system":
        yield from _moved(body, known)
    elif type == "request_welcome":  # the chat was opened, for the first time
        yield {**known, "type": "chat.started", "data": {}}
    else:
        sent = "message.sent" if is_ours else "message.received"
        yield {**known, "type": sent, **given(text=_words(message)), "data": _data(message), **_order(message)}


def _moved(said: Document, known: Document) -> Iterator[Document]:
    """Who changed their number is the same customer; what else WhatsApp says of itself is nothing to tell."""
    new = text(said, "new_wa_id", "wa_id") if text(said, "type") in MOVED else None
    if new and (old := next((one for one in known["identifiers"] if one["type"] == "phone"), None)):
        others = [one for one in known["identifiers"] if one is not old]
        yield {
            **known, "type": "customer.identified", "direction": "internal",
            "identifiers": [*named(phone="+" + new.lstrip("+")), old, *others], "data": {"traits": {}, "previous": old},
        }  # fmt: skip


def _data(message: Document) -> Document:
    context, referral = part(message, "context"), part(message, "referral")
    return {
        "attachments": _files(message),
        **given(
            kind=text(message, "type"),
            reply_to=text(context, "id"),
            forwarded=context.get("forwarded") or context.get("frequently_forwarded"),
            advertisement=text(referral, "source_url", "source_id"),
            problem=next((text(one, "title", "message") for one in items(message, "errors")), None),
        ),
    }


def _words(message: Document) -> str | None:
    """What is written in a message of any type."""
    type = text(message, "type") or ""
    body = part(message, type)
    if type == "interactive":
        chosen = part(body, text(body, "type") or "")
        return text(chosen, "title", "body", "name") or text(body, "body")
    if type == "contacts":
        found = (part(one, "name") for one in items(message, "contacts"))
        return ", ".join(word for one in found if (word := text(one, "formatted_name", "first_name"))) or None
    if type == "location":
        where = [text(body, field) for field in ("name", "address")]
        place = ", ".join(word for word in where if word)
        return place or f"{text(body, 'latitude')}, {text(body, 'longitude')}"
    if type == "order":
        lines = (f"{text(one, 'quantity') or 1} × {text(one, 'product_retailer_id')}"
                 for one in items(body, "product_items"))  # fmt: skip
        return "\n".join(filter(None, (text(body, "text"), *lines))) or None
    return text(body, "body", "caption", "text", "name")


def _order(message: Document) -> Document:
    """A message that is about a product or catalogue says so."""
    product = part(part(message, "context"), "referred_product")
    found = text(product, "product_retailer_id") if product else None
    return {"references": [{"type": "product", "value": found}]} if found else {}


def _files(message: Document) -> list[Document]:
    type = text(message, "type") or ""
    body = part(message, type)
    return [given(name=text(body, "filename"), type=text(body, "mime_type") or type)] if type in MEDIA else []


def _status(status: Document, value: Document, post: Post) -> Iterator[Document]:
    """Only what did not arrive is worth telling; sent, delivered and read say nothing new."""
    number = text(status, "id")
    if status.get("status") != "failed" or not number:
        return
    error = next(iter(items(status, "errors")), {})
    said = text(part(error, "error_data"), "details") or text(error, "title", "message")
    yield {
        **_party(value, status, "recipient").shared(value),
        "id": f"{number}/failed",
        "type": "message.failed",
        "time": told(moment(status, "timestamp"), post.received_at),
        "direction": "internal",
        "author": {"role": "system"},
        "data": {"message": number, **given(reason=said, code=text(error, "code"))},
    }


def _call(call: Document, value: Document, post: Post) -> Iterator[Document]:
    """A call rings by `connect`, which is the answer to one of ours, and ends by `terminate`."""
    number, event = text(call, "id"), text(call, "event")
    is_ours = call.get("direction") == "BUSINESS_INITIATED"
    contact = next(iter(items(value, "contacts")), {})
    known = text(contact, "wa_id"), text(contact, "user_id"), text(contact, "parent_user_id")
    person = name(part(contact, "profile"), "name")
    customer = Party(*known, person) if any(known) else _party(value, call, "to" if is_ours else "from")
    base = {
        **customer.shared(value),
        "id": f"{number}/{event}",
        "conversation": number,
        "channel": "phone",
        "time": told(moment(call, "timestamp"), post.received_at),
        "author": {"role": "agent"} if is_ours else {"role": "customer", **given(name=customer.name)},
    }
    if event == "connect":
        way = "outbound" if is_ours else "inbound"
        line = text(part(value, "metadata"), "display_phone_number")
        type = "call.started" if is_ours else "call.ringing"
        yield {**base, "type": type, "direction": way, "data": given(number=line)}
    elif event == "terminate":
        yield {**base, "type": "call.ended", "data": _ending(call)}


def _ending(call: Document) -> Document:
    seconds, status = number(call, "duration"), text(call, "status")
    ending = "missed" if not seconds and status != "COMPLETED" else CALLS.get(status or "", status)
    return given(disposition=ending, talk_seconds=seconds if seconds is not None and seconds >= 0 else None)
