"""Mailgun's routes: mails that it received, taken to pieces or whole, and those that it stored. Pure.

Tracking of mails that were sent (delivered, opened, complained) becomes nothing. Source: Mailgun's "Routes" and
"Securing webhooks". A signature covers its time and token, not the mail, and may be the same when it is posted again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import mail, mailbodies, senders
from services.ingest.sources.fields import moment, part, text
from services.ingest.sources.form import Field
from services.ingest.sources.mail import Receipt
from services.ingest.sources.mailbodies import Body
from services.ingest.sources.mailheaders import Headers
from services.ingest.sources.vendor import Document, Forged, Post, Vendor, check_fresh, check_signature, signature

RETRIED = 9 * 3600.0  # seconds: it posts a mail again for eight hours, by the same signature
SIGNED = ("timestamp", "token", "signature")
Pairs = list[tuple[str, str]]


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over time and token. Raises Forged."""
    said = _signed(post)
    signed = f"{said['timestamp']}{said['token']}".encode(errors="replace")
    check_signature((signature(secret, signed) for secret in secrets), said["signature"])
    check_fresh(said["timestamp"], post.received_at, RETRIED)


def token(post: Post) -> str | None:
    """What a signature may be used for once."""
    return _signed(post)["token"] or None


def translate(post: Post) -> Iterator[Document]:
    """The mail that was posted, if one was. Raises Malformed."""
    fields, files = _fields(post)
    if "event-data" in fields or "event" in fields:
        return  # tracking
    names = [address.strip() for address in str(fields.get("recipient", "")).split(",")]
    at = moment(fields, "timestamp") or post.received_at
    receipt = Receipt(at, post.ours, text(fields, "sender"), tuple(filter(None, names)))
    if raw := fields.get("body-mime"):
        yield mail.document(raw if isinstance(raw, bytes) else str(raw).encode("utf-8", "replace"), receipt)
    elif any(name in fields for name in ("message-headers", "body-plain", "body-html", "from")):
        yield _composed(fields, files, receipt)
    else:
        raise Malformed("not_a_mail", "The post has no field of a mail: let a route forward it here.")


def _composed(fields: Document, files: Sequence[Field], receipt: Receipt) -> Document:
    pairs = _headers(fields)
    words = mailbodies.written(text(fields, "body-plain") or "", text(fields, "body-html") or "")
    attached = [
        mailbodies.attachment(one.filename or "", one.headers.get("content-type", ""), len(one.content))
        for one in files
    ]
    attested = _attested(pairs, receipt.sender or "")
    receipt = Receipt(receipt.at, receipt.ours, receipt.sender, receipt.recipients, attested)
    said = json.dumps([value for name, value in sorted(fields.items()) if name not in SIGNED], default=str)
    id = f"sha256:{hashlib.sha256(said.encode()).hexdigest()}"
    return mail.composed(Headers(pairs), Body(*words, attached + _stored(fields)), receipt, id)


def _headers(fields: Document) -> Pairs:
    """The mail's own headers; without them, what the fields say of them."""
    listed = _json(fields.get("message-headers"))
    pairs = [
        (pair[0], pair[1])
        for pair in (listed if isinstance(listed, list) else ())
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(word, str) for word in pair)
    ]
    pairs = pairs or [(name, value) for name, value in fields.items() if name[:1].isupper() and isinstance(value, str)]
    known = {name.lower() for name, _ in pairs}
    more = {"From": text(fields, "from", "sender"), "Subject": text(fields, "subject"), "To": text(fields, "recipient")}
    return pairs + [(name, value) for name, value in more.items() if value and name.lower() not in known]


def _attested(pairs: Pairs, sender: str) -> frozenset[str]:
    """The domains that Mailgun attests, above the first Received: below it, the sender could have written it."""
    places = [place for place, (name, _) in enumerate(pairs) if name.lower() == "received"]
    own = Headers(pairs[: places[0] if places else 0])
    signed = senders.signed_domains(Headers(pairs))
    by_signature = signed if len(signed) == 1 and own.first("X-Mailgun-Dkim-Check-Result").lower() == "pass" else []
    by_sender = [senders.domain(sender)] if own.first("X-Mailgun-Spf").lower() == "pass" else []
    return frozenset((*by_signature, *by_sender))


def _stored(fields: Document) -> list[dict[str, Any]]:
    """Attachments of a mail that Mailgun stored: a list of where they are."""
    listed = _json(fields.get("attachments"))
    found = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]
    sizes = [one.get("size") for one in found]
    return [
        mailbodies.attachment(text(one, "name") or "", text(one, "content-type") or "", _size(size))
        for one, size in zip(found, sizes, strict=True)
    ]


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _json(value: Any) -> Any:
    """A field that holds JSON; nothing where it is none."""
    try:
        return documents.parse(value.encode("utf-8", "replace")) if isinstance(value, str) else value
    except Malformed:
        return None


def _fields(post: Post) -> tuple[Document, list[Field]]:
    """The post's fields by name, a whole mail as bytes, and its files; tracking comes as JSON, which holds no mail.

    Raises Malformed.
    """
    if post.content.lstrip()[:1] == b"{":
        if len(post.content) > post.most:
            raise Malformed("too_long", f"The JSON has more than {post.most} bytes.")
        return post.object, []
    found = {one.name: one.content if one.name == "body-mime" else one.text for one in reversed(post.form)}
    return found, [one for one in post.form if one.filename is not None and one.name != "body-mime"]


def _signed(post: Post) -> Mapping[str, str]:
    try:
        fields, _ = _fields(post)
    except Malformed:
        raise Forged("signature_missing", "The request is not signed.") from None
    said = part(fields, "signature") or fields
    return {name: text(said, name) or "" for name in SIGNED}


VENDORS = (
    Vendor(
        name="mailgun",
        title="Mailgun (routes)",
        channel="email",
        translate=translate,
        verify=verify,
        once=token,
        secret="the HTTP webhook signing key of the account",
        drop=406,
        large=True,
        reference="https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http",
        setup=(
            "Receiving → Create route: forward to `{url}`, or to `{url}/mime` for whole mails, which tell most. Give "
            "the account's HTTP webhook signing key (Settings → API security) by `tellonce sources secret`. "
            "`store(notify)` works as well."
        ),
        becomes={
            "a mail": "message.received; message.sent where one of ours wrote it",
            "a bounce, an absence note, a list's mail": "message.received, marked as automatic",
            "delivered, opened, clicked, complained, …": "nothing",
        },
    ),
)
