"""Postmark's inbound mails: JSON, with the whole mail where it is told to send that too. Pure.

What it tells of mails that were sent (delivery, bounce, open, click) becomes nothing. Source: Postmark's "Inbound
webhook". It signs nothing: the key is in the address that is pasted.
"""

from collections.abc import Iterator

from schemas.codec import Malformed
from services.ingest.sources import mail, mailbodies
from services.ingest.sources.fields import items, number, part, text
from services.ingest.sources.mail import Receipt
from services.ingest.sources.mailbodies import Body
from services.ingest.sources.mailheaders import Headers
from services.ingest.sources.vendor import Document, Post, Vendor


def translate(post: Post) -> Iterator[Document]:
    """The mail that was posted, if one was. Raises Malformed."""
    posted = post.object
    if "RecordType" in posted and text(posted, "RecordType") != "Inbound":
        return
    if not (text(posted, "From") or part(posted, "FromFull") or text(posted, "RawEmail")):
        raise Malformed("not_a_mail", "The post is no inbound mail of Postmark's: it has no field `From`.")
    recipient = text(posted, "OriginalRecipient")
    receipt = Receipt(post.received_at, post.ours, recipients=(recipient,) if recipient else ())
    if raw := text(posted, "RawEmail"):
        yield mail.document(raw.encode("utf-8", "replace"), receipt)
    else:
        yield _composed(posted, receipt)


def _composed(posted: Document, receipt: Receipt) -> Document:
    words = mailbodies.written(text(posted, "TextBody") or "", text(posted, "HtmlBody") or "")
    attached = [
        mailbodies.attachment(text(one, "Name") or "", text(one, "ContentType") or "", _size(one))
        for one in items(posted, "Attachments")
    ]
    id = text(posted, "MessageID")
    if not id:
        raise Malformed("not_a_mail", "The post is no inbound mail of Postmark's: it has no field `MessageID`.")
    return mail.composed(Headers(_headers(posted)), Body(*words, attached), receipt, f"postmark:{id}")


def _headers(posted: Document) -> list[tuple[str, str]]:
    """The mail's headers; From, To, Cc, Reply-To, Subject and Date are fields of their own."""
    listed = [(text(one, "Name") or "", text(one, "Value") or "") for one in items(posted, "Headers")]
    known = {name.lower() for name, _ in listed}
    fields = {"From": "From", "To": "To", "Cc": "Cc", "Reply-To": "ReplyTo", "Subject": "Subject", "Date": "Date"}
    own = {name: text(posted, field) for name, field in fields.items()}
    sender = part(posted, "FromFull")
    if address := text(sender, "Email"):
        name = text(sender, "Name")
        own["From"] = f'"{name.translate({34: None, 92: None})}" <{address}>' if name else address
    return listed + [(name, value) for name, value in own.items() if value and name.lower() not in known]


def _size(attachment: Document) -> int | None:
    size = number(attachment, "ContentLength")
    return int(size) if size is not None and size >= 0 else None


VENDORS = (
    Vendor(
        name="postmark",
        title="Postmark (inbound)",
        channel="email",
        translate=translate,
        secret="the password in the address that is pasted",
        drop=403,
        large=True,
        reference="https://postmarkapp.com/developer/webhooks/inbound-webhook",
        setup=(
            "Servers → the inbound stream → Settings: paste `{url}` with the source's key in it, as "
            "`https://tellonce:KEY@…`, and tick “Include raw email content”, which tells most."
        ),
        becomes={
            "an inbound mail": "message.received; message.sent where one of ours wrote it",
            "a bounce, an absence note, a list's mail": "message.received, marked as automatic",
            "Delivery, Bounce, Open, Click, SpamComplaint, …": "nothing",
        },
    ),
)
