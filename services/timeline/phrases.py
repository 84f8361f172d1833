"""What groups of texts are called: phrases that several texts of one hold and those of others do not. Pure.

Only phrases that at least `SAID` texts hold: so a label is nobody's sentence, and what is erased is not in it.
Phrases are compared by their stems and shown in their commonest form.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from services.timeline.cues import CUES
from services.timeline.tokens import WORD, stem

Text = tuple[str, str | None]  # what is compared of a text, and its language
SAID = 3  # texts that hold a phrase before it may be in a label
PHRASES = 3  # of a label
LONGEST = 4  # words of a phrase
TELLING = 0.3  # of what the best phrase is worth that another must be
IDLE = ("common", "closing", "smalltalk", "frame", "filler")


def labels(groups: Sequence[Sequence[Text]]) -> list[tuple[str | None, str]]:
    """Of each group the language most of it is told in, and its phrases in it; none where no phrase is told enough."""
    held = [[(language, phrases(text, language)) for text, language in some] for some in groups]
    every = Counter((language, phrase) for some in held for language, told in some for phrase in told)
    total = Counter(language for some in held for language, _ in some)
    made = list[tuple[str | None, str]]()
    for some in held:
        counts = Counter(language for language, _ in some)
        first = min(counts, key=lambda name: (-counts[name], name or ""))
        mine = [told for language, told in some if language == first]
        here = Counter(phrase for told in mine for phrase in told)
        elsewhere = total[first] - counts[first] + 1
        worth = {
            phrase: _worth(phrase, count / len(mine), (every[first, phrase] - count + 0.5) / elsewhere)
            for phrase, count in here.items() if count >= SAID
        }  # fmt: skip
        made.append((first, " · ".join(_shown(phrase, mine) for phrase in _chosen(worth, first))))
    return made


def phrases(text: str, language: str | None) -> dict[str, str]:
    """Runs of words that begin and end with one that tells something: by their stems, as they were said."""
    found, words, idle = dict[str, str](), WORD.findall(text.lower()), _idle(language)
    tells = [word.isalpha() and len(word) > 2 and word not in idle for word in words]
    for start, first in enumerate(tells):
        for end in range(start, min(start + LONGEST, len(words))) if first else ():
            if any(map(str.isdigit, words[end])):
                break
            if tells[end]:
                run = words[start : end + 1]
                found.setdefault(" ".join(stem(word, language) for word in run), " ".join(run))
    return found


def _worth(phrase: str, share: float, elsewhere: float) -> float:
    """How well a phrase tells a group: how many say it, how many more than elsewhere, and how much it says."""
    return share * math.log(share / elsewhere) * math.sqrt(1 + phrase.count(" "))


def _chosen(worth: Mapping[str, float], language: str | None) -> list[str]:
    """The best phrases that share no telling word."""
    chosen, taken = list[str](), set[str]()
    least = TELLING * max([0.0, *worth.values()])
    idle = {stem(word, language) for word in _idle(language)}
    for phrase in sorted(worth, key=lambda phrase: (-worth[phrase], phrase)):
        told = set(phrase.split()) - idle
        if worth[phrase] > least and not told & taken:
            chosen.append(phrase)
            taken |= told
    return chosen[:PHRASES]


def _shown(phrase: str, told: Sequence[Mapping[str, str]]) -> str:
    forms = Counter(some[phrase] for some in told if phrase in some)
    return min(forms, key=lambda form: (-forms[form], form))


@cache
def _idle(language: str | None) -> frozenset[str]:
    """Words that tell nothing of a matter: of a language, or of all where it is not known."""
    some = [CUES[language]] if language in CUES else CUES.values()
    return frozenset(word for cues in some for kind in IDLE for word in WORD.findall(cues[kind]))
