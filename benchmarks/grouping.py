"""How well groups of issues are groups of one topic: pairs' texts with their topics, `la` and `lb`, in a folder.

Groups are learned from one half of the texts and the other half is assigned. Each track is a deployment of its own,
Tilde's in five languages at once; `all` is of as many texts of each.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import pairs
from services.timeline.groups import Grouping, Text, learned

TRACKS = ("bank77_xchan", "clinc", "multidogo_conv", "tilde", "buerokratt_et")  # a topic of each text, few topics
MOST = 6_000  # texts of a track
SHARE = 1_500  # of each track in `all`
SHOWN = 10  # groups that are shown
Labelled = Sequence[tuple[Text, str]]


def read(folder: Path) -> dict[str, Labelled]:
    """Texts with their topics by track, each text once, in an order by hash."""
    found: dict[str, dict[Text, str]] = {}
    for pair in pairs.read(folder):
        track = "tilde" if pair["track"].startswith(("tilde", "xling")) else pair["track"]
        if track in TRACKS:
            for side, language in zip("ab", pairs.languages(pair), strict=True):
                found.setdefault(track, {})[pairs.matter(pair[side], language), language] = pair["l" + side]
    tracks = {name: sorted(some.items(), key=lambda one: _hash(one[0]))[:MOST] for name, some in sorted(found.items())}
    return tracks | {"all": [one for some in tracks.values() for one in some[:SHARE]]}


def measure(folder: Path) -> dict[str, Any]:
    """Agreement with topics by track, on texts not learned from; the largest groups of `all` with examples."""
    figures = dict[str, Any]()
    for name, labelled in read(folder).items():
        halves: tuple[list[tuple[Text, str]], list[tuple[Text, str]]] = ([], [])
        for one in labelled:
            halves[_hash(one[0])[-1] % 2].append(one)
        by = learned(text for text, _ in halves[0])
        placed = [(text, topic, by.assign(*text)[0]) for text, topic in halves[1]]
        kept = [(topic, group) for _, topic, group in placed if group]
        figures[name] = agreement(kept) | {
            "texts": len(placed), "topics": len({topic for _, topic, _ in placed}), "groups": len(by.groups),
            "grouped": len(kept) / max(1, len(placed)), "shown": _shown(by, placed),
        }  # fmt: skip
    return {"tracks": figures}


def agreement(pairs: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Of (topic, group): V-measure (Rosenberg and Hirschberg 2007), adjusted Rand index, purity."""
    both = Counter(pairs)
    topics, groups = Counter[str](), Counter[str]()
    best = dict[str, int]()
    for (topic, group), count in both.items():
        topics[topic] += count
        groups[group] += count
        best[group] = max(best.get(group, 0), count)
    total = max(1, both.total())
    mutual = _entropy(topics) + _entropy(groups) - _entropy(both)
    alike, one, other = (sum(math.comb(count, 2) for count in some.values()) for some in (both, topics, groups))
    chance = one * other / max(1, math.comb(total, 2))
    return {
        "v_measure": 2 * mutual / ((_entropy(topics) + _entropy(groups)) or 1.0),
        "rand": (alike - chance) / (((one + other) / 2 - chance) or 1.0),
        "purity": sum(best.values()) / total,
    }


def _entropy(counts: Counter[Any]) -> float:
    total = counts.total()
    return -math.fsum(count / total * math.log(count / total) for count in counts.values())


def _shown(by: Grouping, placed: Sequence[tuple[Text, str, str | None]]) -> list[dict[str, Any]]:
    return [
        {"label": group.label, "size": group.size, "texts": [one[0] for one, _, id in placed if id == group.id][:3]}
        for group in by.groups[:SHOWN]
    ]


def _hash(text: Text) -> bytes:
    return hashlib.blake2b(" ".join((text[1] or "", text[0])).encode(), digest_size=8).digest()
