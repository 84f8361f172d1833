"""What a mail holds: its words, its list of attachments, and what a report says of another mail. Pure.

Source: RFC 2045 and 2046 (MIME), RFC 3464 (reports of delivery).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from itertools import islice
from typing import Any

from services import hypertext
from services.ingest.sources.mailheaders import AsItStands, Headers, characters, decoded

MOST_CHARACTERS = 1_000_000  # of a text or an HTML that are kept; the event log takes records of 4 MB
MOST_PARTS, MOST_ATTACHMENTS = 1_000, 200  # that are looked at, and listed


@dataclass(frozen=True)
class Report:
    """What a mail server reports of a mail: to whom it could not be delivered, and that mail's headers."""

    undelivered: tuple[str, ...] = ()
    about: Headers = field(default_factory=lambda: Headers(()))


@dataclass(frozen=True)
class Body:
    """`html` only where there is no plain text; `attachments` as in `schemas.data.Attachment`."""

    text: str = ""
    html: str | None = None
    attachments: list[dict[str, Any]] = field(default_factory=list)
    report: Report | None = None


def body(mail: Message) -> Body:
    """The body of a mail that was parsed."""
    parts = list(islice(_parts(mail), MOST_PARTS))
    text, html = _text(parts)
    attached = [_attachment(part) for part in parts if _is_attached(part)][:MOST_ATTACHMENTS]
    return Body(text, html, attached, _report(mail, parts))


def written(plain: str, html: str) -> tuple[str, str | None]:
    """Text and HTML as they are kept: the plain text, or else that of the HTML with the HTML itself."""
    plain = _lines(plain)[:MOST_CHARACTERS]
    if plain:
        return plain, None
    html = html[:MOST_CHARACTERS]
    return hypertext.text(html), html.strip() or None


def attachment(name: str, type: str, size: int | None) -> dict[str, Any]:
    """An attachment as it is listed."""
    return {"name": name[:512] or None, "type": type[:255] or None, "bytes": size}


def _parts(mail: Message) -> Iterator[Message]:
    """The leaves, without a look into mails that are attached: their words are somebody else's."""
    if mail.get_content_maintype() == "multipart" and mail.is_multipart():
        for part in mail.get_payload():
            yield from _parts(part)  # type: ignore[arg-type]  # of a multipart these are messages
    else:
        yield mail


def _is_attached(part: Message) -> bool:
    is_text = part.get_content_type() in ("text/plain", "text/html")
    return not is_text or part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _attachment(part: Message) -> dict[str, Any]:
    size = None if part.is_multipart() else len(_content(part))
    return attachment(decoded(part.get_filename() or ""), part.get_content_type(), size)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(parts: list[Message]) -> tuple[str, str | None]:
    """The plain text of all parts that are shown, else their HTML."""
    shown = [part for part in parts if not _is_attached(part)]
    plain = "\n\n".join(filter(None, (_words(part) for part in shown if part.get_content_subtype() == "plain")))
    return written(plain, "" if plain else "\n".join(_words(part) for part in shown))


def _words(part: Message) -> str:
    return _lines(characters(_content(part), part.get_content_charset()))


def _lines(words: str) -> str:
    return words.replace("\r\n", "\n").replace("\r", "\n").strip()


def _report(mail: Message, parts: list[Message]) -> Report | None:
    """What a delivery report tells, or an empty one of a report that tells nothing; None of other mails."""
    kind = str(mail.get_param("report-type") or "delivery-status").lower()
    if mail.get_content_type() != "multipart/report" or kind != "delivery-status":
        return None
    undelivered: list[str] = []
    about = Headers(())
    for part in parts:
        type, inner = part.get_content_type(), part.get_payload()
        if type == "message/delivery-status" and isinstance(inner, list):
            undelivered += filter(None, (_undelivered(block) for block in inner if isinstance(block, Message)))
        elif type == "message/rfc822" and isinstance(inner, list) and inner and isinstance(inner[0], Message):
            about = Headers(inner[0].items())
        elif type == "text/rfc822-headers":
            about = Headers(message_from_bytes(_content(part), policy=AsItStands()).items())
    return Report(tuple(dict.fromkeys(undelivered)), about)


def _undelivered(block: Message) -> str:
    """The address of a block that says that a mail failed or is late: `Final-Recipient: rfc822; mari@example.ee`."""
    said = Headers(block.items())
    if said.first("Action").lower() not in ("failed", "delayed"):
        return ""
    recipient = said.first("Original-Recipient") or said.first("Final-Recipient")
    return recipient.rpartition(";")[2].strip(" <>")
