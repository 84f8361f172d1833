"""HTML as the text that a reader sees, and which of its lines its maker marked as quoted. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from html.parser import HTMLParser

UNSEEN = frozenset({"head", "script", "style", "template", "title"})
LINES = frozenset({"address", "blockquote", "br", "div", "hr", "li", "ol", "p", "pre", "table", "tr", "ul",
                   "h1", "h2", "h3", "h4", "h5", "h6"})  # fmt: skip
CELLS = frozenset({"td", "th"})
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
SPACE = re.compile(r"[ \t\r\f\xa0]+")
MANY = 50_000  # tags; what has more is no mail, and would take seconds: it is read as words without them
TAG = re.compile(r"<[^<>]*>")
SECTION = re.compile(r"<!\[[^<>]{0,200}>")  # Word's `<![if …]>`
# Classes and ids by which mail programs say "from here on, or in here, is what I answer to": Gmail's attribution,
# Thunderbird's, Yahoo's, Proton's, Tutanota's, Zoho's. Gmail's whole `gmail_quote` is not one: answers stand in it.
QUOTING = re.compile(r"gmail_attr|moz-cite-prefix|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra")
# Outlook's on the web and desktop, Zimbra's and Hotmail's: a header block of the other mail follows.
RULING = re.compile(r"divRplyFwdMsg|OutlookMessageHeader|appendonsend|zwchr|stopSpelling|mail-editor-reference")


class Mark(StrEnum):
    """What the HTML says of a line."""

    none = ""
    quoted = "quoted"  # within a quote
    ruled = "ruled"  # the first after a rule


def text(html: str) -> str:
    """The words of a page or mail in their lines; broken HTML gives what is readable of it."""
    return "\n".join(line for line, _ in marked(html))


def marked(html: str) -> list[tuple[str, Mark]]:
    """The same lines, each with its mark."""
    if html.count("<") > MANY:
        html = TAG.sub(" ", html)
    reader = _Reader()
    reader.feed(_closed(html))
    reader.close()
    kept: list[tuple[str, Mark]] = []
    ruled = False
    for words, quoted, after_rule in reader.lines():
        line = SPACE.sub(" ", words).strip() if words else ""
        ruled |= after_rule
        if line:
            kept.append((line, Mark.quoted if quoted else Mark.ruled if ruled else Mark.none))
            ruled = False
        elif kept and kept[-1][0]:
            kept.append(("", Mark.none))
    return kept[:-1] if kept and not kept[-1][0] else kept


def _closed(html: str) -> str:
    """Without marks that nothing closes: the parser looks for their ends again from each, or raises AssertionError."""
    html = SECTION.sub("", html).replace("<![", "&lt;![")
    comments = html.rfind("-->") + 1
    html = html[:comments] + html[comments:].replace("<!--", "&lt;!--")
    tags = html.rfind(">") + 1
    return html[:tags] + html[tags:].replace("<", "&lt;")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[tuple[str, bool, bool]] = []  # words, in a quote, after a rule
        self._unseen: list[str] = []
        self._written_as_is = 0  # how many <pre> deep
        self._open: list[tuple[str, bool]] = []  # tag, whether it quotes
        self._opened: Counter[str] = Counter()
        self._quotes = 0  # how many quotes deep

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # where somebody forgot to close the head
            self._unseen.clear()
        self._written_as_is += tag == "pre"
        if tag in UNSEEN:
            self._unseen.append(tag)
        elif tag in LINES:
            self._say("\n", ruled=tag == "hr" or _rules(attrs))
        elif tag in CELLS:
            self._say(" ")
        if tag not in VOID:  # what is open, so that a quote ends with its tag
            quotes = tag == "blockquote" or _named(attrs, QUOTING)
            self._open.append((tag, quotes))
            self._opened[tag] += 1
            self._quotes += quotes

    def handle_endtag(self, tag: str) -> None:
        self._written_as_is -= tag == "pre" and self._written_as_is > 0
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag in LINES and tag != "br":
            self._say("\n")
        while self._opened[tag]:  # what was left open within it ends with it
            closed, quotes = self._open.pop()
            self._opened[closed] -= 1
            self._quotes -= quotes
            if closed == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._say(data if self._written_as_is else re.sub(r"\s+", " ", data))

    def _say(self, words: str, ruled: bool = False) -> None:
        self.words.append((words, self._quotes > 0, ruled))

    def lines(self) -> Iterator[tuple[str, bool, bool]]:
        """Each line, whether its words are within a quote, and whether a rule stands before them."""
        line: list[str] = []
        quoted = ruled = False
        for words, within, after_rule in self.words:
            if words == "\n":
                yield "".join(line), quoted, ruled
                line, quoted, ruled = [], False, after_rule
                continue
            first, *rest = words.split("\n")
            line.append(first)
            quoted |= within and bool(first.strip())
            for piece in rest:
                yield "".join(line), quoted, ruled
                line, quoted, ruled = [piece], within and bool(piece.strip()), after_rule
        yield "".join(line), quoted, ruled


def _named(attrs: list[tuple[str, str | None]], names: re.Pattern[str]) -> bool:
    return any(name in ("class", "id") and value and names.search(value) for name, value in attrs)


def _rules(attrs: list[tuple[str, str | None]]) -> bool:
    drawn = any(name == "style" and value and "border-top" in value.lower() for name, value in attrs)
    return drawn or _named(attrs, RULING)
