"""The words of a text, the numbers among them, and their stems. Pure."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache

import Stemmer

WORD = re.compile(r"\w+(?:[.\-/]\w*\d\w*)*")
STEMMED = {
    "en": "english", "et": "estonian", "lt": "lithuanian", "ru": "russian", "fi": "finnish", "de": "german",
}  # fmt: skip
FIRM = 4  # letters of a number that is seldom the same by chance; what has a point in it is a version or an amount


def tokens(text: str) -> Iterable[str]:
    """The words of a text, small; numbers with what joins them."""
    return WORD.findall(text.lower())


def numbers(words: Iterable[str]) -> set[str]:
    """Those that are seldom the same by chance."""
    return {word for word in words if len(word) >= FIRM and "." not in word and any(map(str.isdigit, word))}


@lru_cache(maxsize=200_000)
def stem(word: str, language: str | None) -> str:
    """The stem of a word, or the word where the language has no stemmer."""
    stemmer = _stemmer(language or "")
    return str(stemmer.stemWord(word)) if stemmer else word


@cache
def _stemmer(language: str) -> Stemmer.Stemmer | None:
    name = STEMMED.get(language[:2])
    return Stemmer.Stemmer(name) if name else None
