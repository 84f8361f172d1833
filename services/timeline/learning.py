"""What a deployment's own stream teaches: how rare words are in it, and what people come about.

A lesson is kept, and all is found by the newest one, whoever looks: so the same is found in the same until the next,
which marks all customers, since other rarities are other likenesses. Learned anew each time there is twice as much, and
where the sentence model is another. Which one a lesson names is asked, whatever who looks has set.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from schemas.codec import decode
from services import counting
from services.tables import contacts, lessons
from services.timeline import sentences
from services.timeline.facts import Pattern
from services.timeline.groups import Grouping, learned
from services.timeline.phrases import Text
from services.timeline.similarity import Rarity, Similarity, shipped
from services.timeline.statements import Kind, statement

FIRST = 500  # contacts from which a deployment teaches more than what is shipped
NEWEST = 20_000  # contacts that are learned from
WORDS, SEEN = 20_000, 2  # of a language that are kept, the most frequent; each in so many texts at least
TOLD = sa.text("""
    SELECT e.event::text AS event FROM (
        SELECT identifier_id, at, event_source, event_id FROM contacts ORDER BY day DESC, at DESC LIMIT :newest) c
    JOIN events e ON e.identifier_id = c.identifier_id AND e.occurred_at = c.at
        AND e.source = c.event_source AND e.event_id = c.event_id""")
RESTATE = sa.text("""
    INSERT INTO marks (customer_id) SELECT DISTINCT i.customer_id FROM contacts c JOIN identifiers i
    ON i.id = c.identifier_id ORDER BY 1""")
LABELS = sa.text("""
    SELECT told->>'id' AS id, told->>'label' AS label
    FROM lessons CROSS JOIN LATERAL jsonb_array_elements(content->'groups'->'groups') told ORDER BY version""")


@dataclass(frozen=True)
class Lesson:
    """By what likeness is told and facts are found; version 0 is what is shipped."""

    version: int
    similarity: Similarity
    grouping: Grouping
    patterns: Sequence[Pattern]

    def group(self, text: str, language: str | None) -> str:
        """The id of the group that a text belongs to, '' for none."""
        return self.grouping.assign(text, language)[0] or ""


class Latest:
    """The newest lesson there is, kept from one look to the next."""

    def __init__(self, patterns: Iterable[tuple[str, str, str]] = ()) -> None:
        """`patterns`: the deployment's own, of facts."""
        self.patterns = tuple(Pattern(*one) for one in patterns)
        self._known: Lesson | None = None
        self._making = threading.Lock()

    def of(self, conn: sa.Connection) -> Lesson:
        """As the database has it now."""
        return self.take(self.newer(conn))

    def newer(self, conn: sa.Connection) -> tuple[int, dict[str, Any]] | None:
        """The version and content of the newest lesson, unless it is the one that is known."""
        version = conn.scalars(sa.select(sa.func.max(lessons.c.version))).one() or 0
        if self._known and self._known.version == version:
            return None
        content = conn.scalars(sa.select(lessons.c.content).where(lessons.c.version == version)).one_or_none()
        return version, content or {}

    def take(self, newer: tuple[int, dict[str, Any]] | None) -> Lesson:
        """Know this one from now on, which may take a second of processor time.

        Raises Unavailable where it was learned for a sentence model that is not installed here.
        """
        with self._making:
            if newer and (self._known is None or self._known.version < newer[0]):
                self._known = Lesson(newer[0], *_load(newer[1]), self.patterns)
            assert self._known
            return self._known


def is_due(conn: sa.Connection) -> bool:
    """Whether there is twice as much to learn from as there was the last time."""
    last = conn.scalars(sa.select(lessons.c.contacts).order_by(lessons.c.version.desc()).limit(1)).one_or_none()
    return counting.rows(conn, contacts).number >= max(FIRST, 2 * (last or 0))


def learn(conn: sa.Connection) -> int:
    """Learn from the newest contacts and mark all customers; the number of texts. The caller commits."""
    return _learn(conn, asked(conn))


def agree(conn: sa.Connection, model: str | None) -> int:
    """Ask this sentence model from now on (None: none); the number of texts if it is another. The caller commits."""
    return _learn(conn, model) if asked(conn) != model else 0


def asked(conn: sa.Connection) -> str | None:
    """The sentence model by which the newest lesson tells likeness, by `sentences.name`."""
    told = lessons.c.content["sentences"].astext
    return conn.scalars(sa.select(told).order_by(lessons.c.version.desc()).limit(1)).one_or_none()


def _learn(conn: sa.Connection, model: str | None) -> int:
    by, explained, texts = shipped(), list[Text](), 0
    for event in conn.scalars(TOLD, {"newest": NEWEST}):
        if said := statement(decode(event.encode()), ""):
            by.learn(said.matter, said.language)
            texts += 1
            explained += [(said.matter, said.language)] if said.kind == Kind.explanation else []
    last = conn.scalars(sa.select(lessons.c.content).order_by(lessons.c.version.desc()).limit(1)).one_or_none()
    grouping = learned(explained, _grouping(last or {}))
    content = {"rarities": _dump(by), "groups": grouping.dump(), "sentences": model}
    conn.execute(sa.insert(lessons), {"contacts": counting.rows(conn, contacts).number, "content": content})
    conn.execute(RESTATE)
    return texts


def labels(conn: sa.Connection) -> dict[str, str]:
    """What groups are called, those that are no more as well."""
    return {row.id: row.label for row in conn.execute(LABELS)}


def _dump(by: Similarity) -> dict[str, Any]:
    return {name: {"texts": one.texts, "words": _frequent(one)} for name, one in sorted(by.rarities.items())}


def _frequent(rarity: Rarity) -> dict[str, int]:
    often = sorted((-count, word) for word, count in rarity.words.items() if count >= SEEN)
    return {word: -count for count, word in often[:WORDS]}


def _load(content: dict[str, Any]) -> tuple[Similarity, Grouping]:
    by = shipped(sentences.model() if content.get("sentences") else None)
    by.rarities |= {name: Rarity.of(one["texts"], one["words"]) for name, one in content.get("rarities", {}).items()}
    return by, _grouping(content)


def _grouping(content: dict[str, Any]) -> Grouping:
    return Grouping.load(content["groups"]) if "groups" in content else Grouping([], {})
