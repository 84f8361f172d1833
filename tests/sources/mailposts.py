"""Mails as Mailgun, Postmark, SendGrid and Amazon SES post them, and whole by HTTP, signed as each does."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from services.ingest.sources.vendor import Post
from services.ours import Ours
from tests.builders import at

MAIL = (
    "Return-Path: <mari@example.ee>\r\nReceived: from mx; Mon, 4 May 2026 10:00:05 +0300\r\n"
    "Message-ID: <two@example.ee>\r\nReferences: <one@shop.example> <1b@shop.example>\r\n"
    "From: Mari Maasikas <mari@example.ee>\r\nTo: help@shop.example\r\nSubject: =?utf-8?q?=C3=95un?=\r\n"
    "Date: Mon, 4 May 2026 10:00:00 +0300\r\nDKIM-Signature: v=1; a=rsa-sha256; d=example.ee\r\n"
    "\r\nWhere is my parcel?\r\n"
)
PAIRS = [tuple(line.split(": ", 1)) for line in MAIL.split("\r\n\r\n")[0].split("\r\n")]
KEY, NOW, TOPIC = "key-123", int(at(0).timestamp()), "arn:aws:sns:eu-west-1:123456789012:mails"


def post(content: bytes, headers: dict[str, str] | None = None, **more: Any) -> Post:
    return Post(content, content, headers or {}, at(0), ours=Ours.of(["shop.example"]), **more)


def multipart(fields: dict[str, bytes], files: dict[str, bytes] | None = None) -> Post:
    head = b'Content-Disposition: form-data; name="%s"\r\n\r\n%s'
    parts = [head % (name.encode(), one) for name, one in fields.items()]
    for name, one in (files or {}).items():
        kind = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: image/png\r\n\r\n%s'
        parts.append(kind % (b"attachment-1", name.encode(), one))
    content = b"".join(b"--edge\r\n%s\r\n" % part for part in parts) + b"--edge--\r\n"
    return post(content, {"content-type": "multipart/form-data; boundary=edge"})


# --- Mailgun ------------------------------------------------------------------------------------------------------


def mailgun(**changes: str) -> dict[str, str]:
    said = {"timestamp": str(NOW), "token": "t" * 50, "recipient": "help@shop.example", "sender": "mari@example.ee"}
    said |= {key: value for key, value in changes.items() if key in said}
    signed = hmac.new(KEY.encode(), (said["timestamp"] + said["token"]).encode(), hashlib.sha256).hexdigest()
    parsed = {"message-headers": json.dumps(PAIRS), "body-plain": "Where is my parcel?", "signature": signed}
    return said | parsed | changes


def above(name: str, below: bool = False) -> dict[str, str]:
    """What Mailgun finds out, above the mail's own headers; or the same as a sender writes it, below them."""
    said = (name, "Pass")
    return {"message-headers": json.dumps([*PAIRS, said] if below else [said, *PAIRS])}


def form(fields: dict[str, str]) -> Post:
    return post(urlencode(fields).encode(), {"content-type": "application/x-www-form-urlencoded"})


# --- Amazon SES ---------------------------------------------------------------------------------------------------

SIGNER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
PEM = (
    x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(SIGNER.public_key()).serial_number(7)
    .not_valid_before(at(0)).not_valid_after(at(0) + timedelta(days=9)).sign(SIGNER, hashes.SHA256())
    .public_bytes(serialization.Encoding.PEM)
)  # fmt: skip
VERDICTS = {f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")}


def ses(content: str | None = MAIL, action: dict[str, str] | None = None, verdicts: Any = VERDICTS) -> dict[str, Any]:
    headers = [{"name": name, "value": value} for name, value in PAIRS]
    mailed = {"source": "mari@example.ee", "destination": ["help@shop.example"], "headers": headers}
    receipt = {"recipients": ["help@shop.example"], "action": action or {"type": "SNS", "encoding": "UTF8"}, **verdicts}
    said = {"notificationType": "Received", "mail": mailed, "receipt": receipt}
    return said | ({"content": content} if content else {})


def sns(message: Any, version: str = "2", kind: str = "Notification", minutes: float = 0, **changes: str) -> Post:
    said = {
        "Type": kind, "MessageId": "m-1", "TopicArn": TOPIC, "Subject": "Amazon SES Email Receipt Notification",
        "Message": message if isinstance(message, str) else json.dumps(message), "SignatureVersion": version,
        "Timestamp": at(minutes).isoformat().replace("+00:00", ".000Z"),
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
    }  # fmt: skip
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if kind != "Notification":
        said |= {"SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", "Token": "t"}
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{said[name]}\n" for name in names).encode()
    hash = hashes.SHA256() if version == "2" else hashes.SHA1()
    said["Signature"] = base64.b64encode(SIGNER.sign(signed, padding.PKCS1v15(), hash)).decode()
    return post(orjson.dumps(said | changes), {"content-type": "text/plain; charset=UTF-8"}, certificate=PEM)


# --- SendGrid -----------------------------------------------------------------------------------------------------

CURVE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(
    CURVE.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()
PARSED = {
    "headers": MAIL.split("\r\n\r\n")[0].encode(), "from": "Märi <mari@example.ee>".encode("cp1252"),
    "subject": "Õun".encode("iso-8859-13"), "text": "Tšekk?".encode("cp1257"), "dkim": b"{@example.ee : pass}",
    "charsets": b'{"from": "windows-1252", "subject": "iso-8859-13", "text": "windows-1257"}', "SPF": b"fail",
    "envelope": b'{"to": ["help@shop.example"], "from": "mari@example.ee"}',
}  # fmt: skip


def sendgrid(posted: Post, time: int = NOW) -> Post:
    said = base64.b64encode(CURVE.sign(str(time).encode() + posted.raw, ec.ECDSA(hashes.SHA256()))).decode()
    name = "x-twilio-email-event-webhook-"
    headers = {**posted.headers, f"{name}signature": said, f"{name}timestamp": str(time)}
    return Post(posted.raw, posted.content, headers, at(0), ours=posted.ours)


POSTMARK = {
    "FromFull": {"Email": "mari@example.ee", "Name": "Mari Maasikas", "MailboxHash": ""}, "From": "mari@example.ee",
    "To": "help@shop.example", "CcFull": None, "OriginalRecipient": "help@shop.example", "Subject": "Õun",
    "MessageID": "22c74902", "Date": "Mon, 4 May 2026 10:00:00 +0300", "TextBody": "Where is my parcel?",
    "Headers": [{"Name": "Message-ID", "Value": "<two@example.ee>"},
                {"Name": "References", "Value": "<one@shop.example>"}],
}  # fmt: skip
WHOLE = {
    "mailgun": form(mailgun()),
    "mailgun mime": form({**mailgun(), "body-mime": MAIL}),
    "postmark": post(orjson.dumps(POSTMARK)),
    "postmark raw": post(orjson.dumps(POSTMARK | {"RawEmail": MAIL, "TextBody": "other"})),
    "amazon_ses": sns(ses()),
    "amazon_ses base64": sns(ses(base64.b64encode(MAIL.encode()).decode(), {"type": "SNS", "encoding": "BASE64"})),
    "amazon_ses raw delivery": post(orjson.dumps(ses())),
    "sendgrid": multipart({**PARSED, "text": b"Where is my parcel?"}),
    "sendgrid raw": multipart({"email": MAIL.encode(), "envelope": PARSED["envelope"]}),
    "email": post(MAIL.encode(), target="/v1/sources/x?sender=mari@example.ee&recipient=help@shop.example"),
}


def altered(posted: Post) -> Post:
    return Post(posted.raw.replace(b"parcel", b"Parcel"), posted.content, posted.headers, at(0), certificate=PEM)
