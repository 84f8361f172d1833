"""Issues of all customers in groups of one kind of matter: learned from texts, kept as a snapshot, labelled. Pure.

Spherical k-means (Dhillon and Modha 2001) of what texts mean, less what all texts of their language mean in the mean,
so that languages meet; and of their stems, for what `meanings.py` does not know. It begins from the groups of before,
then from texts far from all (k-means++); groups that hardly differ become one. What is kept of texts are
phrases and stems that several of a group hold, so what one customer wrote is not in a snapshot.
"""

import hashlib
import heapq
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from operator import add, mul, sub
from typing import Any

from services.timeline.meanings import SIZE
from services.timeline.phrases import Text, labels
from services.timeline.similarity import Similarity, Vector, shipped

VERSION = 1
SAMPLE = 6_000  # texts that groups are learned from; of more, those of the lowest hashes
MOST = 60  # groups
FIRST = 90  # groups to begin with, before those that hardly differ become one
TEXTS = 12  # of the sample for each group to begin with
SMALLEST = 5  # texts of a group, and one in 400 of the sample
ROUNDS = 12
STEMS = 40  # of a group that are kept
SAID = 3  # texts of a group that hold a stem that is kept: what fewer say may be a name
SPOKEN = 0.5  # length of a text's stems beside its meaning of length 1
SHRINK = 20  # texts of a language before its own mean counts more than that of all
ONE = 0.65  # cosine from which two groups are one
SAME = 0.7  # cosine from which a group is the one of before
NEAR = 0.4  # cosine from which a text belongs to a group
STEEP = 20.0  # how fast sureness falls as another group comes near

Means = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Where a text or a group is: what it means and its stems, together of length one."""

    meaning: Means
    stems: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Group:
    """A kind of matter: its label in customers' words (of the language most of it is told in), texts at learning."""

    id: str
    label: str
    language: str | None
    size: int
    centre: Point


class Grouping:
    """A snapshot of groups. What a text is assigned to depends on nothing but the text and this."""

    def __init__(self, groups: Iterable[Group], means: Mapping[str, Means]) -> None:
        self.groups = tuple(groups)
        self._means, self._by = dict(means), _shipped()
        self._places = _Places([group.centre for group in self.groups])

    def assign(self, text: str, language: str | None = None) -> tuple[str | None, float]:
        """The id of a text's group, if any is near, and how surely it is that one, from 0 to 1."""
        return self.place(self._by.vector(text, language)) if self.groups else (None, 0.0)

    def place(self, told: Vector) -> tuple[str | None, float]:
        """The same of a text's vector, made by the shipped comparison."""
        scores = self._places.scores(_point(told, self._means))
        best = max(scores, default=0.0)
        if best < NEAR:
            return None, 0.0
        sure = 1 / math.fsum(math.exp(STEEP * (score - best)) for score in scores)
        return self.groups[scores.index(best)].id, sure

    def dump(self) -> dict[str, Any]:
        """As JSON, for `load`."""
        return {"version": VERSION, "means": self._means, "groups": [asdict(group) for group in self.groups]}

    @classmethod
    def load(cls, told: Mapping[str, Any]) -> "Grouping":
        """From what `dump` gave; `ValueError` for another version."""
        if told["version"] != VERSION:
            raise ValueError(f"groups of version {told['version']}, not {VERSION}: learn them anew")
        groups = [
            Group(**{**one, "centre": Point(tuple(one["centre"]["meaning"]), one["centre"]["stems"])})
            for one in told["groups"]
        ]
        return cls(groups, {name: tuple(mean) for name, mean in told["means"].items()})


def learned(texts: Iterable[Text], before: Grouping | None = None) -> Grouping:
    """The groups of texts, largest first; of `before` those that are still the same keep their ids. In any order."""
    by, sample = _shipped(), heapq.nsmallest(SAMPLE, texts, key=_hash)
    vectors = [by.vector(*text) for text in sample]
    means = _means(vectors)
    points = [_point(told, means) for told in vectors]
    old = [group.centre for group in before.groups] if before else []
    centres = _merged(points, _settled(points, _seeds(points, old)))
    places = _Places(_settled(points, centres))
    members = _members(points, places)
    named = labels([[sample[one] for one in some] for some in members.values()])
    groups = []
    for (at, some), (language, label) in zip(members.items(), named, strict=True):
        centre = places.centres[at]
        groups.append(Group(_name(centre), label or _heaviest(centre), language, len(some), centre))
    return Grouping(_same(groups, before), means)


@cache
def _shipped() -> Similarity:
    """The comparison as it is shipped: with rarity learned on, a text's group would depend on when it came."""
    return shipped()


def _hash(text: Text) -> bytes:
    return hashlib.blake2b(f"{text[1] or ''} {text[0]}".encode(), digest_size=16).digest()


def _name(centre: Point) -> str:
    return hashlib.blake2b(repr(centre).encode(), digest_size=8).hexdigest()


def _heaviest(centre: Point) -> str:
    """What to call a group whose texts share no phrase: its weightiest stems."""
    return " · ".join(heapq.nsmallest(3, centre.stems, key=lambda root: (-centre.stems[root], root)))


def _means(vectors: Sequence[Vector]) -> dict[str, Means]:
    """What the texts of each language mean in the mean, drawn to what all mean while they are few."""
    sums, counts = dict[str, Means](), Counter[str]()
    for told in vectors:
        if told.meaning:
            for name in ("", told.language or ""):
                sums[name] = tuple(map(add, sums.get(name, (0.0,) * SIZE), told.meaning))
                counts[name] += 1
    shared = [SHRINK * number / counts[""] for number in sums.pop("", ())]
    return {
        name: tuple(round(number / (counts[name] + SHRINK), 4) for number in map(add, some, shared))
        for name, some in sorted(sums.items())
    }


def _point(told: Vector, means: Mapping[str, Means]) -> Point:
    mean = means.get(told.language or "")
    meaning = tuple(map(sub, told.meaning, mean)) if mean and told.meaning else told.meaning or (0.0,) * SIZE
    length = math.hypot(*meaning) or 1.0
    return _unit([number / length for number in meaning], {root: SPOKEN * w for root, w in told.words.items()})


def _unit(meaning: Sequence[float], stems: Mapping[str, float]) -> Point:
    scale = 1 / (math.hypot(*meaning, *stems.values()) or 1.0)
    return Point(tuple([number * scale for number in meaning]), {root: w * scale for root, w in stems.items()})


class _Places:
    """Centres of groups, to be asked how near a point is to each: by cosine."""

    def __init__(self, centres: Sequence[Point]) -> None:
        self.centres = centres
        self._held: dict[str, list[tuple[int, float]]] = {}
        for at, centre in enumerate(centres):
            for root, weight in centre.stems.items():
                self._held.setdefault(root, []).append((at, weight))

    def scores(self, point: Point) -> list[float]:
        found: list[float] = [sum(map(mul, point.meaning, centre.meaning)) for centre in self.centres]
        for root, weight in point.stems.items():
            for at, other in self._held.get(root, ()):
                found[at] += weight * other
        return found

    def nearest(self, point: Point) -> tuple[float, int]:
        scores = self.scores(point)
        best = max(scores)
        return best, scores.index(best)


def _seeds(points: Sequence[Point], old: Sequence[Point]) -> list[Point]:
    """Centres to begin with: the groups of before, then points, the likelier the further they are from all these."""
    chance, centres = random.Random(0), list(old)
    far = [1.0 - _Places(centres).nearest(point)[0] if centres else 1.0 for point in points]
    for _ in range(min(FIRST, len(points) // TEXTS) - len(centres)):
        if sum(far) < 1e-6:
            break
        centres.append(chance.choices(points, [max(0.0, one) ** 2 for one in far])[0])
        last = _Places(centres[-1:])
        far = [min(one, 1.0 - last.scores(point)[0]) for one, point in zip(far, points, strict=True)]
    return centres


def _settled(points: Sequence[Point], centres: list[Point]) -> list[Point]:
    """Centres of points when each is at the centre of those that are nearest to it."""
    for _ in range(ROUNDS if centres else 0):
        members = _members(points, _Places(centres), near=-1.0, least=1)
        found = [_centre([points[one] for one in some]) for some in members.values()]
        if found == centres:
            break
        centres = found
    return centres


def _members(points: Sequence[Point], places: _Places, near: float = NEAR, least: int = 0) -> dict[int, list[int]]:
    """The points of each centre that has as many as a group must have, most first."""
    found: dict[int, list[int]] = {}
    for one, point in enumerate(points if places.centres else ()):
        score, at = places.nearest(point)
        if score >= near:
            found.setdefault(at, []).append(one)
    least = least or max(SMALLEST, len(points) // 400)
    return {at: found[at] for at in sorted(found, key=lambda at: (-len(found[at]), at)) if len(found[at]) >= least}


def _centre(points: Sequence[Point]) -> Point:
    """The middle of points, of their stems the weightiest."""
    meaning = [math.fsum(column) for column in zip(*(point.meaning for point in points), strict=True)]
    stems, held = dict[str, float](), Counter[str]()
    for point in points:
        held.update(point.stems.keys())
        for root, weight in point.stems.items():
            stems[root] = stems.get(root, 0.0) + weight
    stems = {root: weight for root, weight in stems.items() if held[root] >= min(SAID, len(points))}
    kept = heapq.nsmallest(STEMS, stems, key=lambda root: (-stems[root], root))
    made = _unit(meaning, {root: stems[root] for root in sorted(kept)})
    return Point(tuple(round(n, 4) for n in made.meaning), {root: round(w, 4) for root, w in made.stems.items()})


def _merged(points: Sequence[Point], centres: Sequence[Point]) -> list[Point]:
    """Centres of which no two are as near as one, and no more than may be: the nearest two become one."""
    found = _members(points, _Places(centres), near=-1.0)
    some = [(_centre([points[one] for one in members]), members) for members in found.values()]
    while len(some) > 1:
        places = _Places([centre for centre, _ in some])
        near, one, other = max(
            (score, one, other) for other, (centre, _) in enumerate(some)
            for one, score in enumerate(places.scores(centre)[:other])
        )  # fmt: skip
        if near < ONE and len(some) <= MOST:
            break
        both = some[one][1] + some.pop(other)[1]
        some[one] = _centre([points[at] for at in both]), both
    return [centre for centre, _ in some]


def _same(groups: Sequence[Group], before: Grouping | None) -> list[Group]:
    """The groups, with the ids of those of before that are the nearest, each once."""
    pairs = [
        (score, new, old) for new, group in enumerate(groups) if before
        for old, score in enumerate(before._places.scores(group.centre)) if score >= SAME
    ]  # fmt: skip
    taken = dict[int, int]()
    for _, new, old in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if new not in taken and old not in taken.values():
            taken[new] = old
    return [
        replace(group, id=before.groups[taken[new]].id) if before and new in taken else group
        for new, group in enumerate(groups)
    ]
