"""Mails as they travel (RFC 5322, MIME) as events. Pure.

Real mails are broken in every way there is. So headers are read as they stand, not by the library's newer
policies, which parse them by the book and raise on some. What can't be decoded gives replacement characters.
"""

import hashlib
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, NamedTuple

from schemas.codec import Malformed, from_wire
from schemas.event import Event
from services import hypertext

LONGEST = 512  # characters of an id or name


class AsItStands(Compat32):
    """Gives headers as they were sent; Compat32 replaces what is not ASCII."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


class Party(NamedTuple):
    """A name and an address out of a header; either may be empty."""

    name: str
    address: str


def event(raw: bytes, *, source: str, otherwise: datetime, own: Collection[str] = ()) -> Event:
    """The event of a mail: message.sent if one of `own` addresses or domains wrote it, else message.received.

    `otherwise` is its time when neither Date nor Received can be read. Attachments are listed, not kept.
    Raises Malformed.
    """
    try:
        mail = message_from_bytes(raw, policy=AsItStands())
    except RecursionError:
        raise Malformed("nested_too_deep", "Its parts are nested too deep to be read.") from None
    if not mail.keys():
        raise Malformed("not_a_mail", "There is no header at the beginning: give a whole mail (RFC 5322).")
    text, html = _text(mail)
    data = {
        "subject": _header(mail, "Subject") or None,
        "to": _addresses(mail, "To", "Cc"),
        "html": html,
        "automatic": _automatic(mail),
        "attachments": [_attachment(part) for part in _parts(mail) if _is_attached(part)],
    }
    document = {
        "id": _id(mail) or f"sha256:{hashlib.sha256(raw).hexdigest()}",
        "time": _time(mail, otherwise).isoformat(),
        "channel": "email",
        "conversation": _conversation(mail),
        "text": text,
        "data": data,
        **_people(mail, frozenset(word.lower() for word in own)),
    }
    return from_wire(_without_nuls(document), source=source)


def _people(mail: Message, own: frozenset[str]) -> dict[str, Any]:
    """Who wrote to whom. The customer is the sender, or whoever one of our own writes to."""
    sender = next(iter(_parties(mail, "From")), Party("", ""))
    is_bounce, is_sent = _automatic(mail) == "bounce", _is_own(sender.address, own)
    customers = [sender.address]
    if is_sent:  # several receivers are several people
        customers = [address for address in _addresses(mail, "To", "Cc") if not _is_own(address, own)][:1]
    if is_bounce:
        customers = []  # a mail server wrote it, which is nobody's address; its conversation says whose it is
    return {
        "type": "message.sent" if is_sent else "message.received",
        "author": {
            "role": "system" if is_bounce else "agent" if is_sent else "customer",
            "name": sender.name[:LONGEST] or None,
        },
        "identifiers": [_identifier(address) for address in customers if "@" in address],
    }


def _header(mail: Message, name: str) -> str:
    """A header, decoded (RFC 2047), in one line."""
    return _decoded(str(mail.get(name, "")))


def _decoded(value: str) -> str:
    try:
        pieces = decode_header(_plain(value))
    except (HeaderParseError, ValueError):  # base64 that is none
        pieces = [(_plain(value), None)]
    words = (_characters(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces)
    return " ".join("".join(words).split())


def _plain(value: str) -> str:
    """The parser keeps bytes that are not ASCII as lone surrogates (PEP 383)."""
    return _characters(value.encode("utf-8", "surrogateescape"), None)


def _characters(raw: bytes, charset: str | None) -> str:
    """Bytes in what they say they are in, else in UTF-8, else in Western European."""
    for name in (charset, "utf-8"):
        try:
            return raw.decode(name or "ascii")
        except (LookupError, ValueError):
            continue
    return raw.decode("cp1252", "replace")


def _parties(mail: Message, *headers: str) -> list[Party]:
    values = [_plain(str(value)) for header in headers for value in mail.get_all(header, [])]
    found = (Party(_decoded(name), _decoded(address)) for name, address in getaddresses(values))
    return [party for party in found if party.name or party.address]


def _addresses(mail: Message, *headers: str) -> list[str]:
    return [party.address for party in _parties(mail, *headers) if party.address]


def _is_own(address: str, own: frozenset[str]) -> bool:
    return address.lower() in own or address.lower().rpartition("@")[2] in own


def _identifier(address: str) -> dict[str, str]:
    return {"type": "email", "value": address[:LONGEST], "verification": "claimed"}


def _id(mail: Message) -> str | None:
    own = _header(mail, "Message-ID").strip("<> ")
    return own if 0 < len(own) <= LONGEST else None


def _conversation(mail: Message) -> str | None:
    """The first mail of the thread, as far as this one knows (RFC 5322, section 3.6.4)."""
    for header in ("References", "In-Reply-To"):
        found = re.search(r"<([^<>\s]+)>", _header(mail, header))
        if found and len(found[1]) <= LONGEST:
            return found[1]
    return _id(mail)


def _time(mail: Message, otherwise: datetime) -> datetime:
    """When it was written, or received by the last server; a time without a zone is in UTC."""
    received = _header(mail, "Received").rpartition(";")[2]
    for value in (_header(mail, "Date"), received):
        try:
            moment = parsedate_to_datetime(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return otherwise


def _automatic(mail: Message) -> str:
    """Whether a machine wrote it (RFC 3834, RFC 3464, RFC 2919), and which kind."""
    submitted = _header(mail, "Auto-Submitted").lower().partition(";")[0].strip() or "no"
    precedence = _header(mail, "Precedence").lower()
    if mail.get_content_type() == "multipart/report":
        return "bounce"
    if submitted != "no" or precedence == "auto_reply" or "X-Autoreply" in mail:
        return "reply"
    if _header(mail, "Return-Path") == "<>":
        return "bounce"
    return "list" if "List-Id" in mail or precedence == "list" else "none"


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
    name, size = _decoded(part.get_filename() or ""), None if part.is_multipart() else len(_content(part))
    return {"name": name or None, "type": part.get_content_type(), "bytes": size}


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(mail: Message) -> tuple[str, str | None]:
    """The plain text of all parts that are shown, else their HTML as text, with the HTML itself."""
    shown = [part for part in _parts(mail) if not _is_attached(part)]
    plain = "\n\n".join(filter(None, (_words(part) for part in shown if part.get_content_subtype() == "plain")))
    if plain:
        return plain, None
    html = "\n".join(_words(part) for part in shown if part.get_content_subtype() == "html")
    return hypertext.text(html), html or None


def _words(part: Message) -> str:
    words = _characters(_content(part), part.get_content_charset())
    return words.replace("\r\n", "\n").replace("\r", "\n").strip()


def _without_nuls(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nuls(item) for item in value]
    if isinstance(value, dict):
        return {name: _without_nuls(item) for name, item in value.items() if item is not None}
    return value
