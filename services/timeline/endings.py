"""What stands around the words of a mail: greeting, closing, signature, disclaimer. Pure.

By form: a signature stands below `-- `, or below another rule when all of it is short and it tells how to reach
somebody; a program's own line (`Sent from my …`) is a short paragraph at the end. Words (labels.py) decide the rest.
"""

import re
from collections.abc import Sequence

from services.timeline import labels
from services.timeline.attributions import ADDRESS, LONG
from services.timeline.quotes import RULE, Kind

DASHES = frozenset({"--", "—", "–", "__", "---"})
CONTACT = re.compile(r"[\w.+-]@[\w-]|https?://|www\.|\+?\d[\d ()/-]{6,}\d")
MARKUP = re.compile(r"^[\s<>(\[*_]+|[\s<>)\]*_]+$")
LINK = re.compile(r"[<(]?https?://\S*|[\[\]]")
PGP = "-----BEGIN PGP "
TAIL, SHORT = 12, 80  # lines of a signature, characters of each
DRAWN = 20  # characters of a rule that a program has drawn
_AFTER = r"(?:[ ,]+[^\s,.!?:;]+){0,4}\s*[,.!:;–-]*\s*\)*$"


def _words(by_language: dict[str, str]) -> str:
    words = {word for one in by_language.values() for word in one.split("|")}
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


GREETING = re.compile(rf"(?:{_words(labels.GREETINGS)})(?!\w){_AFTER}", re.IGNORECASE)
CLOSING = re.compile(rf"(?:{_words(labels.CLOSINGS)})(?!\w)\s*[,.!:;–-]*\s*([/|]\s*.{{1,60}})?$", re.IGNORECASE)


def mark(lines: Sequence[str], kinds: list[Kind]) -> None:
    """Say of the lines that are still own which of them stand around the words."""
    first = 0
    while first < len(lines):
        if kinds[first] is not Kind.own:
            first += 1
            continue
        end = first
        while end < len(lines) and kinds[end] is Kind.own:
            end += 1
        _segment(lines, kinds, first, end)
        first = end


def _segment(lines: Sequence[str], kinds: list[Kind], first: int, end: int) -> None:
    _sealed(lines, kinds, first, end)
    end = _signed(lines, kinds, first, end)
    while (less := _added(lines, kinds, first, end)) < end:
        end = less
    _greeted(lines, kinds, first, end)
    _closed(lines, kinds, first, end)


def _sealed(lines: Sequence[str], kinds: list[Kind], first: int, end: int) -> None:
    """What PGP puts around the words."""
    at = first
    while at < end:
        if lines[at].startswith(PGP):
            stop = "-----END PGP " if "SIGNATURE" in lines[at] else ""
            begin = at
            while at < end and not (lines[at].startswith(stop) if stop else not lines[at].strip()):
                at += 1
            kinds[begin : at + 1] = [Kind.signature] * (min(at + 1, end) - begin)
        at += 1


def _signed(lines: Sequence[str], kinds: list[Kind], first: int, end: int) -> int:
    """Cut what stands below a signature's rule; where the words end now."""
    for at in range(first, end):
        text = lines[at]
        if len(text) > SHORT or not text.strip() or text.strip()[0] not in "-–—_=*~#+":
            continue
        dashes = text.strip() in DASHES
        if dashes and _is_tail(lines[at + 1 : end], by_rule=False):
            kinds[at:end] = [Kind.signature] * (end - at)
            return at
        alone = at == first or not lines[at - 1].strip()
        drawn = len(text.strip()) >= DRAWN
        if alone and RULE.match(text.rstrip()) and _is_tail(lines[at + 1 : end], by_rule=not drawn):
            kinds[at:end] = [Kind.signature] * (end - at)
            return at
    return end


def _is_tail(lines: Sequence[str], by_rule: bool) -> bool:
    """Whether these lines may be a signature: few, and below a rule typed by hand with a way to reach somebody."""
    if len(lines) > 6 * TAIL:
        return False
    told = [line for line in lines if line.strip()]
    if not by_rule:
        return len(told) <= 2 * TAIL and not any(line.rstrip().endswith("?") for line in told)
    short = len(told) <= TAIL and not any(len(line) > 2 * SHORT or line.rstrip().endswith("?") for line in told)
    return short and (not told or any(CONTACT.search(line) for line in told))


def _added(lines: Sequence[str], kinds: list[Kind], first: int, end: int) -> int:
    """Cut the last paragraph or line where a program or a company added it; where the words end now."""
    last = end
    while last > first and not lines[last - 1].strip():
        last -= 1
    if last == first:
        return end
    if _is_program(lines[last - 1]):
        kinds[last - 1 : end] = [Kind.signature] * (end - last + 1)
        return last - 1
    begin = last
    while begin > first and lines[begin - 1].strip() and last - begin < 4 * TAIL:
        begin -= 1
    if _is_disclaimer(" ".join(lines[begin:last]).lower()):
        kinds[begin:end] = [Kind.disclaimer] * (end - begin)
        return begin
    return end


def _is_program(line: str) -> bool:
    """Whether a telephone or a mail program says its name here."""
    if len(line) > 2 * SHORT:
        return False
    text = MARKUP.sub("", LINK.sub("", line)).lower()
    words = text.split()
    if text.startswith(labels.SENT_FROM):
        plain = len(words) <= 8 and "," not in text and not text.endswith(("?", "!"))
        known = any(device in text for device in labels.DEVICES) and len(words) <= 12
        return plain or (known and "," not in text) or any(excuse in text for excuse in labels.EXCUSES)
    if any(device in text for device in labels.DEVICES):
        ends = text.rstrip(".!").endswith(labels.SENT)
        return (ends and len(words) <= 8) or (len(words) <= 4 and " from " in f" {text} " and text[-1:].isalnum())
    return False


def _is_disclaimer(paragraph: str) -> bool:
    if any(stem in paragraph for stem in labels.ENVIRONMENT) and len(paragraph) < 4 * LONG:
        return True
    secret = any(stem in paragraph for stem in labels.SECRET)
    return len(paragraph) > 120 and secret and any(stem in paragraph for stem in labels.INTENDED)


def _greeted(lines: Sequence[str], kinds: list[Kind], first: int, end: int) -> None:
    while first < end and (not lines[first].strip() or kinds[first] is not Kind.own or _is(GREETING, lines[first])):
        if kinds[first] is Kind.own and lines[first].strip():
            kinds[first] = Kind.greeting
        first += 1


def _closed(lines: Sequence[str], kinds: list[Kind], first: int, end: int) -> None:
    """A closing phrase and the few short lines of the name below it."""
    told = [at for at in range(max(first, end - 4 * TAIL), end) if lines[at].strip() and kinds[at] is Kind.own][-TAIL:]
    for place, at in enumerate(told):
        below = told[place + 1 :]
        if _is(CLOSING, lines[at]) and all(len(lines[one]) <= SHORT and not _speaks(lines[one]) for one in below):
            for one in [at, *below]:
                kinds[one] = Kind.closing
            return


def _speaks(line: str) -> bool:
    """Whether a line below a closing is a sentence rather than a name, a title or an address."""
    return line.rstrip().endswith("?") or (len(line.split()) > 7 and not ADDRESS.search(line))


def _is(form: re.Pattern[str], line: str) -> bool:
    return len(line) <= SHORT and form.match(line.strip(" *_\t\xa0\ufeff")) is not None
