"""Chatwoot's webhooks: conversations of the site's widget and of every inbox behind it. Pure.

Private notes stay internal. Typing, and whatever else says nothing of a customer, becomes nothing.
Source: Chatwoot's webhook events; `webhook_data` of its models for the fields; `X-Chatwoot-Signature` since 4.11.2.
"""

import hashlib
from collections.abc import Iterator, Sequence

from services.ingest.sources.fields import given, items, moment, part, text
from services.ingest.sources.vendor import Document, Post, Vendor, check_fresh, check_signature, signature

DIRECTIONS = {"incoming": "inbound", "outgoing": "outbound", "template": "outbound"}
CHANNELS = {  # by the end of the inbox's class, such as `Channel::Email`; all others are chats
    "email": "email", "sms": "sms", "twiliosms": "sms", "facebookpage": "social", "instagram": "social",
    "twitterprofile": "social", "tiktok": "social",
}  # fmt: skip
# What a conversation's webhook says, or "" where its status does; the older names are those before version 2.
CONVERSATIONS = {
    "conversation_created": "created", "conversation_status_changed": "",
    "conversation_opened": "open", "conversation_reopened": "open", "conversation_resolved": "resolved",
}  # fmt: skip
STATES = {"created": "chat.started", "open": "chat.started", "resolved": "chat.ended"}


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over time and body. Raises Forged."""
    at = post.headers.get("x-chatwoot-timestamp", "")
    signed, given = at.encode() + b"." + post.raw, post.headers.get("x-chatwoot-signature")
    check_signature((f"sha256={signature(secret, signed)}" for secret in secrets), given)
    check_fresh(at, post.received_at)


def translate(post: Post) -> Iterator[Document]:
    """The event that a webhook tells of, if it tells of one. Raises Malformed."""
    body = post.object
    kind = text(body, "event") or ""
    if kind in ("message_created", "message_updated"):
        yield from _message(body, is_new=kind == "message_created")
    elif kind in CONVERSATIONS:
        yield from _conversation(body, post, CONVERSATIONS[kind] or text(body, "status") or "")


def _message(body: Document, is_new: bool) -> Iterator[Document]:
    conversation, number = part(body, "conversation"), text(body, "id")
    direction, words = DIRECTIONS.get(str(body.get("message_type"))), text(body, "content")
    files = [given(name=text(one, "name"), type=text(one, "file_type")) for one in items(body, "attachments")]
    if not number or not direction or not (words or files):
        return  # an activity, such as "assigned to Mari"
    is_note, is_gone = body.get("private") is True, part(body, "content_attributes").get("deleted") is True
    sender = part(body, "sender")
    role = "customer" if direction == "inbound" else "bot" if text(sender, "type") == "agent_bot" else "agent"
    known = {
        **_shared(conversation, body),
        "direction": "internal" if is_note else direction,
        "author": {"role": role, **given(name=text(sender, "name"))},
    }
    if is_new and is_note:
        yield {**known, "id": number, "type": "note.written", "text": words}
    elif is_new:
        type = "message.received" if direction == "inbound" else "message.sent"
        yield {**known, "id": number, "type": type, "data": {"attachments": files}, **given(text=words)}
    elif is_gone:
        yield {**known, "id": f"{number}/deleted", "type": "message.deleted", "data": {"message": number}}
    elif words:
        id = f"{number}/{hashlib.sha256(words.encode()).hexdigest()[:16]}"  # an update has no id or time of its own
        yield {**known, "id": id, "type": "message.edited", "text": words, "data": {"message": number}}


def _conversation(body: Document, post: Post, state: str) -> Iterator[Document]:
    """A conversation as it is: a webhook has no time of its own but the conversation's last."""
    number, type = text(body, "id"), STATES.get(state)
    if not type or not number:
        return
    created = moment(body, "created_at") if state == "created" else None
    at = created or moment(body, "timestamp") or post.received_at
    id = f"conversation-{number}/{state}" + (f"/{int(at.timestamp())}" if state != "created" else "")
    data = {"disposition": "resolved"} if type == "chat.ended" else {}
    yield {**_shared(body, body), "id": id, "type": type, "time": at.isoformat(), "data": data}


def _shared(conversation: Document, body: Document) -> Document:
    contact = part(part(conversation, "meta"), "sender")
    if not contact and part(body, "sender").get("type") == "contact":
        contact = part(body, "sender")
    is_verified = part(conversation, "contact_inbox").get("hmac_verified") is True
    names = {"identifier": "account", "email": "email", "phone_number": "phone", "id": "chatwoot_contact"}
    at, inbox = moment(body, "created_at"), (text(conversation, "channel") or "").rpartition("::")[2].lower()
    return {
        "channel": CHANNELS.get(inbox, "chat"),
        "identifiers": [
            {"type": type, "value": value} | ({"verification": "verified"} if is_verified else {})
            for field, type in names.items()
            if (value := text(contact, field))
        ],
        **given(conversation=text(conversation, "id"), time=at and at.isoformat()),
    }


VENDORS = (
    Vendor(
        name="chatwoot",
        title="Chatwoot",
        channel="chat",
        translate=translate,
        verify=verify,
        secret="the webhook's secret",
        reference="https://www.chatwoot.com/hc/user-guide/articles/1677693021-how-to-use-webhooks",
        setup=(
            "Settings → Integrations → Webhooks → Add: paste `{url}` and tick the conversation and message events. "
            "Copy the webhook's secret and give it by `tellonce sources secret`. Before Chatwoot 4.11.2 webhooks are "
            "not signed: paste `{url}?key=KEY`, with the source's key."
        ),
        becomes={
            "message_created": "message.received, message.sent; a private note: note.written",
            "message_updated": "message.edited, message.deleted",
            "conversation_created": "chat.started",
            "conversation_status_changed": "chat.ended (resolved), chat.started (open again)",
        },
    ),
)
