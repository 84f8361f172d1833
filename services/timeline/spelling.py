"""Which word is meant by one that is typed wrong, by the words that are often said. Pure.

A word is taken for a frequent one that is one slip away: a letter too many, missing or another, or two swapped (Damerau
1964). Such are found by what is left of both without one letter (symmetric deletion, Garbe 2012), so the time does not
grow with the number of words.
"""

from collections.abc import Iterable, Mapping

OFTEN = 12  # texts that a word is in from which others may be meant to be it
SELDOM = 3  # texts up to which a word may be a slip
LETTERS = range(5, 25)  # of a word; shorter ones are too often one slip from another, longer ones are none


class Spelling:
    """Finds what is meant, of words by the number of texts that each is in."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = words
        self._held: dict[str, list[str]] = {}
        for word, count in words.items():
            if count >= OFTEN and LETTERS.start - 1 <= len(word) <= LETTERS.stop and word.isalpha():
                for left in _left(word):
                    self._held.setdefault(left, []).append(word)

    def meant(self, word: str) -> str:
        """The most frequent word that is one slip away; the word itself where there is none, or where it is no slip."""
        if len(word) not in LETTERS or self._words.get(word, 0) > SELDOM or not word.isalpha():
            return word
        found = {near for left in _left(word) for near in self._held.get(left, ()) if is_slip(word, near)}
        return min(found, key=lambda near: (-self._words[near], near), default=word)


def is_slip(one: str, other: str) -> bool:
    """Whether one letter more, less or other, or two swapped, are all the difference."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    mine, theirs = one[same:], other[same:]
    swapped = mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:]
    return swapped or theirs[1:] in (mine, mine[1:]) or mine[1:] == theirs


def _left(word: str) -> Iterable[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
