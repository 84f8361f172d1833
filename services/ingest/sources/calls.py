"""What the formats of telephony share: whom a call is with, and the documents of its events. Pure."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from services.ingest.sources.fields import given, moment
from services.ingest.sources.vendor import Document

NUMBER = re.compile(r"\+?[\d\s().-]{7,24}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# What Twilio and others put where the number is withheld: ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE in keys.
NOBODY = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
INTERNAL = frozenset({"call.transferred", "call.held", "call.ended", "call.recorded"})


def party(address: str | None, verification: str | None = "observed") -> list[Document]:
    """The identifier in a number, a `tel:` or a `sip:` address; none in an extension or where it is withheld."""
    scheme, colon, rest = (address or "").strip().partition(":")
    plain = (rest if colon and scheme.lower() in ("tel", "sip", "sips") else address or "").strip()
    user, at, host = plain.partition(";")[0].partition("@")
    sure = given(verification=verification)
    if NUMBER.fullmatch(user):
        return [] if user in NOBODY else [{"type": "phone", "value": user} | sure]
    if at and host and any(letter.isalpha() for letter in user) and not user.lower().startswith("anonymous"):
        return [{"type": "sip", "value": f"{user}@{host.partition(':')[0]}"[:512]} | sure]
    return []


def happening(
    type: str,
    id: str,
    call: str,
    at: datetime,
    customer: list[Document],
    direction: str = "inbound",
    **fields: Any,
) -> Document:
    """The document of a call's event. `call` is its conversation; of `fields`, which are left out where they are
    None, `text`, `author`, `language` and `references` are the event's, all others its data's."""
    known = given(**fields)
    own: Document = {name: known.pop(name) for name in ("text", "author", "language", "references") if name in known}
    return {
        "type": type,
        "id": id,
        "time": at.isoformat(),
        "channel": "phone",
        "direction": "internal" if type in INTERNAL else direction,
        "conversation": call,
        "identifiers": customer,
        "data": known,
        **own,
    }


def turn(speaker: str, id: str, call: str, at: datetime, customer: list[Document], **fields: Any) -> Document:
    """The document of what `customer`, `agent` or `bot` said; see `happening`."""
    direction = "inbound" if speaker == "customer" else "outbound"
    named = {"role": speaker} | given(name=fields.pop("name", None), id=fields.pop("author_id", None))
    return happening("call.turn", id, call, at, customer, direction, speaker=speaker, author=named, **fields)


def stated(document: Document, field: str) -> datetime | None:
    """The time in a field, as ISO 8601, Unix seconds or milliseconds, or as mails write it (RFC 2822)."""
    if found := moment(document, field):
        return found
    try:
        found = parsedate_to_datetime(str(document.get(field) or ""))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def later(at: datetime, seconds: float) -> datetime:
    """So many seconds after a time, as far as there are times."""
    try:
        return at + timedelta(seconds=seconds)
    except OverflowError:
        return at


def between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from one time to another, where both are known and in their order."""
    return max(round((end - start).total_seconds(), 3), 0) if start and end and end >= start else None


def language(tag: str | None) -> str | None:
    """A language's tag, if it is one (BCP 47)."""
    tag = (tag or "").replace("_", "-")
    return tag if LANGUAGE.fullmatch(tag) else None
