"""HTML as the text that a reader sees. Pure."""

import re
from html.parser import HTMLParser

UNSEEN = frozenset({"head", "script", "style", "template", "title"})
LINES = frozenset({"address", "blockquote", "br", "div", "hr", "li", "ol", "p", "pre", "table", "tr", "ul",
                   "h1", "h2", "h3", "h4", "h5", "h6"})  # fmt: skip
CELLS = frozenset({"td", "th"})


def text(html: str) -> str:
    """The words of a page or mail in their lines; broken HTML gives what is readable of it."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (re.sub(r"[ \t\r\f\xa0]+", " ", line).strip() for line in "".join(reader.words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen: list[str] = []
        self._written_as_is = 0  # how many <pre> deep

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # where somebody forgot to close the head
            self._unseen.clear()
        self._written_as_is += tag == "pre"
        if tag in UNSEEN:
            self._unseen.append(tag)
        elif tag in LINES:
            self.words.append("\n")
        elif tag in CELLS:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._written_as_is -= tag == "pre" and self._written_as_is > 0
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        elif tag in LINES and tag != "br":
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data if self._written_as_is else re.sub(r"\s+", " ", data))
