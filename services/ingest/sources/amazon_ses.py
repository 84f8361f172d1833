"""Amazon SES: mails that it received, published by an SNS topic. Pure.

What it tells of mails that were sent (delivery, bounce, complaint) becomes nothing. Source: Amazon SES, "Contents of
notifications for email receiving"; Amazon SNS, "Verifying the signatures of messages".
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Sequence

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources import mail, senders
from services.ingest.sources.fields import items, moment, part, text
from services.ingest.sources.mail import Receipt
from services.ingest.sources.vendor import Document, Forged, Post, Reply, Vendor, check_fresh

# SNS in a region, by its whole name: sns.s3.amazonaws.com is a bucket of whoever took the name.
HOST = r"https://sns\.[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(\.cn)?/"
CERTIFICATE, ANYTHING = HOST + r"SimpleNotificationService-[0-9a-f]+\.pem", HOST + "[!-~]*"
# What is signed of a message, each name and value in a line (SNS, "Verifying the signatures").
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
RETRIED = 8 * 3600.0  # seconds: its time is that of the first attempt, and it goes on for hours


def certificate(post: Post) -> str | None:
    """Where the certificate of a message is, which must be at SNS."""
    address = text(post.object, "SigningCertURL", "SigningCertUrl")
    return address if address and re.fullmatch(CERTIFICATE, address) else None


def verify(post: Post, secrets: Sequence[str]) -> None:
    """RSA over the message's fields, by a certificate of SNS; anybody has topics there, so it has to be ours too.

    Raises Forged.
    """
    try:
        said = post.object
    except Malformed:
        raise Forged("signature_missing", "The request is no message of SNS.") from None
    topic, stated = text(said, "TopicArn") or "", moment(said, "Timestamp")
    if not text(said, "Signature"):
        raise Forged("signature_missing", "The request is not signed.")
    if not any(hmac.compare_digest(topic.encode(errors="replace"), secret.encode()) for secret in secrets):
        raise Forged("topic_wrong", "The message is from another topic than the source's.")
    if not _is_signed(said, post.certificate):
        raise Forged("signature_wrong", "The signature is not that of this message by the certificate of SNS.")
    check_fresh(str(stated.timestamp()) if stated else "", post.received_at, RETRIED)


def handshake(post: Post, secrets: Sequence[str]) -> Reply | None:
    """Confirms a subscription by asking for its address; that one ended needs no answer. Raises Malformed."""
    said = documents.parse(post.content)
    kind = text(said, "Type") if isinstance(said, dict) else None
    if kind == "UnsubscribeConfirmation":
        return Reply()
    if kind != "SubscriptionConfirmation":
        return None
    address = text(said, "SubscribeURL")
    if not address or not re.fullmatch(ANYTHING, address):
        raise Malformed("not_at_sns", "The address that confirms the subscription is not at SNS.")
    return Reply(visit=address)


def translate(post: Post) -> Iterator[Document]:
    """The mails that were posted: by SNS, with or without its envelope, or as a Lambda gets them. Raises Malformed."""
    for said in _messages(documents.parse(post.content)):
        yield from _mail(said, post)


def _messages(posted: object) -> Iterator[object]:
    """What SES says, out of its envelopes."""
    if isinstance(posted, dict) and isinstance(posted.get("Records"), list):
        for record in items(posted, "Records"):
            wrapped = part(record, "Sns") or part(record, "ses")
            yield from _messages(wrapped)
    elif isinstance(posted, dict) and isinstance(posted.get("Message"), str):
        try:
            yield documents.parse(posted["Message"].encode("utf-8", "replace"))
        except Malformed:
            raise Malformed("not_a_mail", "The message is none of SES's: its `Message` is no JSON.") from None
    else:
        yield posted


def _mail(said: object, post: Post) -> Iterator[Document]:
    if isinstance(said, str):  # nothing but the mail
        yield mail.document(said.encode("utf-8", "replace"), Receipt(post.received_at, post.ours))
        return
    if not isinstance(said, dict) or not (part(said, "receipt") or "notificationType" in said or "eventType" in said):
        raise Malformed("not_a_mail", "The message is none of SES's: it has no `receipt`.")
    if not part(said, "receipt") and text(said, "notificationType") != "Received":
        return  # of a mail that was sent
    content, action = said.get("content"), part(part(said, "receipt"), "action")
    if not isinstance(content, str) or not content:
        raise _without_content(text(action, "type") or "unknown")
    yield mail.document(_bytes(content, text(action, "encoding") or ""), _receipt(said, post))


def _without_content(action: str) -> Malformed:
    where = "put the mail into S3 and" if action == "S3" else f"published the mail by its action {action} and"
    return Malformed(
        "mail_not_included",
        f"SES {where} told us only about it: give the receipt rule an SNS action with encoding Base64 on this topic, "
        "which includes mails up to 150 kB; let a Lambda post larger ones whole to an `email` source.",
    )


def _bytes(content: str, encoding: str) -> bytes:
    """The mail's bytes. An old rule does not say its encoding: base64 has no colon, which any header has."""
    if encoding.upper() == "BASE64" or ":" not in content[:2000]:
        try:
            return base64.b64decode(content)
        except (binascii.Error, ValueError):
            raise Malformed("not_base64", "The mail's `content` is not the base64 that it says it is.") from None
    return content.encode("utf-8", "replace")


def _receipt(said: Document, post: Post) -> Receipt:
    mailed, receipt = part(said, "mail"), part(said, "receipt")
    recipients = receipt.get("recipients") or mailed.get("destination")
    known = tuple(one for one in recipients if isinstance(one, str)) if isinstance(recipients, list) else ()
    sender = mailed.get("source")
    at = moment(mailed, "timestamp") or post.received_at
    return Receipt(at, post.ours, sender if isinstance(sender, str) else None, known, _attested(mailed, receipt))


def _attested(mailed: Document, receipt: Document) -> frozenset[str]:
    """The domains in whose name it was sent, by SES's own verdicts."""
    verdicts = {name: text(part(receipt, f"{name}Verdict"), "status") for name in ("dmarc", "dkim", "spf")}
    if verdicts["dmarc"] == "FAIL":
        return frozenset()
    headers = [(text(one, "name") or "", text(one, "value") or "") for one in items(mailed, "headers")]
    signed = [value for name, value in headers if name.lower() == "dkim-signature"]
    domains = re.findall(r"(?:^|;)\s*d\s*=\s*([^;\s]+)", signed[0]) if len(signed) == 1 else []
    author = next((senders.domain(value) for name, value in headers if name.lower() == "from"), "")
    found = [author] if verdicts["dmarc"] == "PASS" else []
    found += domains if verdicts["dkim"] == "PASS" else []
    found += [senders.domain(str(mailed.get("source")))] if verdicts["spf"] == "PASS" else []
    return frozenset(one.lower() for one in found if one)


def _is_signed(said: Document, certificate: bytes) -> bool:
    # Loaded by whoever needs it: it takes longer than all vendors together.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256
    from cryptography.x509 import load_pem_x509_certificate

    names = NOTIFICATION if text(said, "Type") == "Notification" else CONFIRMATION
    signed = "".join(f"{name}\n{said[name]}\n" for name in names if isinstance(said.get(name), str))
    hash = {"1": SHA1, "2": SHA256}.get(text(said, "SignatureVersion") or "")
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if not hash or not isinstance(key, RSAPublicKey):
            return False
        key.verify(base64.b64decode(said["Signature"]), signed.encode("utf-8", "replace"), PKCS1v15(), hash())
    except (ValueError, TypeError, InvalidSignature):  # a certificate or signature that is none as well
        return False
    return True


VENDORS = (
    Vendor(
        name="amazon_ses",
        title="Amazon SES (receiving, by SNS)",
        channel="email",
        translate=translate,
        verify=verify,
        certificate=certificate,
        fetches=ANYTHING,
        handshake=handshake,
        secret="the ARN of the SNS topic, whose messages SNS signs",
        reference="https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html",
        setup=(
            "Make an SNS topic; in SES → Email receiving → the rule set, give a rule an action “Publish to Amazon SNS "
            "topic” with encoding Base64. Give the topic's ARN by `tellonce sources secret NAME ARN`, then subscribe "
            "`{url}` to the topic by HTTPS: the subscription confirms itself. SNS takes mails up to 150 kB; an S3 "
            "action tells only where a mail is, and is refused."
        ),
        becomes={
            "a mail received": "message.received; message.sent where one of ours wrote it",
            "a bounce, an absence note, a list's mail": "message.received, marked as automatic",
            "SubscriptionConfirmation": "nothing; the subscription is confirmed",
            "Delivery, Bounce, Complaint, …": "nothing",
        },
    ),
)
