"""What Messenger and Instagram tell in an entry of Meta's webhooks: messages, and comments below posts. Pure.

A person is known to a page, or to an account, by an id of its own. Messenger knows no end of a conversation: it is the
page's with the person.
Source: Messenger Platform and Instagram Platform, webhooks references.
"""

from collections.abc import Iterator
from itertools import chain

from services.ingest.sources.fields import given, items, moment, name, named, part, text, told
from services.ingest.sources.vendor import Document, Post

# The apps that are Meta's own inboxes, of pages and of Instagram: what comes by them, people wrote.
INBOXES = ("263902037430900", "1217981644879628")
COMMENTS = ("comments", "live_comments", "feed", "mentions", "mention")
VERBS = {"add": "message.received", "edited": "message.edited", "edit": "message.edited", "remove": "message.deleted"}


def translate(entry: Document, post: Post, kind: str) -> Iterator[Document]:
    """The events of an entry; `kind` names the identifiers of its people."""
    for one in chain(items(entry, "messaging"), items(entry, "standby")):
        yield from _messaging(one, post, kind)
    for change in items(entry, "changes"):
        value = part(change, "value")
        if part(value, "sender") and part(value, "recipient"):  # as Instagram sends it, and the dashboard's tests
            yield from _messaging(value, post, kind)
        elif text(change, "field") in COMMENTS:
            yield from _comment(value, entry, post, kind)


def _messaging(one: Document, post: Post, kind: str) -> Iterator[Document]:
    message = part(one, "message")
    sender, recipient = text(part(one, "sender"), "id"), text(part(one, "recipient"), "id")
    is_ours = message.get("is_echo") is True
    person, page = (recipient, sender) if is_ours else (sender, recipient)
    at = moment(one, "timestamp")
    known = {
        "time": told(at, post.received_at),
        "channel": "social",
        "direction": "outbound" if is_ours else "inbound",
        "author": {"role": _role(message) if is_ours else "customer"},
        "identifiers": named(**{kind: person}),
        "conversation": f"{page}:{person}",
    }
    since = f"{person}/{int(at.timestamp() * 1000) if at else ''}"  # for what has no id of its own
    if message:
        yield from _message(message, known, is_ours)
    elif edit := part(one, "message_edit"):
        number = text(edit, "mid")
        id = f"{number}/edited/{text(edit, 'num_edit') or since}"
        yield {**known, "id": id, "type": "message.edited", "text": text(edit, "text"), "data": {"message": number}}
    elif reaction := part(one, "reaction"):
        yield from _reaction(reaction, known, since)
    elif postback := part(one, "postback"):
        words, payload = text(postback, "title", "payload"), text(postback, "payload")
        id = text(postback, "mid") or f"postback/{since}"
        yield {**known, "id": id, "type": "message.received", "text": words, "data": given(payload=payload)}
    elif referral := part(one, "referral"):
        data = given(ref=text(referral, "ref"), url=text(referral, "referer_uri"), origin=text(referral, "source"))
        yield {**known, "id": f"referral/{since}", "type": "chat.started", "data": data}


def _role(echo: Document) -> str:
    app = text(echo, "app_id")
    return "agent" if app is None or app in INBOXES else "bot"


def _message(message: Document, known: Document, is_ours: bool) -> Iterator[Document]:
    number = text(message, "mid")
    if message.get("is_deleted") is True:
        yield {**known, "id": f"{number}/deleted", "type": "message.deleted", "data": {"message": number}}
        return
    sent = items(message, "attachments")
    reply = part(message, "reply_to")
    data = {
        "attachments": [given(type=text(one, "type"), name=_title(one)) for one in sent],
        **given(
            reply_to=text(reply, "mid"),
            story=text(part(reply, "story"), "id"),
            payload=text(part(message, "quick_reply"), "payload"),
            kind="unsupported" if message.get("is_unsupported") is True else None,
        ),
    }
    type = "message.sent" if is_ours else "message.received"
    yield {**known, "id": number, "type": type, **given(text=text(message, "text")), "data": data}


def _title(attachment: Document) -> str | None:
    return text(part(attachment, "payload"), "title") or text(attachment, "title")


def _reaction(reaction: Document, known: Document, since: str) -> Iterator[Document]:
    number, is_off = text(reaction, "mid"), reaction.get("action") == "unreact"
    emoji = None if is_off else text(reaction, "emoji", "reaction")
    data = given(message=number, emoji=emoji)
    yield {**known, "id": f"{number}/reaction/{since}", "type": "message.reacted", "data": data}


def _comment(value: Document, entry: Document, post: Post, kind: str) -> Iterator[Document]:
    """A comment below a post, or a mention; those that the page itself wrote go out."""
    number, author = text(value, "comment_id", "id"), part(value, "from")
    if not number or text(value, "item") not in (None, "comment"):
        return  # a like, or a post of the page's own
    type = VERBS.get(text(value, "verb") or "add")
    is_ours = text(author, "id") == text(entry, "id")
    at = moment(value, "created_time") or moment(entry, "time")
    about = text(value, "post_id", "media_id") or text(part(value, "media"), "id")
    known = {
        "time": told(at, post.received_at),
        "channel": "social",
        "direction": "outbound" if is_ours else "inbound",
        "author": {"role": "agent" if is_ours else "customer", **given(name=name(author, "name", "username"))},
        "identifiers": [] if is_ours else named(**{kind: text(author, "id")}),
        "conversation": text(value, "parent_id") or number,
        "data": {"attachments": [], **given(about=about)},
    }
    words = text(value, "message", "text")
    if type == "message.received":
        yield {**known, "id": number, "type": "message.sent" if is_ours else type, "text": words}
    elif type:
        id = f"{number}/{type.rpartition('.')[2]}/{text(entry, 'time')}"
        yield {**known, "id": id, "type": type, "data": {"message": number}, **given(text=words)}
