"""Twilio Conversations: its classic webhooks, which are forms, and Event Streams, which are CloudEvents. Pure.

Who writes from an address (a number, WhatsApp, Messenger) is the customer, and so is who bears the name that Flex gives
to visitors of a site; other identities are the company's people. Only what has happened is told: webhooks that ask
before it does become nothing.
Source: Twilio Conversations, "Webhooks"; Event Streams, event types `com.twilio.conversations.*`.
"""

import re
from collections.abc import Iterator

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import twilio
from services.ingest.sources.fields import content_id, given, items, moment, named, text, told
from services.ingest.sources.vendor import Document, Post, Vendor

STREAM = "com.twilio.conversations."
EVENTS = {  # Event Streams' names, without `STREAM`: the webhooks'
    "message.added": "onmessageadded", "message.updated": "onmessageupdated", "message.removed": "onmessageremoved",
    "conversation.added": "onconversationadded", "conversation.removed": "onconversationremoved",
    "conversation-state.updated": "onconversationstateupdated", "participant.added": "onparticipantadded",
    "delivery.updated": "ondeliveryupdated",
}  # fmt: skip
ADDRESS = re.compile(r"(?:(whatsapp|messenger|rcs|gbm|viber|sms|email):)?(\+\d{6,15}|.+)", re.I)
VISITOR = re.compile(r"FX[0-9a-f]{32}", re.I)
SOCIAL = ("messenger", "instagram")


def translate(post: Post) -> Iterator[Document]:
    """The events of a webhook, or of an array of CloudEvents. Raises Malformed."""
    if post.content.lstrip()[:1] not in (b"{", b"["):
        yield from _event({name.lower(): value for name, value in post.values.items()}, post)
        return
    body = documents.parse(post.content)
    for event in (one for one in (body if isinstance(body, list) else [body]) if isinstance(one, dict)):
        kind = text(event, "type", "EventType") or ""
        inner = event.get("data")
        fields = {str(name).lower(): value for name, value in (inner if isinstance(inner, dict) else event).items()}
        name = EVENTS.get(kind.removeprefix(STREAM)) if kind.startswith(STREAM) else kind
        yield from _event({**fields, "eventtype": name, "at": event.get("time")}, post)


def _event(fields: Document, post: Post) -> Iterator[Document]:
    """One event; names of its fields in lower case."""
    kind, conversation = (text(fields, "eventtype") or "").lower(), text(fields, "conversationsid")
    number = text(fields, "messagesid")
    known = {**_whom(fields), "conversation": conversation, "time": _time(fields, post, "datecreated")}
    if kind == "onmessageadded" and number:
        yield from _message(fields, known, number)
    elif kind == "onmessageupdated" and number and (words := text(fields, "body", "messagebody")):
        id, at = f"{number}/{content_id(words)}", _time(fields, post, "dateupdated")
        yield {**known, "id": id, "time": at, "type": "message.edited", "text": words, "data": {"message": number}}
    elif kind == "onmessageremoved" and number:
        at = _time(fields, post, "dateremoved")
        yield {
            **known, "id": f"{number}/deleted", "time": at, "type": "message.deleted", "data": {"message": number}
        }  # fmt: skip
    elif kind == "ondeliveryupdated" and number and fields.get("status") in ("failed", "undelivered"):
        at, code = _time(fields, post, "dateupdated"), text(fields, "errorcode")
        yield {
            **known, "id": f"{number}/failed", "time": at, "type": "message.failed", "direction": "internal",
            "author": {"role": "system"}, "data": {"message": number, **given(code=code)},
        }  # fmt: skip
    elif kind and conversation:
        yield from _conversation(kind, fields, known, post)


def _message(fields: Document, known: Document, number: str) -> Iterator[Document]:
    files = [given(name=text(one, "filename"), type=text(one, "contenttype")) for one in _media(fields)]
    words, subject = text(fields, "body", "messagebody"), text(fields, "subject", "messagesubject")
    type = "message.received" if known["direction"] == "inbound" else "message.sent"
    data = {"attachments": files, **given(subject=subject)}
    if words or files:
        yield {**known, "id": number, "type": type, "data": data, **given(text=words)}


def _media(fields: Document) -> list[Document]:
    """A message's files: JSON, or in a form JSON in text."""
    found = fields.get("media")
    if isinstance(found, str):
        try:
            found = documents.parse(found.encode(errors="replace"))
        except Malformed:
            return []
    return [{str(name).lower(): value for name, value in one.items()} for one in items({"media": found}, "media")]


def _conversation(kind: str, fields: Document, known: Document, post: Post) -> Iterator[Document]:
    conversation = known["conversation"]
    if kind == "onconversationadded":
        author = _address(fields, "authoraddress") or _address(fields, "address")
        yield {
            **known, **_party(author, fields), "id": f"{conversation}/started", "type": "chat.started",
            "direction": "inbound", "data": {},
        }  # fmt: skip
    elif kind == "onconversationstateupdated" and fields.get("stateto") == "closed":
        at = _time(fields, post, "stateupdated")
        data = {"disposition": {"TIMER": "timed out"}.get(text(fields, "reason") or "", "closed")}
        yield {
            "channel": "chat", "conversation": conversation, "id": f"{conversation}/closed/{at}", "time": at,
            "type": "chat.ended", "data": data,
        }  # fmt: skip
    elif kind == "onparticipantadded" and (address := _address(fields, "address")):
        number = text(fields, "participantsid")
        yield {
            **known, **_party(address, fields), "id": number, "type": "customer.identified", "direction": "internal",
            "data": {"traits": {}},
        }  # fmt: skip


def _address(fields: Document, name: str) -> str | None:
    """An address of a binding: `MessagingBinding.Address` in a form, an object in JSON."""
    binding = fields.get("messagingbinding")
    inner = {str(name).lower(): value for name, value in binding.items()} if isinstance(binding, dict) else {}
    return text(fields, f"messagingbinding.{name}") or text(inner, name)


def _whom(fields: Document) -> Document:
    """Who wrote: a customer by an address, an agent by an identity."""
    author = text(fields, "author") or ""
    is_address = bool(re.match(r"\+\d|(whatsapp|messenger|rcs|gbm|viber|sms|email):", author, re.I))
    if is_address or VISITOR.fullmatch(author):
        return {**_party(author, fields), "direction": "inbound", "author": {"role": "customer"}}
    role = "system" if author.lower() == "system" else "agent"
    source = (text(fields, "source") or "").lower()
    return {
        "channel": "sms" if source == "sms" else "chat",
        "identifiers": [],
        "direction": "outbound",
        "author": {"role": role, **given(name=author[:512] or None)},
    }


def _party(address: str | None, fields: Document) -> Document:
    """The customer behind an address, and the channel that it is of."""
    found = ADDRESS.fullmatch(address or "")
    if not found:
        return {"channel": "chat", "identifiers": []}
    way, value = (found[1] or "").lower(), found[2]
    kind = "phone" if value.startswith("+") else way if way in ("messenger", "email") else "twilio_identity"
    plain = "sms" if kind == "phone" else "chat"
    channel = "social" if way in SOCIAL else "email" if way == "email" else "chat" if way else plain
    return {"channel": channel, "identifiers": named(**{kind: value})}


def _time(fields: Document, post: Post, name: str) -> str:
    found = moment(fields, name) or moment(fields, "at") or moment(fields, "datecreated")
    return told(found, post.received_at)


VENDORS = (
    Vendor(
        name="twilio-conversations",
        title="Twilio Conversations",
        channel="chat",
        translate=translate,
        verify=twilio.verify,
        secret="the account's auth token",
        reference="https://www.twilio.com/docs/conversations/conversations-webhooks",
        setup=(
            "Console → Conversations → Manage → Global webhooks: paste `{url}` as the post-event URL and tick the "
            "events below; or make an Event Streams sink of type Webhook with `{url}` and subscribe to "
            "`com.twilio.conversations.*`. Give the auth token by `tellonce sources secret`. The signature covers the "
            "address, so the public one has to be known: TELLONCE_INGEST_URL."
        ),
        becomes={
            "onMessageAdded, message.added": "message.received, message.sent",
            "onMessageUpdated, onMessageRemoved": "message.edited, message.deleted",
            "onConversationAdded, onConversationStateUpdated": "chat.started, chat.ended (closed)",
            "onParticipantAdded": "customer.identified",
            "onDeliveryUpdated (failed)": "message.failed",
        },
    ),
)
