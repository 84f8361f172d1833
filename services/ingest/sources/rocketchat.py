"""Rocket.Chat's omnichannel webhooks. Pure.

The same messages come one by one, and all again when a session ends. So that they are the same each time, they name the
visitor by what never changes; what else is known of them is an event of its own, known by its content.
Source: Rocket.Chat, "Configure Omnichannel Event Webhooks"; `sendToCRM` for the fields.
"""

from collections.abc import Iterable, Iterator

from services.ingest.sources.fields import content_id, given, items, moment, name, named, part, text, told
from services.ingest.sources.vendor import Document, Post, Vendor


def keys(post: Post) -> Iterable[str]:
    """The secret token, which comes along."""
    return [post.headers.get("x-rocketchat-livechat-token", "")]


def translate(post: Post) -> Iterator[Document]:
    """The events of a post. Raises Malformed."""
    body, type = post.object, text(post.object, "type") or ""
    room, visitor = text(body, "_id"), part(body, "visitor")
    if type == "LivechatOfflineMessage":
        yield from _offline(body, visitor, post)
    if not room or not type.startswith(("Livechat", "Message", "LeadCapture")):
        return
    known = {"channel": "chat", "conversation": room, "identifiers": _identifiers(visitor)}
    created = told(moment(body, "createdAt"), post.received_at)
    yield from _visitor(visitor, known, created)
    if type == "LivechatSessionStart":
        yield {**known, "id": f"{room}/started", "type": "chat.started", "time": created, "data": {}}
    for message in items(body, "messages"):
        yield from _message(message, visitor, room, known, post)
    if type == "LivechatSession":
        at = moment(body, "closedAt") or moment(body, "lastMessageAt")
        by = {"visitor": "closed by the customer", "user": "closed by an agent"}.get(text(body, "closer") or "")
        id = f"{room}/ended/{int(at.timestamp()) if at else ''}"
        data = {"disposition": by or "closed"}
        yield {**known, "id": id, "type": "chat.ended", "time": told(at, post.received_at), "data": data}


def _identifiers(visitor: Document) -> list[dict[str, str]]:
    return named(rocketchat=text(visitor, "_id", "token", "username"))


def _visitor(visitor: Document, known: Document, at: str) -> Iterator[Document]:
    """What is known of a visitor beyond their id."""
    mail, phone = _address(visitor, "email", "address"), _address(visitor, "phone", "phoneNumber")
    fields = part(visitor, "customFields") or part(visitor, "livechatData")
    account, person = text(fields, "customerId", "accountId", "userId"), name(visitor, "name")
    found = named(account=account, email=mail, phone=phone)
    if found or person:
        yield {
            **known,
            "id": f"visitor-{content_id(known['identifiers'], found, person)}",
            "type": "customer.identified",
            "time": at,
            "identifiers": [*known["identifiers"], *found],
            "data": {"traits": given(name=person)},
        }


def _address(visitor: Document, field: str, inner: str) -> str | None:
    """A mail or phone: a text in older versions, a list of objects in newer ones."""
    listed = next((found for one in items(visitor, field) if (found := text(one, inner))), None)
    return listed or text(visitor, field)


def _message(message: Document, visitor: Document, room: str, known: Document, post: Post) -> Iterator[Document]:
    words, who = _words(message), text(message, "username")
    id = text(message, "_id") or f"{room}/{content_id(who, text(message, 'ts'), words)}"
    known = {**known, "id": id, "time": told(moment(message, "ts"), post.received_at)}
    page = part(part(message, "navigation"), "page")
    if page:
        data = given(url=text(part(page, "location"), "href"), title=text(page, "title"))
        yield {**known, "type": "page.viewed", "channel": "web", "conversation": None, "data": data}
        return
    files = [given(name=text(one, "title", "name"), type=_type(one)) for one in _files(message)]
    if not (words or files):
        return
    is_ours = bool(text(message, "agentId")) or who != text(visitor, "username")
    if message.get("closingMessage") is True:  # why it was closed: "Closed by visitor", or the agent's remark
        if is_ours:
            by = {"role": "agent", **given(name=who and who[:512])}
            yield {**known, "type": "note.written", "direction": "internal", "author": by, **given(text=words)}
        return
    side = {
        "direction": "outbound" if is_ours else "inbound",
        "author": {"role": "agent", **given(name=who and who[:512])} if is_ours else {"role": "customer"},
        **given(text=words),
    }
    if edited := moment(message, "editedAt"):
        known |= {"id": f"{id}/edited/{int(edited.timestamp())}", "time": told(edited, post.received_at)}
        yield {**known, **side, "type": "message.edited", "data": {"message": id}}
    else:
        type = "message.sent" if is_ours else "message.received"
        yield {**known, **side, "type": type, "data": {"attachments": files}}


def _words(message: Document) -> str | None:
    """What is written; of what an app shows in blocks, whose JSON then stands for it, their texts."""
    words, blocks = text(message, "msg"), items(message, "blocks")
    if not blocks or not (words or "").startswith("[{"):
        return words
    return "\n".join(shown for one in blocks if (shown := text(part(one, "text"), "text"))) or None


def _files(message: Document) -> list[Document]:
    return [one for one in (part(message, "file"),) if one] or items(message, "attachments")


def _type(file: Document) -> str | None:
    return text(file, "type", "image_type", "audio_type", "video_type")


def _offline(body: Document, visitor: Document, post: Post) -> Iterator[Document]:
    """A message left while nobody was there."""
    words, mail = text(body, "message"), _address(visitor, "email", "address")
    if words:
        yield {
            "id": f"offline-{content_id(text(body, 'sentAt'), mail, words)}",
            "type": "message.received",
            "time": told(moment(body, "sentAt"), post.received_at),
            "channel": "chat",
            "author": {"role": "customer", **given(name=name(visitor, "name"))},
            "identifiers": named(email=mail, phone=_address(visitor, "phone", "phoneNumber")),
            "text": words,
            "data": {"attachments": []},
        }


VENDORS = (
    Vendor(
        name="rocketchat",
        title="Rocket.Chat omnichannel",
        channel="chat",
        translate=translate,
        keys=keys,
        secret="the webhook's secret token, which it sends along",
        reference="https://docs.rocket.chat/docs/webhooks",
        setup=(
            "Manage → Omnichannel → Webhooks: paste `{url}`, think of a secret token and give it by `tellonce sources "
            "secret` as well. Tick chat start, chat close, offline messages, visitor and agent messages."
        ),
        becomes={
            "LivechatSessionStart": "chat.started",
            "Message": "message.received, message.sent, message.edited",
            "LivechatSession": "chat.ended, and its messages; an agent's closing comment: note.written",
            "LivechatOfflineMessage": "message.received",
            "LeadCapture, and what else names the visitor": "customer.identified",
            "visitor's navigation": "page.viewed",
        },
    ),
)
