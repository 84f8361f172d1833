"""How alike two statements are, as a probability that they tell the same matter, with what agreed. Pure.

Three kinds of features: stems of words; sequences of 2 to 4 letters within words, which bear inflection and typing
errors in any language; and what the words mean (`meanings.py`). Of words that are typed wrong (`spelling.py`) stems and
meaning are those of the word that is meant. Each weighs by its rarity (idf) among the texts a deployment has seen, from
a shipped table on. The cosines of all, references and numbers, and how much it tells that both say a word or only one
does, make a logistic model (`similarity.json`, by `make train`). A sentence model, where there is one, has half of the
say on texts in languages that it knows.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from itertools import chain
from operator import mul
from pathlib import Path

from services.timeline.averaging import NEUTRAL, Averaged, Sentences, logistic
from services.timeline.cues import CUES
from services.timeline.meanings import Meanings, near
from services.timeline.meanings import shipped as meant
from services.timeline.spelling import Spelling
from services.timeline.tokens import numbers, stem, tokens

GRAMS = (2, 3, 4)
KEPT = 300_000  # words or sequences of letters whose rarity is remembered; the rarest go first
SHIPPED = Path(__file__).with_name("similarity.json")


@dataclass(frozen=True, slots=True)
class Vector:
    """A text's features by weight, both of length one, and its references and numbers."""

    words: Mapping[str, float]
    grams: Mapping[str, float]
    references: frozenset[str]
    mass: float
    meaning: tuple[float, ...] = ()
    alone: float = 0.0  # what it tells if the other text says none of these words
    language: str | None = None
    sentence: str = ""  # the text itself, for a sentence model that knows its language
    said: Mapping[str, str] = field(default_factory=dict)  # by stem, of words that say something


@dataclass(frozen=True, slots=True)
class Agreement:
    """How surely two texts tell the same, from 0 to 1, and why: words by weight, references."""

    probability: float
    words: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(slots=True)
class Rarity:
    """In how many texts words and letters were seen. Learning adds up, so the order does not matter."""

    texts: int = 0
    words: dict[str, int] = field(default_factory=dict)
    grams: dict[str, int] = field(default_factory=dict)
    _spelling: Spelling | None = field(default=None, repr=False, compare=False)

    def learn(self, text: str) -> None:
        """Count one more text."""
        self.texts += 1
        self._spelling = None
        seen = set(tokens(text))
        for word in seen:
            self.words[word] = self.words.get(word, 0) + 1
        for gram in {gram for word in seen for gram in _grams(word)}:
            self.grams[gram] = self.grams.get(gram, 0) + 1
        for counts in (self.words, self.grams):
            if len(counts) > 2 * KEPT:
                _forget(counts)

    @property
    def spelling(self) -> Spelling:
        """Of the words as they are counted now."""
        if self._spelling is None:
            self._spelling = Spelling(self.words)
        return self._spelling

    @classmethod
    def of(cls, texts: int, words: Mapping[str, int]) -> "Rarity":
        """From a table of words; sequences of letters are counted by the words they are in."""
        made = cls(texts, dict(words))
        for word, count in words.items():
            for gram in _grams(word):
                made.grams[gram] = min(texts, made.grams.get(gram, 0) + count)
        return made


@dataclass(frozen=True)
class Model:
    """What training found: weights of the features, and the probability from which two texts are one matter."""

    weights: tuple[float, ...]
    bias: float
    threshold: float
    stems: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # said by both, and by one only
    averaged: Averaged = NEUTRAL  # with a sentence model

    def probability(self, one: Vector, other: Vector) -> float:
        """That both tell the same matter."""
        return logistic(self.bias + sum(map(mul, self.weights, features(one, other))) + self.said(one, other))

    def said(self, one: Vector, other: Vector) -> float:
        """What it tells that both say a stem, or only one does."""
        shared = one.words.keys() & other.words.keys() & self._gains.keys()
        return one.alone + other.alone + math.fsum([self._gains[stem] for stem in shared])

    def alone(self, stems: Iterable[str]) -> float:
        """What stems tell that the other text has none of."""
        return math.fsum(self.stems[stem][1] for stem in stems if stem in self.stems)

    @cached_property
    def _gains(self) -> Mapping[str, float]:
        """What a stem tells that both say, over what it tells of each alone."""
        return {stem: both - 2 * alone for stem, (both, alone) in self.stems.items()}


class Similarity:
    """Compares texts by rarities and models, each by language or of `other` ones."""

    def __init__(
        self,
        rarities: Mapping[str, Rarity],
        models: Mapping[str, Model],
        meanings: Meanings | None = None,
        sentences: Sentences | None = None,
    ) -> None:
        self.rarities, self.models, self.meanings = dict(rarities), models, meanings or meant()
        self.sentences = sentences

    def learn(self, text: str, language: str | None = None) -> None:
        """Count one more text of the stream."""
        self._rarity(language).learn(text)

    def threshold(self, language: str | None = None) -> float:
        """The probability from which two texts count as one matter."""
        model = self.model(language)
        return model.averaged.threshold if self._knows(language) else model.threshold

    def _knows(self, language: str | None) -> bool:
        return self.sentences is not None and (language or "") in self.sentences.languages

    def _rarity(self, language: str | None) -> Rarity:
        return self.rarities.setdefault(language or "other", Rarity())

    def model(self, language: str | None) -> Model:
        """By which texts of a language are compared."""
        return self.models.get(language or "", self.models["other"])

    def vector(self, text: str, language: str | None = None, references: Iterable[str] = ()) -> Vector:
        """A text's features; its language only chooses the stemmer."""
        words, stems, said = list(tokens(text)), dict[str, float](), dict[str, str]()
        rarity = self._rarity(language)
        idf = _idf(rarity.texts)
        for word in words:
            root = stem(word, language)
            if not self.meanings.knows(root, language):
                word = rarity.spelling.meant(word)
                root = stem(word, language)
            stems[root] = max(stems.get(root, 0.0), idf[min(rarity.words.get(word, 0), IDF)])
            if word not in _common():
                said.setdefault(root, word)
        grams = Counter(chain.from_iterable(map(_grams, words)))
        seen = rarity.grams.get
        weighted = {
            gram: (LOGS[count] if count < 20 else 1 + math.log(count))
            * idf[many if (many := seen(gram, 0)) < IDF else IDF]
            for gram, count in grams.items()
        }
        named = frozenset(numbers(words) | {reference.lower() for reference in references})
        meaning = self.meanings.of(stems, language)
        alone = self.model(language).alone(stems)
        sentence = text if self._knows(language) else ""
        mass = sum(stems.values())
        return Vector(_unit(stems), _unit(weighted), named, mass, meaning, alone, language, sentence, said)

    def compare(self, one: Vector, other: Vector, language: str | None = None) -> Agreement:
        """How surely both tell the same matter."""
        shared = {stem: one.words[stem] * other.words[stem] for stem in one.said.keys() & other.said.keys()}
        weightiest = sorted(shared, key=lambda stem: (-shared[stem], stem))[:5]
        words = tuple(min(one.said[stem], other.said[stem]) for stem in weightiest)
        references = tuple(sorted(one.references & other.references))
        return Agreement(self.probability(one, other, language), words, references)

    def averages(self, one: Vector, other: Vector) -> bool:
        """Whether a sentence model has a say."""
        return bool(self.sentences and one.sentence and other.sentence)

    def probability(self, one: Vector, other: Vector, language: str | None = None) -> float:
        """That both tell the same matter."""
        model = self.model(language)
        told = model.probability(one, other)
        if self.sentences and self.averages(one, other):
            return model.averaged.with_model(told, self.sentences.near(one.sentence, other.sentence))
        return told

    def meant(self, one: Vector, other: Vector) -> tuple[str, ...]:
        """The pairs of other words by which both say the same, as `refund ~ money`, weightiest first."""
        mine, theirs = (
            {stem: told.words[stem] for stem in told.said if stem not in again.words}
            for told, again in ((one, other), (other, one))
        )  # fmt: skip
        pairs = self.meanings.pairs(mine, one.language, theirs, other.language)
        return tuple(f"{one.said[stem]} ~ {other.said[root]}" for stem, root in pairs[:3])


def features(one: Vector, other: Vector) -> tuple[float, ...]:
    """What the model weighs, the same whichever text comes first."""
    words, grams = _dot(one.words, other.words), _dot(one.grams, other.grams)
    low, high = sorted((math.log1p(one.mass), math.log1p(other.mass)))
    agreed = len(one.references & other.references)
    meant = near(one.meaning, other.meaning)
    return (math.sqrt(grams), math.sqrt(words), grams, words, min(agreed, 2), low, high, meant, meant * abs(meant))


def shipped(sentences: Sentences | None = None) -> Similarity:
    """The comparison as it is shipped, whose rarities may be learned on."""
    told = json.loads(SHIPPED.read_text())
    models = {
        name: Model(tuple(one["weights"]), one["bias"], one["threshold"], one["stems"], Averaged(*one["averaged"]))
        for name, one in told["models"].items()
    }
    return Similarity(start(told["texts"], told["words"]), models, sentences=sentences)


def start(texts: int, words: Mapping[str, int]) -> dict[str, Rarity]:
    """Rarities to begin with: English by a table, other languages by their common words."""
    common = {name: dict.fromkeys(cues["common"].split(), FIRST // 20) for name, cues in CUES.items()}
    return {name: Rarity.of(FIRST, counts) for name, counts in common.items()} | {"en": Rarity.of(texts, words)}


@cache
def _common() -> frozenset[str]:
    """Words that say nothing of a matter, in any language."""
    return frozenset(word for cues in CUES.values() for word in cues["common"].split())


FIRST = 400  # texts that a language without a table is taken to have seen
IDF = 20_000  # more texts than this make no word more common
LOGS = [0.0, *(1 + math.log(count) for count in range(1, 20))]


@lru_cache(maxsize=4)
def _idf(texts: int) -> list[float]:
    return [max(0.1, math.log((texts + 1) / (seen + 1))) for seen in range(IDF + 1)]


@lru_cache(maxsize=200_000)
def _grams(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(padded[at : at + size] for size in GRAMS for at in range(len(padded) - size + 1)) or (padded,)


def _unit(weights: Mapping[str, float]) -> dict[str, float]:
    scale = 1 / (math.hypot(*weights.values()) or 1.0)
    return {name: weight * scale for name, weight in weights.items()}


def _dot(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[name] for name, weight in one.items() if name in other)


def _forget(counts: dict[str, int]) -> None:
    for name in sorted(counts, key=lambda name: (counts[name], name))[: len(counts) - KEPT]:
        del counts[name]
