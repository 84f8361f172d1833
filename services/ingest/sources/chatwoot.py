"""Chatwoot's webhooks: conversations of the site's widget and of every inbox behind it. Pure.

Private notes stay internal. Typing, and whatever else says nothing of a customer, becomes nothing. A message's update
doesn't say what was updated: it is told by what is there, with ids of the content, so that the same is told once.
Source: Chatwoot's webhook events; `webhook_data` of its models for the fields; `X-Chatwoot-Signature` since 4.11.2.
"""

from collections.abc import Iterator, Sequence

from services.ingest.sources.fields import content_id, given, items, moment, name, named, number, part, text, told
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
        yield from _message(body, post, is_new=kind == "message_created")
    elif kind in CONVERSATIONS:
        yield from _conversation(body, post, CONVERSATIONS[kind] or text(body, "status") or "")
    elif kind in ("contact_created", "contact_updated"):
        yield from _contact(body, post)
    elif kind == "webwidget_triggered":
        yield from _widget(body, post)


def _message(body: Document, post: Post, is_new: bool) -> Iterator[Document]:
    conversation, id = part(body, "conversation"), text(body, "id")
    direction, words = DIRECTIONS.get(str(body.get("message_type"))), text(body, "content")
    files = [given(name=text(one, "name"), type=text(one, "file_type")) for one in items(body, "attachments")]
    more = part(body, "content_attributes")
    if not id or not direction or not (words or files):
        return  # an activity, such as "assigned to Mari"
    is_note, is_gone = body.get("private") is True, more.get("deleted") is True
    sender = part(body, "sender")
    is_bot = body.get("message_type") == "template" or text(sender, "type") in ("agent_bot", "captain_assistant")
    role = "customer" if direction == "inbound" else "bot" if is_bot else "agent"
    known = {
        **_shared(conversation, body, post),
        **({} if is_new else {"time": _sent_at(post)}),
        "direction": "internal" if is_note else direction,
        "author": {"role": role, **given(name=name(sender, "name"))},
    }
    if is_new and is_note:
        yield {**known, "id": id, "type": "note.written", "text": words, "data": {"attachments": files}}
    elif is_new:
        type = "message.received" if direction == "inbound" else "message.sent"
        yield {**known, "id": id, "type": type, "data": {"attachments": files}, **given(text=words)}
    elif is_gone:
        yield {**known, "id": f"{id}/deleted", "type": "message.deleted", "data": {"message": id}}
    elif answered := list(_answers(more, known, id)):
        yield from answered
    elif problem := text(more, "external_error"):
        data = {"message": id, "reason": problem}
        yield {**known, "id": f"{id}/failed", "type": "message.failed", "direction": "internal", "data": data}
    elif words:
        new = f"{id}/{content_id(words)}"
        yield {**known, "id": new, "type": "message.edited", "text": words, "data": {"message": id}}


def _sent_at(post: Post) -> str:
    """When a webhook was made: an update says only when its message was written."""
    return told(moment(post.headers, "x-chatwoot-timestamp"), post.received_at)


def _answers(more: Document, known: Document, id: str) -> Iterator[Document]:
    """What the customer put into a form that the message is: a mail address, choices, or the survey's stars."""
    by = {**known, "direction": "inbound", "author": {"role": "customer"}}
    submitted = part(more, "submitted_values")
    survey = part(submitted, "csat_survey_response")
    score, mail = number(survey, "rating"), text(more, "submitted_email")
    chosen = {text(one, "name", "title") or "": text(one, "value") for one in items(more, "submitted_values")}
    fields = {field: value for field, value in chosen.items() if field and value}
    if score is not None:
        data: Document = {"kind": "csat", "score": score}
        said = given(text=text(survey, "feedback_message"))
        yield {**by, "id": f"{id}/rating", "type": "feedback.received", "data": data, **said}
    elif mail:
        people = [*known["identifiers"], *named(email=mail)]
        data = {"traits": {}}
        yield {**by, "id": f"{id}/email", "type": "customer.identified", "identifiers": people, "data": data}
    elif fields:
        data = {"fields": fields}
        yield {**by, "id": f"{id}/{content_id(fields)}", "type": "form.submitted", "data": data}


def _contact(body: Document, post: Post) -> Iterator[Document]:
    """Who somebody is; a webhook has no time of its own, so it is told once for what it tells."""
    people, person = _identifiers(body), name(body, "name")
    if len(people) > 1 or (people and person):
        at = moment(body, "updated_at") or moment(body, "created_at")
        yield {
            "id": f"contact-{content_id(people, person)}",
            "type": "customer.identified",
            "time": told(at, post.received_at),
            "identifiers": people,
            "data": {"traits": given(name=person)},
        }


def _widget(body: Document, post: Post) -> Iterator[Document]:
    """A visitor opened the widget on a page; the browser writes the time in words, which are kept for the id."""
    info, contact = part(body, "event_info"), part(body, "contact")
    url, started = text(info, "referer"), part(info, "initiated_at")
    if url:
        yield {
            "id": f"widget-{content_id(text(body, 'source_id', 'id'), url, started)}",
            "type": "page.viewed",
            "channel": "web",
            "time": told(moment(started, "timestamp"), post.received_at),
            "identifiers": _identifiers(contact) or named(chatwoot_visitor=text(body, "source_id")),
            "data": {"url": url},
        }


def _conversation(body: Document, post: Post, state: str) -> Iterator[Document]:
    """A conversation as it is: a webhook has no time of its own but the conversation's last."""
    key, type = text(body, "id"), STATES.get(state)
    if not type or not key:
        return
    created = moment(body, "created_at") if state == "created" else None
    at = created or moment(body, "timestamp") or post.received_at
    id = f"conversation-{key}/{state}" + (f"/{int(at.timestamp())}" if state != "created" else "")
    data = {"disposition": "resolved"} if type == "chat.ended" else {}
    yield {**_shared(body, body, post), "id": id, "type": type, "time": at.isoformat(), "data": data}


def _shared(conversation: Document, body: Document, post: Post) -> Document:
    contact = part(part(conversation, "meta"), "sender")
    if not contact and part(body, "sender").get("type") == "contact":
        contact = part(body, "sender")
    is_verified = part(conversation, "contact_inbox").get("hmac_verified") is True
    sure = {"verification": "verified"} if is_verified else {}
    inbox = (text(conversation, "channel") or "").rpartition("::")[2].lower()
    return {
        "channel": CHANNELS.get(inbox, "chat"),
        "identifiers": [one | sure for one in _identifiers(contact)],
        "time": told(moment(body, "created_at"), post.received_at),
        **given(conversation=text(conversation, "id")),
    }


def _identifiers(contact: Document) -> list[dict[str, str]]:
    account, mail, phone = (text(contact, field) for field in ("identifier", "email", "phone_number"))
    return named(account=account, email=mail, phone=phone, chatwoot_contact=text(contact, "id"))


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
            "message_updated": "message.edited, message.deleted, message.failed; answers to the widget's forms: "
            "feedback.received, form.submitted, customer.identified",
            "conversation_created": "chat.started",
            "conversation_status_changed": "chat.ended (resolved), chat.started (open again)",
            "contact_created, contact_updated": "customer.identified",
            "webwidget_triggered": "page.viewed",
        },
    ),
)
