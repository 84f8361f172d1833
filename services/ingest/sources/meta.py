"""Meta's webhooks: WhatsApp Cloud API, Messenger and Instagram, which one app may receive at one address. Pure.

A post may hold many events of many accounts; a part that can't be read doesn't keep the others back. Meta signs the
body alone, without a time, and posts again for days: what is replayed is known by its ids.
Source: Meta's Webhooks (Getting Started: verification requests, validating payloads).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from schemas.codec import Malformed
from services.ingest.sources import messenger, whatsapp
from services.ingest.sources.fields import items
from services.ingest.sources.vendor import Document, Post, Reply, Vendor, check_signature, signature

OBJECTS = {"page": "messenger", "instagram": "instagram"}  # the kind of identifiers that its customers have


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over the body by the app's secret. Raises Forged."""
    expected = (f"sha256={signature(secret, post.raw)}" for secret in secrets)
    check_signature(expected, post.headers.get("x-hub-signature-256"))


def keys(post: Post) -> Iterable[str]:
    """The token by which Meta proves that it was told to post here."""
    return [post.query_params.get("hub.verify_token", "")] if post.method == "GET" else []


def handshake(post: Post, secrets: Sequence[str]) -> Reply | None:
    """The challenge of a verification request, given back."""
    asked = post.query_params
    if post.method != "GET" or asked.get("hub.mode") != "subscribe":
        return None
    return Reply(asked.get("hub.challenge", "").encode())


def translate(post: Post) -> Iterator[Document]:
    """The events of a post. Raises Malformed."""
    kind = post.object.get("object")
    if not isinstance(kind, str) or not isinstance(post.object.get("entry"), list):
        raise Malformed("not_metas", 'This is no webhook of Meta\'s: "object" and "entry" are missing.')
    for entry in items(post.object, "entry"):
        if kind == "whatsapp_business_account":
            yield from whatsapp.translate(entry, post)
        elif kind in OBJECTS:
            yield from messenger.translate(entry, post, OBJECTS[kind])


SETUP = (
    "App Dashboard → {where}: give `{{url}}` as the callback URL, and as the verify token the source's key. Subscribe "
    "to {fields}. Give the app's secret (App settings → Basic) by `tellonce sources secret`."
)
WHATSAPP = {
    "messages": "message.received; an edit: message.edited; a revoke: message.deleted; a reaction: message.reacted",
    "smb_message_echoes": "message.sent, message.edited, message.deleted",
    "statuses (failed)": "message.failed",
    "request_welcome": "chat.started",
    "a changed number": "customer.identified, with the number before",
    "calls": "call.ringing, call.started, call.ended",
}
MESSENGER = {
    "messages, messaging_postbacks": "message.received; unsent: message.deleted",
    "message_echoes": "message.sent",
    "message_edits": "message.edited",
    "message_reactions": "message.reacted",
    "messaging_referrals": "chat.started",
    "comments, mentions, feed": "message.received, message.edited, message.deleted",
}
META = Vendor(
    name="meta",
    title="Meta: WhatsApp, Messenger and Instagram in one",
    channel="chat",
    translate=translate,
    verify=verify,
    secret="the app's secret",
    keys=keys,
    handshake=handshake,
    reference="https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
    setup=SETUP.format(where="Webhooks", fields="the fields below, for each product"),
    becomes=WHATSAPP | MESSENGER,
)
VENDORS = (
    META,
    replace(
        META,
        name="whatsapp",
        title="WhatsApp Cloud API",
        reference="https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components",
        setup=SETUP.format(where="WhatsApp → Configuration", fields="messages, smb_message_echoes and calls"),
        becomes=WHATSAPP,
    ),
    replace(
        META,
        name="messenger",
        title="Messenger",
        channel="social",
        reference="https://developers.facebook.com/docs/messenger-platform/webhooks",
        setup=SETUP.format(where="Messenger → Settings", fields="the fields below"),
        becomes=MESSENGER,
    ),
    replace(
        META,
        name="instagram",
        title="Instagram messages and comments",
        channel="social",
        reference="https://developers.facebook.com/docs/instagram-platform/webhooks",
        setup=SETUP.format(where="Instagram → API setup", fields="the fields below"),
        becomes=MESSENGER,
    ),
)
