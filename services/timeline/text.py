"""What somebody wrote in a mail themselves, and what else was in it. Pure.

The whole mail is the parts one below the other, so nothing is lost: each part has its kind and its lines as they were.
`reply` is what the sender wrote (with greeting and closing: they are theirs), `statement` is the same without them,
which is what counts when asking whether somebody explained a matter. The rules are in quotes.py and endings.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from services import hypertext
from services.hypertext import Mark
from services.timeline import endings, quotes
from services.timeline.attributions import Line
from services.timeline.quotes import Kind

THEIRS = frozenset({Kind.own, Kind.greeting, Kind.closing})
LINES = 30_000  # more is no mail that somebody wrote: it is left whole
ROUNDS = 8  # cutting may bring together what is structure then; a text that does not settle is left whole


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of one kind that follow each other; several are one text by line feeds."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A mail in its parts, in order."""

    parts: tuple[Part, ...]

    @property
    def reply(self) -> str:
        """The sender's own words, greeting and closing with them; empty where there are none."""
        return self._told(THEIRS)

    @property
    def statement(self) -> str:
        """The sender's own words without greeting and closing."""
        return self._told(frozenset({Kind.own}))

    @property
    def cut(self) -> tuple[Part, ...]:
        """What is not the sender's own words, with the reason of each as its kind."""
        return tuple(part for part in self.parts if part.kind not in THEIRS)

    @property
    def only_forwards(self) -> bool:
        """Whether the sender said nothing but passed another mail on: then the reply is empty, and that is why."""
        return not self.statement and any(part.kind is Kind.forward for part in self.parts)

    @property
    def whole(self) -> str:
        """The text that was cleaned."""
        return "\n".join(part.text for part in self.parts)

    def _told(self, kinds: frozenset[Kind]) -> str:
        lines = "\n".join(part.text for part in self.parts if part.kind in kinds).split("\n")
        told = [at for at, line in enumerate(lines) if line.strip()]
        return "\n".join(lines[told[0] : told[-1] + 1]) if told else ""


def cleaned(text: str, html: str | None = None) -> Cleaned:
    """A mail's text in its parts.

    `text` is the plain text, or what hypertext makes of `html` where the mail has no other. Then, or where it is
    blank, the structure of `html` says which lines are quoted. Where both are there and differ, `text` counts.
    Cleaning the reply again gives the reply. Time is linear in the length.
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = [(line, Mark.none) for line in plain.split("\n")]
    if html:
        marked = hypertext.marked(html)
        if marked and plain.strip() in ("", "\n".join(line for line, _ in marked)):
            lines = marked
    kinds = _settled(lines)
    groups = groupby(zip(kinds, lines, strict=True), key=lambda pair: pair[0])
    return Cleaned(tuple(Part(kind, "\n".join(line for _, (line, _) in pairs)) for kind, pairs in groups))


def _settled(lines: Sequence[Line]) -> list[Kind]:
    """The kind of each line, found again and again in what is left until nothing more is cut."""
    kinds = [Kind.own] * len(lines)
    left = list(range(len(lines)))
    for _ in range(ROUNDS if len(lines) <= LINES else 0):
        found = _once([lines[at] for at in left])
        for at, kind in zip(left, found, strict=True):
            kinds[at] = kind
        if all(kind in THEIRS for kind in found):
            return kinds
        left = [at for at, kind in zip(left, found, strict=True) if kind in THEIRS]
    return [Kind.own] * len(lines)


def _once(lines: Sequence[Line]) -> list[Kind]:
    """The kinds as they look at first; blank lines go with what they stand below."""
    kinds = quotes.found(lines)
    endings.mark([text for text, _ in lines], kinds)
    above = next((kind for (text, _), kind in zip(lines, kinds, strict=True) if text.strip()), Kind.own)
    for at, (text, _) in enumerate(lines):
        above = kinds[at] = kinds[at] if text.strip() else above
    return kinds
