"""Slack's Events API: what customers and the company's people write in its channels. Pure.

A thread is a conversation, and so is a direct message. Bots are the company's; in a channel shared with another
company (Slack Connect) members of the own workspace are agents, and everybody else who writes is a customer.
Source: Slack's Events API, `message` and its subtypes; verifying requests from Slack.
"""

import html
import re
from collections.abc import Iterator, Sequence

from services.ingest.sources.fields import given, items, moment, name, named, part, text, told
from services.ingest.sources.vendor import Document, Post, Reply, Vendor, check_fresh, check_signature, signature

WRITTEN = (None, "file_share", "thread_broadcast", "me_message", "bot_message")
LINK = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over version, time and body by the app's signing secret. Raises Forged."""
    at = post.headers.get("x-slack-request-timestamp", "")
    signed = b"v0:" + at.encode(errors="replace") + b":" + post.raw
    expected = (f"v0={signature(secret, signed)}" for secret in secrets)
    check_signature(expected, post.headers.get("x-slack-signature"))
    check_fresh(at, post.received_at)


def handshake(post: Post, secrets: Sequence[str]) -> Reply | None:
    """The challenge by which Slack asks whether we are whom it was told of, given back."""
    if post.method != "POST" or post.object.get("type") != "url_verification":
        return None
    return Reply((text(post.object, "challenge") or "").encode(errors="replace"))


def translate(post: Post) -> Iterator[Document]:
    """The events of a callback. Raises Malformed."""
    event, body = part(post.object, "event"), post.object
    kind, subtype = text(event, "type"), text(event, "subtype")
    if kind in ("message", "app_mention") and subtype == "message_changed":
        yield from _changed(event, body, post)
    elif kind in ("message", "app_mention") and subtype == "message_deleted":
        yield from _deleted(part(event, "previous_message"), text(event, "deleted_ts"), event, body, post)
    elif kind in ("message", "app_mention") and subtype in WRITTEN:
        yield from _message(event, body, post)
    elif kind in ("reaction_added", "reaction_removed"):
        yield from _reaction(event, kind == "reaction_added", body, post)
    elif kind in ("team_join", "user_change"):
        yield from _identified(part(event, "user"), event, body, post)


def _shared(message: Document, event: Document, body: Document, post: Post) -> Document:
    """Who wrote a message, and where; its time is its `ts`."""
    channel = text(event, "channel") or text(part(event, "item"), "channel")
    is_direct = (text(event, "channel_type") or "") in ("im", "mpim") or str(channel).startswith("D")
    thread = text(message, "thread_ts") or (None if is_direct else text(message, "ts"))
    is_bot = bool(text(message, "bot_id") or message.get("subtype") == "bot_message")
    home = text(message, "user_team", "source_team", "team")
    is_ours = is_bot or (body.get("is_ext_shared_channel") is True and home is not None and home == body.get("team_id"))
    profile = part(message, "user_profile") or part(message, "bot_profile")
    person = name(profile, "display_name", "real_name", "name") or name(message, "username")
    role = "bot" if is_bot else "agent" if is_ours else "customer"
    return {
        "time": told(moment(message, "ts"), post.received_at),
        "channel": "chat",
        "conversation": f"{channel}/{thread}" if thread else channel,
        "direction": "outbound" if is_ours else "inbound",
        "author": {"role": role, **given(id=text(message, "user", "bot_id"), name=person)},
        "identifiers": [] if is_ours else named(slack=text(message, "user")),
    }


def _message(event: Document, body: Document, post: Post) -> Iterator[Document]:
    known, words, files = _shared(event, event, body, post), _words(event), _files(event)
    if not (words or files) or not text(event, "ts"):
        return
    type = "message.sent" if known["direction"] == "outbound" else "message.received"
    id = f"{text(event, 'channel')}/{text(event, 'ts')}"
    yield {**known, "id": id, "type": type, "data": {"attachments": files}, **given(text=words)}


def _changed(event: Document, body: Document, post: Post) -> Iterator[Document]:
    """Slack also calls it a change when an answer or the preview of a link comes along: words tell."""
    message, before = part(event, "message"), part(event, "previous_message")
    if message.get("subtype") == "tombstone":  # the first of a thread, deleted while its answers stay
        yield from _deleted(before or message, text(message, "ts"), event, body, post)
        return
    words, stamp = _words(message), text(part(message, "edited"), "ts") or text(event, "event_ts", "ts")
    if not words or words == _words(before):
        return
    number = f"{text(event, 'channel')}/{text(message, 'ts')}"
    yield {
        **_shared(message, event, body, post),
        "id": f"{number}/edited/{stamp}",
        "type": "message.edited",
        "time": told(moment({"at": stamp}, "at"), post.received_at),
        "text": words,
        "data": {"message": number},
    }


def _deleted(message: Document, ts: str | None, event: Document, body: Document, post: Post) -> Iterator[Document]:
    number = f"{text(event, 'channel')}/{ts}"
    at = moment(event, "event_ts") or moment(event, "ts")
    known = _shared({"ts": ts, **message}, event, body, post)
    yield {
        **known, "id": f"{number}/deleted", "type": "message.deleted", "time": told(at, post.received_at),
        "data": {"message": number},
    }  # fmt: skip


def _reaction(event: Document, is_on: bool, body: Document, post: Post) -> Iterator[Document]:
    item = part(event, "item")
    if text(item, "type") != "message":
        return
    number, emoji = f"{text(item, 'channel')}/{text(item, 'ts')}", text(event, "reaction")
    stamp = text(event, "event_ts")
    known = _shared({**event, "ts": text(item, "ts")}, event, body, post)
    yield {
        **known, "id": f"{number}/reaction/{text(event, 'user')}/{emoji}/{stamp}", "type": "message.reacted",
        "time": told(moment(event, "event_ts"), post.received_at),
        "data": {"message": number, **given(emoji=emoji if is_on else None)},
    }  # fmt: skip


def _identified(user: Document, event: Document, body: Document, post: Post) -> Iterator[Document]:
    number, profile = text(user, "id"), part(user, "profile")
    if not number or user.get("is_bot") is True:
        return
    at = moment(event, "event_ts") or moment(body, "event_time")
    mail, phone = text(profile, "email"), text(profile, "phone")
    yield {
        "id": text(body, "event_id") or f"user-{number}/{text(event, 'event_ts')}",
        "type": "customer.identified",
        "time": told(at, post.received_at),
        "identifiers": named(slack=number, email=mail, phone=phone),
        "data": {"traits": given(name=name(profile, "real_name", "display_name"))},
    }


def _files(message: Document) -> list[Document]:
    return [given(name=text(one, "name", "title"), type=text(one, "mimetype")) for one in items(message, "files")]


def _words(message: Document) -> str | None:
    """The text as people read it: mentions and links written out. Of a card, what it shows instead."""
    shown = [text(one, "fallback", "text", "title") for one in items(message, "attachments")]
    blocks = [text(part(one, "text"), "text") for one in items(message, "blocks")]
    raw = text(message, "text") or "\n".join(filter(None, [*blocks, *shown]))
    return html.unescape(LINK.sub(_link, raw)) or None


def _link(found: re.Match[str]) -> str:
    sign, target, label = found.groups()
    if sign:
        return ("#" if sign == "#" else "@") + (label or target).removeprefix("@").removeprefix("#")
    return f"{label} ({target})" if label and label not in target else target.removeprefix("mailto:")


VENDORS = (
    Vendor(
        name="slack",
        title="Slack",
        channel="chat",
        translate=translate,
        verify=verify,
        secret="the app's signing secret",
        handshake=handshake,
        reference="https://docs.slack.dev/apis/events-api/",
        setup=(
            "Your app → Basic Information: give its signing secret by `tellonce sources secret` first. Then Event "
            "Subscriptions: paste `{url}` as the request URL, and subscribe to the events below for the channels in "
            "which customers write. Bots, and in shared channels your own workspace's members, are taken as yours; "
            "everybody else as a customer."
        ),
        becomes={
            "message.channels, message.groups, message.im, app_mention": "message.received, message.sent",
            "message_changed, message_deleted": "message.edited, message.deleted",
            "reaction_added, reaction_removed": "message.reacted",
            "team_join, user_change": "customer.identified",
        },
    ),
)
