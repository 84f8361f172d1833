"""Payment card numbers in texts: found however they are written, and masked but for the last four digits. Pure.

A card number is 13 to 19 digits of a known issuer's range and length (ISO/IEC 7812) whose check digit is right (Luhn,
ISO/IEC 7812-1, annex B). What may stay of it is what PCI DSS 4.0.1, 3.4.1, lets everybody see.
"""

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

SHORTEST, LONGEST = 13, 19
# Issuers by the first digits, and how many digits their numbers have. UATP (1…, 15 digits) is left out: airlines'
# accounts, among millions of other systems' ids.
ISSUERS = {
    r"4": (13, 16, 18, 19),  # Visa
    r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720": (16,),  # Mastercard
    r"3[47]": (15,),  # American Express
    r"30[0-5]|309|3[689]": (14, 15, 16, 17, 18, 19),  # Diners Club
    r"35": (16, 17, 18, 19), r"2131|1800": (15,),  # JCB
    r"62|64[4-9]|65|81|82": (16, 17, 18, 19),  # UnionPay, Discover, RuPay, Troy
    r"50|5[6-9]|6[037]": (13, 14, 15, 16, 17, 18, 19),  # Maestro, Discover, RuPay, Elo, Verve, Hipercard
    r"220[0-5]": (16, 17, 18, 19),  # Mir, Borica
    r"8600|9792|9860": (16,),  # Uzcard, Troy, Humo
}  # fmt: skip
ISSUER = re.compile("|".join(f"({first})" for first in ISSUERS))
LENGTHS = tuple(ISSUERS.values())
FIRSTS = {  # the lengths by the first four digits: a dictionary is asked in a fraction of a match's time
    first: LENGTHS[issuer.lastindex - 1]
    for first in map("{:04}".format, range(10_000))
    if (issuer := ISSUER.match(first)) and issuer.lastindex
}

# What people, programs and HTML put between a number's digits. `\n` as two characters: in JSON as it is on the wire.
SIGNS = r"[ \t\n\r\u0085\u00a0\u00ad\u00b7\u1680\u180e\u2000-\u206f\u2212\u3000\u30fb\ufeff\uff0d\uff0e._-]"
BETWEEN = SIGNS + (
    r"|&(?:nbsp|[en]sp|thinsp|shy|[mn]dash|#\d{1,5}|#[xX][0-9a-fA-F]{1,5});|<[^<>]{1,200}>|%20|%C2%A0|\\[nrt]"
)
# What is written most is tried first, and what has matched is not tried in another way, for a megabyte's sake.
NUMBER = re.compile(rf"\d(?>\d|{SIGNS}\d|(?:{BETWEEN}){{1,4}}\d){{{SHORTEST - 1},}}")
APART = re.compile(rf"((?:{BETWEEN})+)")

# An IBAN looks like a card's number as often as any; it is known by its country's length and its checksum.
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,30}")
IBAN_LENGTHS = {word[:2]: int(word[2:]) for word in re.findall(r"\w+", """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18
    FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21
    LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27
    ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20""")}  # fmt: skip

# A first look at bytes: digits, and all that may end a character which is one, as zeros; what may stand between them,
# and bytes that begin such characters, left out.
ZEROS = bytes(48 if 48 <= byte < 58 or 128 <= byte < 192 else byte for byte in range(256))
LEFT_OUT = b" \t\n\r-._\\nrt%&nbsp;#" + bytes.fromhex("c2d9dbdfe0e1e2e3eaeff0")
SUSPECT = b"0" * SHORTEST
MANY = 100  # digits one after the other that are not looked at one by one

DIGITS = bytes(byte % 16 for byte in range(256))  # values of ASCII digits
DOUBLED = bytes(2 * value - 9 * (value > 4) for value in range(10)) + bytes(246)  # of values, digits added up


class Span(NamedTuple):
    """Where a card's number stands in a text, and its last four digits."""

    start: int
    end: int
    last: str


class _Digits(NamedTuple):
    """Digits one after the other, whatever stands between: which begin or end a group, and where in the text."""

    digits: str
    starts: Mapping[int, int]
    ends: Mapping[int, int]


def may_be_in(raw: bytes) -> bool:
    """Whether a text in UTF-8, or JSON of it, may hold a card's number; quick, and right if it says no."""
    if b"<" in raw:  # tags may stand between a number's digits
        return True
    zeros, end = raw.translate(ZEROS, LEFT_OUT), 0
    while (start := zeros.find(SUSPECT, end)) >= 0:
        end = len(zeros) - len(zeros[start:].lstrip(b"0"))
        digits = raw.translate(None, LEFT_OUT)[start:end]
        size = len(digits)
        if not digits.isdigit() or size > MANY or b"&#" in raw or b"%" in raw:  # these bring digits of their own
            return True
        if any(_valid(digits.decode(), range(size), range(size + 1))):
            return True
    return False


def masked(text: str) -> str:
    """The text with `****1111` in the place of each card's number."""
    pieces, done = [], 0
    for span in found(text):
        pieces += [text[done : span.start], "****", span.last]
        done = span.end
    return "".join(pieces) + text[done:] if done else text


def found(text: str) -> Iterator[Span]:
    """The card numbers in a text, in order; those that overlap count as one."""
    ibans: list[tuple[int, int]] | None = None
    last: Span | None = None
    for number in NUMBER.finditer(text):
        for span in _cards(text, _digits(text, number.start(), number.end())):
            if last and span.end <= last.end:
                continue
            ibans = list(_ibans(text)) if ibans is None else ibans
            before = ibans and bisect_left(ibans, (span.end,))  # those that begin before it ends
            if before and ibans[before - 1][1] > span.start:
                continue
            if last and span.start < last.end:
                last = Span(last.start, span.end, span.last)
                continue
            if last:
                yield last
            last = span
    if last:
        yield last


def _digits(text: str, start: int, end: int) -> _Digits:
    number = text[start:end]
    if number.isdecimal():
        return _Digits(_in_ascii(number), {0: start}, {len(number): end})
    pieces = APART.split(number)  # digits and what is between, in turn
    places = list(accumulate(map(len, pieces), initial=start))
    groups = pieces[::2]
    counts = list(accumulate(map(len, groups), initial=0))
    starts, ends = zip(counts[:-1], places[:-1:2], strict=True), zip(counts[1:], places[1::2], strict=True)
    return _Digits(_in_ascii("".join(groups)), dict(starts), dict(ends))


def _in_ascii(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)


def _cards(text: str, run: _Digits) -> Iterator[Span]:
    """The card numbers among digits, those that overlap as well; each begins and ends with a group."""
    for start, end in _valid(run.digits, run.starts, run.ends):
        if not _is_dialled(text, run.starts[start], end - start):
            yield Span(run.starts[start], run.ends[end], run.digits[end - 4 : end])


def _valid(digits: str, starts: Iterable[int], ends: Container[int]) -> Iterator[tuple[int, int]]:
    """Where digits are a card's number: by issuer, length and check digit."""
    sums: list[bytes | None] = [None, None]  # for numbers that end at an even place, and at an odd one
    for start in starts:
        for size in FIRSTS.get(digits[start : start + 4], ()):
            end = start + size
            if end in ends:
                known = sums[end % 2]
                if known is None:
                    known = sums[end % 2] = _sums(digits, end % 2)
                if known[end] == known[start]:
                    yield start, end


def _is_dialled(text: str, place: int, size: int) -> bool:
    """Whether it is a telephone's number with its country (E.164): a plus and up to 15 digits."""
    return size <= 15 and text[max(place - 1, 0)] == "+"


def _sums(digits: str, doubled: int) -> bytes:
    """Last digits of Luhn's sums from the first digit to each place, every second digit doubled, from that one on."""
    values = bytearray(digits.encode().translate(DIGITS))
    values[doubled::2] = values[doubled::2].translate(DOUBLED)
    return bytes([total % 10 for total in accumulate(values, initial=0)])


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for candidate in IBAN.finditer(text):
        kept = [place for place in range(*candidate.span()) if text[place].isalnum()]
        size = IBAN_LENGTHS.get(candidate[0][:2], 99)
        if len(kept) >= size:
            number = "".join(text[place] for place in kept[:size])
            if int("".join(str(int(sign, 36)) for sign in number[4:] + number[:4])) % 97 == 1:
                yield kept[0], kept[size - 1] + 1
