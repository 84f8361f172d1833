"""Payment card numbers in texts: found however they are written, and masked but for the last four digits. Pure.

A card number is 13 to 19 digits of a known issuer's range and length (ISO/IEC 7812) whose check digit is right (Luhn,
ISO/IEC 7812-1, annex B). What may stay of it is what PCI DSS 4.0.1, 3.4.1, lets everybody see.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, compress
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
    first.encode(): LENGTHS[issuer.lastindex - 1]
    for first in map("{:04}".format, range(10_000))
    if (issuer := ISSUER.match(first)) and issuer.lastindex
}

# What people, programs and HTML put between a number's digits. `\n` as two characters: in JSON as it is on the wire.
SIGNS = r"[ \t\n\r\u0085\u00a0\u00ad\u00b7\u1680\u180e\u2000-\u206f\u2212\u3000\u30fb\ufeff\uff0d\uff0e._-]"
WRITTEN = r"&(?:nbsp|[en]sp|thinsp|shy|[mn]dash|#\d{1,5}|#[xX][0-9a-fA-F]{1,5});|<[^<>]{1,200}>|%20|%C2%A0|\\[nrt]"
BETWEEN = f"{SIGNS}|{WRITTEN}"
# What is written most is tried first, and what has matched is not tried in another way, for a megabyte's sake.
NUMBER = re.compile(rf"\d(?>\d|{SIGNS}\d|(?:{BETWEEN}){{1,4}}\d){{{SHORTEST - 1},}}")
BLANKED = re.compile(WRITTEN)

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

RIGHT = re.compile(rb"\0")
DIGITS = bytes(byte % 16 for byte in range(256))  # values of ASCII digits
OTHERS = bytes(byte for byte in range(256) if not 48 <= byte < 58)
ONES = bytes(48 <= byte < 58 for byte in range(256))  # 1 for a digit
BOUND, UNBOUND = bytes([0, 0, 1]) + bytes(253), bytes([1, 0]) + bytes(254)
SIZES = range(SHORTEST, LONGEST + 1)
BEGIN = [  # for each size, by the first two digits as a number: 0 where a card of that size may begin so, else 1
    bytes(not any(size in FIRSTS.get(b"%04d" % first, ()) for first in range(start, start + 100))
          for start in range(0, 10_000, 100)).ljust(256)
    for size in SIZES
]  # fmt: skip
DOUBLED = bytes(2 * value - 9 * (value > 4) for value in range(10)) + bytes(246)  # of values, digits added up


class Span(NamedTuple):
    """Where a card's number stands in a text, and its last four digits."""

    start: int
    end: int
    last: str


class _Digits(NamedTuple):
    """Digits one after the other, whatever stands between. `bound`: 1 where a group begins or all end, or 0; `bounds`:
    these places; `begins` and `ends`: where each group stands in the text."""

    digits: bytes
    bound: bytes
    bounds: Sequence[int]
    begins: Sequence[int]
    ends: Sequence[int]

    def begin(self, place: int) -> int:
        """Where the group that begins at a place among the digits begins in the text."""
        return self.begins[bisect_left(self.bounds, place)]

    def end(self, place: int) -> int:
        """Where the group that ends at a place among the digits ends in the text."""
        return self.ends[bisect_left(self.bounds, place) - 1]


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
        if any(_valid(digits, b"\1" * (size + 1))):
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
    for number in NUMBER.finditer(text):
        run = _digits(text, number.start(), number.end())
        valid = list((_valid if len(run.begins) <= MANY else _valid_of_many)(run.digits, run.bound))
        if valid and ibans is None:
            ibans = list(_ibans(text))
        for start, end in _joined(one for one in valid if not _is_other(text, run, *one, ibans or ())):
            yield Span(run.begin(start), run.end(end), run.digits[end - 4 : end].decode())


def _joined(numbers: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that overlap as one, of some in their order."""
    first = last = 0
    for start, end in numbers:
        if start < last:
            last = max(last, end)
            continue
        if last:
            yield first, last
        first, last = start, end
    if last:
        yield first, last


def _digits(text: str, start: int, end: int) -> _Digits:
    plain, size = _plain(text[start:end]), end - start
    ones = _number(plain.translate(ONES))
    begins, ends = ones ^ ones & ones << 8, ones ^ ones & ones >> 8  # a digit with none before it, or behind it
    bound = _bytes(ones + begins, size).translate(BOUND, b"\0") + b"\1"
    return _Digits(
        digits=plain.translate(None, OTHERS),
        bound=bound,
        bounds=[*compress(range(len(bound)), bound)],
        begins=[*compress(range(start, end), _bytes(begins, size))],
        ends=[*compress(range(start + 1, end + 1), _bytes(ends, size))],
    )


def _plain(number: str) -> bytes:
    """As long as it was, its digits in ASCII, and what is between them anything else."""
    number = BLANKED.sub(lambda found: " " * len(found[0]), number)
    foreign = {ord(sign): str(int(sign)) for sign in set(number) if not sign.isascii() and sign.isdecimal()}
    return number.translate(foreign).encode("ascii", "replace")


def _valid(digits: bytes, bound: bytes) -> Iterator[tuple[int, int]]:
    """Where digits are a card's number that begins and ends at a bound: by issuer, length and check digit."""
    sums: list[bytes | None] = [None, None]  # for numbers that end at an even place, and at an odd one
    for start in compress(range(len(digits)), bound):
        for size in FIRSTS.get(digits[start : start + 4], ()):
            end = start + size
            if end < len(bound) and bound[end]:
                known = sums[end % 2]
                if known is None:
                    known = sums[end % 2] = _sums(digits, end % 2)
                if known[end] == known[start]:
                    yield start, end


def _valid_of_many(digits: bytes, bound: bytes) -> list[tuple[int, int]]:
    """The same of groups by the hundred thousand: what can be told of all at once is told by large numbers."""
    values, unbound, found = digits.translate(DIGITS), bound.translate(UNBOUND), []
    pairs = _bytes(10 * _number(values) + _number(values[1:] + b"\0"), len(values) + 1)
    sums = _sums(digits, 0), _sums(digits, 1)
    for size, begin in zip(SIZES, BEGIN, strict=True):
        firsts = pairs.translate(begin)
        for least in (0, 1):
            known = sums[(least + size) % 2]
            count = len(known[least + size :: 2])
            starts, ends = slice(least, least + 2 * count, 2), slice(least + size, None, 2)
            wrong = _number(known[starts]) ^ _number(known[ends])
            wrong |= _number(firsts[starts]) | _number(unbound[starts]) | _number(unbound[ends])
            places = (least + 2 * right.start() for right in RIGHT.finditer(_bytes(wrong, count)))
            found += [(one, one + size) for one in places if size in FIRSTS.get(digits[one : one + 4], ())]
    return sorted(found)


def _number(digits: bytes) -> int:
    return int.from_bytes(digits, "little")


def _bytes(number: int, size: int) -> bytes:
    return number.to_bytes(size, "little")


def _is_other(text: str, run: _Digits, start: int, end: int, ibans: Sequence[tuple[int, int]]) -> bool:
    """Whether digits are of an IBAN, or a telephone's number with its country (E.164): a plus and up to 15 digits."""
    if not start and end <= 15 and text[max(run.begins[0] - 1, 0)] == "+":
        return True
    before = bisect_left(ibans, (run.end(end),)) if ibans else 0  # those that begin before it ends
    return before > 0 and ibans[before - 1][1] > run.begin(start)


def _sums(digits: bytes, doubled: int) -> bytes:
    """Last digits of Luhn's sums from the first digit to each place, every second digit doubled, from that one on."""
    values = bytearray(digits.translate(DIGITS))
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
