"""Lines that say who wrote what follows, and when: `On Monday … wrote:` in any language. Pure.

An attribution is one to four lines that end in a colon and stand before a quote, with an address, the word for
"wrote", or a day and a time. Where no quote marks follow, it must hold a day, and an address or the word with a time.
"""

import re
from collections.abc import Sequence

from services.hypertext import Mark
from services.timeline import labels

LONG, SHORT = 300, 20  # characters of a line that may be structure; of one that may be the end of it alone
BLANKS, MOST = 8, 4  # blank lines before what follows; lines of an attribution
Line = tuple[str, Mark]

DECORATION = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2069\ufeff"))
QUOTED = re.compile(r"\s{0,3}>(?!\s*:\s*$)")  # but Gmail wraps `<address⏎>:`
BARRED = re.compile(r"\s?\|(\s|$)")
TIME = re.compile(r"(?<!\d)\d{1,2}\s?[:.hч]\s?\d{2}(?!\d)")
DATE = re.compile(r"(?<!\d)\d{1,4}\.? ?([./-]) ?\d{1,2}\.? ?\1 ?\d{1,4}(?!\d)|\d{1,4}\s?[年년]")
YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")
DAY = re.compile(r"(?<![\d:.])[0-3]?\d(?![\d:])")
TELLING = re.compile(r"\d|[\w.+-]@[\w-]")
ADDRESS = re.compile(r"[\w.+-]@[\w-]")
ANGLED = re.compile(r"<[^<>\s]{1,100}@[^<>\s]{1,100}|mailto:")
COLON = re.compile(r"[:：][\s*_]{0,4}$")
ENDED = re.compile(r"[.!?…][\"')*_]{0,3}$")
WROTE = re.compile(
    rf"(?<!\w)(?:{'|'.join(re.escape(word) for words in labels.WROTE.values() for word in words.split('|'))})(?!\w)"
    "|写道|寫道|書きました",
    re.IGNORECASE,
)


def attributions(lines: Sequence[Line]) -> dict[int, int | None]:
    """Where each begins: where the quote in bars or by marks below it begins or ends; none where all below is quote."""
    found: dict[int, int | None] = {}
    for last, (written, _) in enumerate(lines):
        if not (":" in written or "@" in written or "：" in written) or is_quoted(lines[last]):
            continue
        text = bare(written)
        if _runs_on(text):
            found[last] = None
            break
        if len(text) > LONG:
            continue
        colon = COLON.search(text) is not None
        if not colon and not ANGLED.search(text):
            continue
        after = following(lines, last + 1)
        bars = _bars(lines, after)
        quote = bars > after + 1 or (after < len(lines) and is_quoted(lines[after]))
        if not quote and not (colon and _may_tell(lines, last)):
            continue
        first = _first(lines, last)
        whole = joined(lines, first, last + 1)
        if quote and _introduces(whole, colon):
            found[first] = max(after, bars)
        elif not quote and _stands_alone(whole):
            found[first] = None
            break  # all below is quote
    return found


def _runs_on(text: str) -> bool:
    """Whether the quote goes on in the line of its attribution, as Yahoo's telephones have it."""
    if "@" not in text[:LONG] or not (wrote := WROTE.search(text[:LONG])):
        return False
    before, after = text[: wrote.start()], text[wrote.end() : wrote.end() + 3]
    told = is_dated(before) and TIME.search(before) is not None and ADDRESS.search(before) is not None
    return told and re.match(r"\s?[:：]\s", after) is not None


def _may_tell(lines: Sequence[Line], last: int) -> bool:
    """Quickly, whether there may be a date or an address."""
    return any(TELLING.search(text) for text, _ in lines[max(0, last + 1 - MOST) : last + 1])


def _first(lines: Sequence[Line], last: int) -> int:
    """The line at which it begins: lines above are taken as long as they tell when or who."""
    first = last
    while first and last - first < MOST - 1:
        above, here = lines[first - 1][0].rstrip(), bare(lines[first][0]).strip()
        if not above and first == last and len(here) < SHORT and first > 1 and _is_named(lines[first - 2][0]):
            first -= 1  # `wrote:` by itself, a blank line below the rest
            continue
        if not above or len(above) > LONG or is_quoted(lines[first - 1]) or COLON.search(above) or ENDED.search(above):
            break
        whole = joined(lines, first, last + 1)
        full = is_dated(whole) and (ADDRESS.search(whole) or WROTE.search(whole))
        if full and not (above.endswith((",", "<", "(", '"')) or here[:1] in "<>" or here[:1].islower()):
            break
        first -= 1
    while first < last and not (_tells(lines[first][0]) and _is_needed(lines, first, last)):
        first += 1
    return first


def _is_named(text: str) -> bool:
    return len(text) <= LONG and text.rstrip().endswith(">") and ANGLED.search(text) is not None


def _is_needed(lines: Sequence[Line], first: int, last: int) -> bool:
    """Whether the first line belongs to it: not where those below say it all and it does not go on in them."""
    below = joined(lines, first + 1, last + 1)
    complete = is_dated(below) and ADDRESS.search(below) and WROTE.search(below)
    return not complete or lines[first][0].rstrip().endswith((",", "<", "("))


def _introduces(whole: str, colon: bool) -> bool:
    """Whether lines before a quote are its attribution."""
    dated, address = is_dated(whole), ADDRESS.search(whole) is not None
    if not colon:
        return dated and address and len(whole) < LONG // 2 and not ENDED.search(whole)
    return address or WROTE.search(whole) is not None or (dated and TIME.search(whole) is not None)


def _stands_alone(whole: str) -> bool:
    """Whether it needs no quote marks below it."""
    wrote = TIME.search(whole) is not None and WROTE.search(whole) is not None
    return is_dated(whole) and (wrote or ADDRESS.search(whole) is not None)


def is_quoted(line: Line) -> bool:
    """Whether a line bears the mark of a quote."""
    return line[1] is Mark.quoted or (">" in line[0][:4] and QUOTED.match(line[0]) is not None)


def _bars(lines: Sequence[Line], at: int) -> int:
    """The end of lines that begin with a bar, as some programs quote."""
    while at < len(lines) and BARRED.match(lines[at][0]):
        at += 1
    return at


def following(lines: Sequence[Line], at: int) -> int:
    """The next line that is not blank; the end where there is none near."""
    for here in range(at, min(at + BLANKS, len(lines))):
        if lines[here][0].strip():
            return here
    return len(lines)


def bare(text: str) -> str:
    """Without the signs of writing direction and width that nobody sees."""
    return text if text.isascii() else text.translate(DECORATION).replace("\xa0", " ")


def joined(lines: Sequence[Line], first: int, end: int) -> str:
    """Some lines as one."""
    return " ".join(bare(lines[at][0]).strip() for at in range(first, end))


def is_dated(text: str) -> bool:
    """Whether there is a day in it: in figures, or a year with a day's number, or a time with one."""
    if DATE.search(text):
        return True
    rest = TIME.sub(" ", text)
    return DAY.search(YEAR.sub(" ", rest)) is not None and (rest != text or YEAR.search(rest) is not None)


def _tells(text: str) -> bool:
    return TELLING.search(bare(text)) is not None or WROTE.search(text) is not None
