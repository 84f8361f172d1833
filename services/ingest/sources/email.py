"""Whole mails by HTTP: RFC 5322 as it travels, for scripts, Lambdas and mail servers that pipe. Pure."""

from collections.abc import Iterator

from services.ingest.sources import mail
from services.ingest.sources.mail import Receipt
from services.ingest.sources.vendor import Document, Post, Vendor

SENDER, RECIPIENT = ("sender", "x-envelope-from"), ("recipient", "x-envelope-to")  # in the query, or as headers


def translate(post: Post) -> Iterator[Document]:
    """The mail that is the body; its envelope is told in the query or in headers. Raises Malformed."""
    given = [value for name, value in post.query if name == RECIPIENT[0]] or [post.headers.get(RECIPIENT[1], "")]
    recipients = [address.strip(" <>") for value in given for address in value.split(",")]
    sender = post.query_params.get(SENDER[0], post.headers.get(SENDER[1]))
    known = sender.strip(" <>") if sender is not None else None
    receipt = Receipt(post.received_at, post.ours, known, tuple(filter(None, recipients)))
    yield mail.document(post.content, receipt)


VENDORS = (
    Vendor(
        name="email",
        title="Mail, whole (RFC 5322)",
        channel="email",
        translate=translate,
        secret="a key of your own choice",
        large=True,
        reference="https://www.rfc-editor.org/rfc/rfc5322",
        setup=(
            "POST each mail as it is to `{url}`, with the source's key as Bearer, Basic or `?key=`, and its envelope, "
            "if known, as `?sender=…&recipient=…` or in headers `X-Envelope-From` and `X-Envelope-To`: "
            "`curl --data-binary @mail.eml -H 'Content-Type: message/rfc822' -H 'Authorization: Bearer KEY' {url}`. "
            "Mail servers hand mails over by SMTP or LMTP, and mailboxes are read by IMAP: see [mail.md](mail.md)."
        ),
        becomes={
            "a mail": "message.received; message.sent where one of ours wrote it",
            "a bounce, an absence note, a list's mail": "message.received, marked as automatic",
        },
    ),
)
