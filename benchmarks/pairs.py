"""How well two texts that tell the same matter are told from two that do not: `pairs.TRACK….jsonl[.gz]` in a folder,
a line a pair: `a, b, y, kind, track, lang`. Rarity is learned from the texts, unlabelled, as from a stream."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import labelled
from benchmarks.ranking import auc, average_precision
from services.timeline.averaging import Sentences
from services.timeline.similarity import Similarity, Vector, shipped
from services.timeline.statements import Kind, classify, essence
from services.timeline.text import cleaned

Pair = dict[str, Any]


def read(folder: Path) -> list[Pair]:
    """All pairs of a folder. Raises Unreadable."""
    found = sorted(folder.glob("pairs.*jsonl*"))
    if not found:
        raise labelled.Unreadable(f"{folder} is no folder with files pairs.TRACK.jsonl or .jsonl.gz")
    return [row for path in found for row in labelled.rows(path, labelled.Pair)]


def matter(text: str, language: str | None) -> str:
    """What of a text is compared."""
    return essence(cleaned(text).statement, language)


def languages(pair: Pair) -> tuple[str, str]:
    """Of both texts: `en-et` is one of each."""
    first, _, second = pair["lang"].partition("-")
    return first, second or first


def vectors(pairs: Iterable[Pair], by: Similarity) -> Iterator[tuple[Pair, Vector, Vector]]:
    """Each pair with what is compared, after learning the rarity of all texts, each once."""
    texts: dict[tuple[str, str], str] = {}
    for pair in (pairs := list(pairs)):
        for side, language in zip("ab", languages(pair), strict=True):
            texts[pair[side], language] = matter(pair[side], language)
    for (_, language), text in texts.items():
        by.learn(text, language)
    made = {(text, language): by.vector(told, language) for (text, language), told in texts.items()}
    for pair in pairs:
        first, second = languages(pair)
        yield pair, made[pair["a"], first], made[pair["b"], second]


def measure(folder: Path, said: Sentences | None = None) -> dict[str, Any]:
    """AUC and AP by track, English pooled, and the share of pairs without a matter that count as one. `said`: a
    sentence model that is asked too."""
    tracks, alarms = defaultdict[str, list[tuple[float, bool]]](list), defaultdict[str, list[bool]](list)
    by = shipped(said)
    for pair, one, other in vectors(read(folder), by):
        first, second = languages(pair)
        score = by.compare(one, other, first if first == second else None).probability
        tracks[pair["track"]].append((score, bool(pair["y"])))
        if pair["track"] in ("smalltalk", "quoted"):
            explained = all(
                classify(matter(pair[side], language), language) == Kind.explanation
                for side, language in zip("ab", (first, second), strict=True)
            )
            alarms[pair["kind"]].append(explained and score >= by.threshold(first))
        elif first == second == "en":
            tracks["English pooled"].append((score, bool(pair["y"])))
    figures = {
        name: {"pairs": len(scored), "auc": auc(scored), "ap": average_precision(scored)}
        for name, scored in tracks.items()
        if any(truth for _, truth in scored)
    }
    return {"tracks": figures, "false_alarms": {kind: sum(some) / len(some) for kind, some in alarms.items()}}
