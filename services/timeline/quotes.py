"""Where a mail repeats another one: quoted lines with their attribution, header blocks, rules before them. Pure.

Found by form, in any language: a header block is three lines of `Label: value` or more (two after a rule) that hold an
address and a date; for attributions see there. Words (labels.py) decide only where the form alone would also fit what
people write themselves. Each line is looked at a bounded number of times.
"""

import re
from collections.abc import Sequence
from enum import StrEnum

from services.hypertext import Mark
from services.timeline import labels
from services.timeline.attributions import (
    ADDRESS,
    ANGLED,
    COLON,
    ENDED,
    LONG,
    TIME,
    WROTE,
    Line,
    attributions,
    bare,
    following,
    is_dated,
    is_quoted,
)  # fmt: skip

HEADERS = 14  # lines that a header block may have, with those its values go on in
ROLES = {
    label: role for roles in labels.HEADERS.values() for role, words in enumerate(roles) for label in words.split("|")
}
LABEL = re.compile(r"[*_ \t]{0,4}([^\W\d_][^:：\n<>@]{0,28}?)[*_ \t]{0,3}[:：][*_]{0,2}(?:\s+|$|(?=[<\"*]))(.*)")
DASHED = re.compile(r"\s{0,4}-{4,}([^-].{4,200}?)-{4,}\s{0,4}$")
RULE = re.compile(r"\s{0,4}[*_]{0,2}(?:[-–—‐_=~*]\s?){3,}$")
FOLLOWED = re.compile(r"\s{0,4}[-–—‐_]{4,}\s{0,4}([^\W\d_].{2,80}?)\s{0,4}[-–—‐_]{4,}\s{1,4}[^:]{1,30}:")
WORDED = re.compile(r"\s{0,4}[-–—‐_=*]{2,}\s{0,4}([^\W\d_].{2,80}?)\s{0,4}[-–—‐_=*]{2,}\s{0,4}$")
FORWARDED, ORIGINAL = (
    re.compile("|".join(map(re.escape, stems)), re.IGNORECASE) for stems in (labels.FORWARDED, labels.ORIGINAL)
)


class Kind(StrEnum):
    """What a line of a mail is."""

    own = "own"
    greeting = "greeting"
    closing = "closing"
    signature = "signature"
    disclaimer = "disclaimer"
    quote = "quote"
    forward = "forward"


def found(lines: Sequence[Line]) -> list[Kind]:
    """What each line is, as far as it repeats another mail; all else is its own."""
    kinds = [Kind.own] * len(lines)
    introduced = attributions(lines)
    at, own = 0, False
    while at < len(lines):
        text = lines[at][0]
        if not text or text.isspace():
            at += 1
        elif is_quoted(lines[at]):
            kinds[at] = Kind.quote
            at += 1
        elif end := introduced.get(at):
            kinds[at:end] = [Kind.quote] * (end - at)
            at = end
        elif (forwards := False if at in introduced else _begins(lines, at)) is not None:
            kinds[at:] = [Kind.forward if forwards or not own else Kind.quote] * (len(lines) - at)
            break
        else:
            own = True
            at += 1
    _fill(lines, kinds)
    return kinds


def _begins(lines: Sequence[Line], at: int) -> bool | None:
    """Whether what begins here and goes to the end is a forward (true) or a quote; none where nothing begins."""
    text = lines[at][0].rstrip()
    if len(text) > LONG:
        return None
    if text.endswith(tuple("-–—‐_=~*")):
        return _ruled(lines, at, text)
    if ":" not in text and "：" not in text:
        return None
    if (told := FOLLOWED.match(text)) and FORWARDED.search(told[1]):  # all headers in the line of the rule
        return True
    if _is_block(lines, at, ruled=lines[at][1] is Mark.ruled):
        return False
    if COLON.search(text) and len(text) < 80 and FORWARDED.search(text):  # `Begin forwarded message:`
        after = following(lines, at + 1)
        return _is_block(lines, after, ruled=True) or (after < len(lines) and is_quoted(lines[after])) or None
    return None


def _ruled(lines: Sequence[Line], at: int, text: str) -> bool | None:
    """The same for a rule, with words in it or without."""
    if (dashed := DASHED.match(text)) and WROTE.search(dashed[1]):
        return False
    after = following(lines, at + 1)
    if worded := WORDED.match(text):
        if FORWARDED.search(worded[1]) or ORIGINAL.search(worded[1]):
            return FORWARDED.search(worded[1]) is not None
        return False if _is_block(lines, after, ruled=True) else None
    if not RULE.match(text) or after == len(lines):
        return None
    named = len(lines[after][0]) < 60 and FORWARDED.search(lines[after][0]) is not None
    return named if _is_block(lines, following(lines, after + 1) if named else after, ruled=True) else None


def _is_block(lines: Sequence[Line], at: int, ruled: bool) -> bool:
    """Whether a block of headers begins here."""
    if at >= len(lines) or not LABEL.match(bare(lines[at][0])[:LONG]):
        return False
    count, roles, values = _headers(lines, at)
    if count < (2 if ruled else 3):
        return False
    text = " ".join(values)
    dated, address = is_dated(text), ADDRESS.search(text) is not None
    known = 0 in roles and (1 in roles or dated) and (3 in roles or address)
    unknown = dated and ((ruled and address) or (TIME.search(text) is not None and ANGLED.search(text) is not None))
    return known or unknown


def _headers(lines: Sequence[Line], at: int) -> tuple[int, set[int], list[str]]:
    """How many headers follow each other from here, which of the known, and their values."""
    count, roles, values = 0, set[int](), list[str]()
    for here in range(at, min(at + HEADERS, len(lines))):
        text = bare(lines[here][0][: 4 * LONG])
        if label := LABEL.match(text):
            role = ROLES.get(label[1].strip().lower())
            count += 1
            roles |= set() if role is None else {role}
            values.append(label[2])
        elif not text.strip():
            below = LABEL.match(bare(lines[here + 1][0][:LONG])) if here + 1 < len(lines) else None
            if not below or below[1].strip().lower() not in ROLES:
                break
        elif values and _goes_on(text, values[-1]):
            values.append(text)
        else:
            break
    return count, roles, values


def _goes_on(text: str, value: str) -> bool:
    """Whether a header's value goes on in this line."""
    return text[:1].isspace() or value.rstrip().endswith((",", ";", "<")) or ADDRESS.search(text) is not None


def _fill(lines: Sequence[Line], kinds: list[Kind]) -> None:
    """What a program wrapped out of a quoted line belongs to the quote: short, between two, going on from the first."""
    for at in range(1, len(lines) - 1):
        if kinds[at] is Kind.own and kinds[at - 1] is kinds[at + 1] is Kind.quote:
            above, here = lines[at - 1][0].rstrip(), lines[at][0].strip()
            wrapped = len(above) > 66 and not ENDED.search(above) and here[:1].islower() and len(here) < 30
            kinds[at] = Kind.quote if wrapped and not ENDED.search(here) else Kind.own
