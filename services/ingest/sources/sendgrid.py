"""SendGrid's Inbound Parse: mails as multipart forms, taken to pieces or raw. Pure.

Each part is in a character set of its own, which the part `charsets` names. Source: SendGrid's "Setting up the Inbound
Parse webhook" and "Securing your Inbound Parse webhooks".
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import form, mail, mailbodies, senders
from services.ingest.sources.fields import text
from services.ingest.sources.form import Field
from services.ingest.sources.mail import Receipt
from services.ingest.sources.mailbodies import Body
from services.ingest.sources.mailheaders import Headers, characters
from services.ingest.sources.vendor import Document, Forged, Post, Vendor, check_fresh

RETRIED = 3 * 24 * 3600.0  # seconds: it posts a mail again for so long, and what is signed is all of it
DKIM = re.compile(r"@([^\s:,}]+)\s*:\s*pass", re.IGNORECASE)  # of `{@example.org : pass, @other.org : fail}`


def verify(post: Post, secrets: Sequence[str]) -> None:
    """ECDSA over time and body, by public keys in base64. Raises Forged."""
    at = post.headers.get("x-twilio-email-event-webhook-timestamp", "")
    given = post.headers.get("x-twilio-email-event-webhook-signature")
    if not given:
        raise Forged("signature_missing", "The request is not signed.")
    if not any(_is_signed(secret, at.encode() + post.raw, given) for secret in secrets):
        raise Forged("signature_wrong", "The signature is not that of this body by the source's key.")
    check_fresh(at, post.received_at, RETRIED)


def translate(post: Post) -> Iterator[Document]:
    """The mail that was posted. Raises Malformed."""
    found = _fields(post)
    fields = {one.name: one for one in reversed(found) if one.filename is None}
    said = _json(fields.get("charsets"))
    words = {name: characters(one.content, text(said, name)) for name, one in fields.items() if name != "email"}
    envelope = _json(fields.get("envelope"))
    receipt = _receipt(post, envelope, words)
    if raw := fields.get("email"):
        yield mail.document(raw.content, receipt)
    elif "headers" in words or "from" in words:
        yield _composed(words, [one for one in found if one.filename is not None], receipt)
    else:
        raise Malformed("not_a_mail", "The form has no field of a mail: let Inbound Parse post here.")


def _receipt(post: Post, envelope: Document, words: dict[str, str]) -> Receipt:
    sender, to = envelope.get("from"), envelope.get("to")
    recipients = tuple(one for one in to if isinstance(one, str)) if isinstance(to, list) else ()
    sender = sender if isinstance(sender, str) else None
    attested = [domain.lower() for domain in DKIM.findall(words.get("dkim", ""))]
    if words.get("SPF", "").strip().lower() == "pass" and sender:
        attested.append(senders.domain(sender))
    return Receipt(post.received_at, post.ours, sender, recipients, frozenset(attested))


def _composed(words: dict[str, str], files: Sequence[Field], receipt: Receipt) -> Document:
    lines = re.sub(r"\r?\n[ \t]+", " ", words.get("headers", "")).splitlines()
    listed = [(name, value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon]
    own = {name: words.get(name.lower()) for name in ("From", "To", "Cc", "Subject")}  # decoded, unlike the headers
    pairs = [(name, value) for name, value in own.items() if value]
    pairs += [(name, value) for name, value in listed if not own.get(name.strip().capitalize())]
    written = mailbodies.written(words.get("text", ""), words.get("html", ""))
    attached = [
        mailbodies.attachment(one.filename or "", one.headers.get("content-type", ""), len(one.content))
        for one in files
    ]
    content = "\0".join(words.get(name, "") for name in ("headers", "from", "to", "subject", "text", "html"))
    id = f"sha256:{hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()}"
    return mail.composed(Headers(pairs), Body(*written, attached), receipt, id)


def _fields(post: Post) -> tuple[Field, ...]:
    """The form's fields; a body out of a file, its line ends lost, says its boundary at its beginning."""
    first, _, _ = post.content.partition(b"\n")
    is_whole = first.endswith(b"\r")
    if not first.startswith(b"--") or (is_whole and "boundary" in post.headers.get("content-type", "")):
        return post.form
    content = post.content if is_whole else post.content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    boundary = first.strip()[2:].decode("latin-1").replace('"', "")
    return form.fields(content, f'multipart/form-data; boundary="{boundary}"')


def _json(field: Field | None) -> Document:
    try:
        parsed = documents.parse(field.content) if field else {}
    except Malformed:
        parsed = {}
    return parsed if isinstance(parsed, dict) else {}


def _is_signed(secret: str, signed: bytes, given: str) -> bool:
    # Loaded by whoever needs it: it takes longer than all vendors together.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(secret))
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(base64.b64decode(given), signed, ECDSA(SHA256()))
    except (ValueError, InvalidSignature):  # a key or signature that is none as well
        return False
    return True


VENDORS = (
    Vendor(
        name="sendgrid",
        title="SendGrid (Inbound Parse)",
        channel="email",
        translate=translate,
        verify=verify,
        secret="the public key of the parse webhook's security policy",
        large=True,
        reference="https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/inbound-email",
        setup=(
            "Settings → Inbound Parse → Add host & URL: paste `{url}?key=KEY` with the source's key, and tick “POST "
            "the raw, full MIME message”, which tells most. Or make a security policy with a signature, paste `{url}`, "
            "and give the policy's public key by `tellonce sources secret`."
        ),
        becomes={
            "a mail": "message.received; message.sent where one of ours wrote it",
            "a bounce, an absence note, a list's mail": "message.received, marked as automatic",
        },
    ),
)
