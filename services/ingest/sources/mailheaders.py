"""A mail's headers, read as they stand: what can't be decoded gives replacement characters. Pure.

Real mails are broken in every way there is, so the library's newer policies, which parse by the book and raise on some,
are not used. Source: RFC 5322, RFC 2047; the Encoding Standard for what names of charsets mean.
"""

import codecs
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import NamedTuple

LONGEST = 512  # characters of an id or name
MOST = 1_000  # headers of a mail that are looked at
MOST_CHARACTERS = 10_000  # of a header that are read
DEEPEST = 50  # comments of a header, which may be in each other
MEANT = {  # charsets that are named where larger ones are used, by Python's names
    "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874", "gb2312": "gb18030",
    "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932",
}  # fmt: skip
MESSAGE_ID = re.compile(r"<([^<>\s]+)>")


class AsItStands(Compat32):
    """Gives headers as they were sent, up to MOST_CHARACTERS; Compat32 replaces what is not ASCII."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MOST_CHARACTERS]  # the library takes a square of their length to read parameters

    def header_fetch_parse(self, name: str, value: str) -> str:
        return value


class Party(NamedTuple):
    """A name and an address out of a header; either may be empty."""

    name: str
    address: str


class Headers:
    """Headers by name, whatever its case."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._by_name: dict[str, list[str]] = {}
        self._parties: dict[tuple[str, ...], list[Party]] = {}  # reading them takes longest
        for (name, value), _ in zip(pairs, range(MOST), strict=False):
            self._by_name.setdefault(name.strip().lower(), []).append(value[:MOST_CHARACTERS])

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._by_name

    def all(self, name: str) -> list[str]:
        """Every header of this name, from the top, in one line each but not decoded."""
        return [" ".join(plain(value).split()) for value in self._by_name.get(name.lower(), ())]

    def first(self, name: str) -> str:
        """The first of this name, decoded, in one line; empty if there is none."""
        return decoded(next(iter(self._by_name.get(name.lower(), ())), ""))

    def parties(self, *names: str) -> list[Party]:
        """Who is named in the headers of these names."""
        if names not in self._parties:
            self._parties[names] = self._read(names)
        return self._parties[names]

    def _read(self, names: tuple[str, ...]) -> list[Party]:
        values = [plain(value) for name in names for value in self._by_name.get(name.lower(), ())]
        try:
            found = getaddresses([_shallow(value) for value in values])
        except RecursionError:  # groups within groups by the thousand, which no mail program writes
            return []
        parties = (Party(decoded(name), decoded(address)) for name, address in found)
        return [party for party in parties if party.name or party.address]

    def addresses(self, *names: str) -> list[str]:
        """Their addresses."""
        return [party.address for party in self.parties(*names) if party.address]

    @property
    def id(self) -> str | None:
        """The mail's own id, without its brackets."""
        own = self.first("Message-ID").strip("<> ")
        return own if 0 < len(own) <= LONGEST else None

    @property
    def conversation(self) -> str | None:
        """The id of the first mail of the thread, as far as this one knows (RFC 5322, section 3.6.4)."""
        for header in ("References", "In-Reply-To"):
            found = MESSAGE_ID.search(self.first(header))
            if found and len(found[1]) <= LONGEST:
                return found[1]
        return self.id

    def time(self, otherwise: datetime) -> datetime:
        """When it was written, or received by the last server; a time without a zone is in UTC."""
        for value in (self.first("Date"), self.first("Received").rpartition(";")[2]):
            if moment := when(value):
                return moment
        return otherwise


def _shallow(value: str) -> str:
    """Without comments in comments, which the library reads by recursion."""
    return value.replace("(", " ").replace(")", " ") if value.count("(") > DEEPEST else value


def when(value: str) -> datetime | None:
    """A time as mails write it, in UTC."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def decoded(value: str) -> str:
    """A header's words (RFC 2047), in one line."""
    if "=?" not in value:
        return " ".join(plain(value).split())
    try:
        pieces = decode_header(plain(value))
    except (HeaderParseError, ValueError):  # base64 that is none
        pieces = [(plain(value), None)]
    words = (characters(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces)
    return " ".join("".join(words).split())


def plain(value: str) -> str:
    """The parser keeps bytes that are not ASCII as lone surrogates (PEP 383)."""
    if value.isascii():
        return value
    try:
        return characters(value.encode("utf-8", "surrogateescape"), None)
    except UnicodeEncodeError:  # half a pair, out of JSON
        return value.encode("utf-8", "replace").decode()


def characters(raw: bytes, charset: str | None) -> str:
    """Bytes in what they say they are in, else in UTF-8, else in Western European; of a few wrong ones only those are
    lost."""
    stated = _meant(charset)
    with suppress(LookupError, ValueError):
        return raw.decode(stated)
    words = raw.decode("utf-8", "replace")
    if 2 * words.count("\ufffd") <= len(words) - len(words.encode("ascii", "ignore")):
        return words
    with suppress(LookupError, ValueError):
        return raw.decode("cp1252" if stated in ("ascii", "utf-8") else stated, "replace")
    return raw.decode("cp1252", "replace")


def _meant(charset: str | None) -> str:
    """Python's name for a charset as mail programs mean it."""
    try:
        found = codecs.lookup(charset or "ascii").name
    except (LookupError, ValueError):
        return "ascii"
    return MEANT.get(found, found)
