"""Mails as events: whole ones as they travel (RFC 5322, MIME), and those that a vendor has taken to pieces. Pure."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from typing import Any

from schemas.codec import Malformed, from_wire
from schemas.event import Event
from services.ingest.sources import mailbodies, senders
from services.ingest.sources.mailbodies import Body
from services.ingest.sources.mailheaders import LONGEST, AsItStands, Headers, Party
from services.ours import Ours

Document = dict[str, Any]
SERVERS = frozenset({"mailer-daemon", "mail-daemon", "maildaemon"})  # who writes bounces, before the @


@dataclass(frozen=True)
class Receipt:
    """How a mail came: `at` is its time when it says none that can be read. `sender` and `recipients` are those of the
    envelope; "" is the sender of bounces, None is not known. `attested`: domains in whose name it was sent, as
    whoever received it found out."""

    at: datetime
    ours: Ours = field(default_factory=Ours)
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    attested: frozenset[str] = frozenset()


def event(raw: bytes, receipt: Receipt, source: str) -> Event:
    """The event of a mail. Raises Malformed."""
    return from_wire(document(raw, receipt), source=source)


def document(raw: bytes, receipt: Receipt) -> Document:
    """A mail as a document for `from_wire`: message.sent if one of ours wrote it, else message.received.

    Attachments are listed, not kept. Raises Malformed.
    """
    try:
        mail = message_from_bytes(raw, policy=AsItStands())
        body = mailbodies.body(mail)
    except RecursionError:
        raise Malformed("nested_too_deep", "Its parts are nested too deep to be read.") from None
    if not mail.keys():
        raise Malformed("not_a_mail", "There is no header at the beginning: give a whole mail (RFC 5322).")
    is_report = mail.get_content_type() == "multipart/report"
    return composed(Headers(mail.items()), body, receipt, _content_id(raw), is_report)


def composed(headers: Headers, body: Body, receipt: Receipt, id: str, is_report: bool = False) -> Document:
    """The same of headers and a body; `id` is for mails without one."""
    automatic = _automatic(headers, body, receipt, is_report)
    about = body.report.about if body.report else None
    data = {
        "subject": headers.first("Subject") or None,
        "to": headers.addresses("To", "Cc"),
        "recipients": list(receipt.recipients) or None,
        "html": body.html,
        "automatic": automatic,
        "undelivered": list(body.report.undelivered) or None if body.report else None,
        "attachments": body.attachments,
    }
    found = {
        "id": headers.id or id,
        "time": headers.time(receipt.at).isoformat(),
        "channel": "email",
        "conversation": (about and about.conversation) or headers.conversation,
        "text": body.text,
        "data": data,
        **_people(headers, body, receipt, is_bounce=automatic == "bounce"),
    }
    without: Document = _without_nuls(found)
    return without


def _content_id(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _people(headers: Headers, body: Body, receipt: Receipt, is_bounce: bool) -> Document:
    """Who wrote to whom. The customer is the sender, or whoever one of ours writes to."""
    ours, sender = receipt.ours, _sender(headers, receipt)
    others = [address for address in headers.addresses("To", "Cc") if not ours.has(address)]
    is_sent = ours.has(sender.address)
    if is_sent and not others:  # a form on our site writes to us in its own name
        strangers = [party for party in headers.parties("Reply-To") if party.address and not ours.has(party.address)]
        sender, is_sent = (strangers[0], False) if strangers else (sender, True)
    if is_bounce:  # a mail server wrote it, which is nobody's address: it is about those it could not reach
        customers = [one for one in (body.report.undelivered if body.report else ()) if not ours.has(one)]
    else:
        customers = others[:1] if is_sent else [sender.address]  # several receivers are several people
    sure = "verified" if not is_sent and not is_bounce and _is_sure(headers, receipt, sender) else "claimed"
    role = "system" if is_bounce else "agent" if is_sent else "customer"
    return {
        "type": "message.sent" if is_sent and not is_bounce else "message.received",
        "author": {"role": role, "name": sender.name[:LONGEST] or None},
        "identifiers": [
            {"type": "email", "value": address[:LONGEST], "verification": sure}
            for address in customers[:10]
            if "@" in address
        ],
    }


def _sender(headers: Headers, receipt: Receipt) -> Party:
    named = (*headers.parties("From"), *headers.parties("Sender"), Party("", receipt.sender or ""))
    return next((party for party in named if "@" in party.address), named[0])


def _is_sure(headers: Headers, receipt: Receipt, sender: Party) -> bool:
    """Whether the sender is known to be the one, whom they name in From and nobody beside."""
    if headers.addresses("From") != [sender.address]:
        return False
    domains = receipt.attested | senders.attested(headers, receipt.ours.hosts)
    return senders.is_attested(sender.address, domains)


def _automatic(headers: Headers, body: Body, receipt: Receipt, is_report: bool) -> str:
    """Whether a machine wrote it (RFC 3834, RFC 3464, RFC 2919), and which kind."""
    submitted = headers.first("Auto-Submitted").lower().partition(";")[0].partition("(")[0].strip() or "no"
    precedence = headers.first("Precedence").lower()
    server = next(iter(headers.addresses("From")), "").lower().partition("@")[0]
    if body.report or (server in SERVERS and not is_report):
        return "bounce"
    if is_report or submitted != "no" or precedence in ("auto_reply", "auto-reply"):  # receipts of reading, complaints
        return "reply"
    if any(name in headers for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder")):
        return "reply"
    if headers.first("Return-Path") == "<>" or receipt.sender == "":
        return "bounce"
    return "list" if "List-Id" in headers or precedence in ("list", "bulk", "junk") else "none"


def _without_nuls(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nuls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nuls(item) for name, item in value.items() if item is not None}
    return value
