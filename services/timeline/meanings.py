"""What words mean, so that other words for the same matter agree: a shipped table of stems with a vector each. Pure.

`make meanings` learns the table from a sentence model: a text's vector by the model is nearly the sum of its stems'
vectors by their rarity. A vector is 16 parts of 4 numbers, each one of 256 (product quantisation, Jégou et al. 2011).
A sum is of whole numbers, 64 of 32 bits side by side in one integer, which takes 5 µs where lists take 50.
"""

import base64
import gzip
import json
import math
import struct
from collections.abc import Mapping
from functools import cache, lru_cache
from operator import mul
from pathlib import Path

SHIPPED = Path(__file__).with_name("meanings.json.gz")
SIZE = 64  # numbers of a vector
PARTS = 16  # bytes of a stem, each says which of 256 a part is
SCALE = 16  # steps of a weight; 16,000 stems of the highest rarity fill no more than 32 bits
ZERO = 128  # what is added to each number so that none is negative
ALIKE = 0.5  # from which two stems are said to mean nearly the same
KEPT = 4_000  # stems whose vectors are remembered, 2 kB each
LANES = struct.Struct(f"<{SIZE}I")


class Meanings:
    """Vectors of texts by their stems. `parts` are 256 x 16 x 4 signed bytes; `stems` by language and stem 16 bytes."""

    def __init__(self, parts: bytes, stems: Mapping[str, Mapping[str, bytes]]) -> None:
        self._parts, self._stems = parts, stems
        self._lanes: dict[bytes, int] = {}
        self._alone = lru_cache(maxsize=KEPT)(lambda stem, language: self.of({stem: 1.0}, language))

    def of(self, weights: Mapping[str, float], language: str | None) -> tuple[float, ...]:
        """The vector of stems by weight; its length is the share of the weight that the table knows."""
        known = self._stems.get(language or "", {})
        total = steps = 0
        found = 0.0
        for stem, weight in weights.items():
            if (code := known.get(stem)) is not None:
                times = round(weight * SCALE)
                total += self._lane(code) * times
                steps += times
                found += weight
        if not steps:
            return ()
        sums = LANES.unpack(total.to_bytes(LANES.size, "little"))
        zero = ZERO * steps
        values = [one - zero for one in sums]
        length = math.hypot(*values) or 1.0
        share = found / sum(weights.values()) / length
        return tuple([value * share for value in values])

    def knows(self, stem: str, language: str | None) -> bool:
        """Whether the table has a stem."""
        return stem in self._stems.get(language or "", {})

    def pairs(
        self, one: Mapping[str, float], language: str | None, other: Mapping[str, float], spoken: str | None
    ) -> list[tuple[str, str]]:
        """Stems of one text with the other's that mean nearly the same, by their weight; each stem once."""
        mine, theirs = (
            {stem: self._alone(stem, name) for stem in told}
            for told, name in ((one, language), (other, spoken))
        )  # fmt: skip
        found = [
            (near(told, again) * one[stem] * other[root], stem, root)
            for stem, told in mine.items() for root, again in theirs.items()
            if stem != root and near(told, again) >= ALIKE
        ]  # fmt: skip
        pairs = dict[str, str]()
        for _, stem, root in sorted(found, key=lambda pair: (-pair[0], pair[1], pair[2])):
            if stem not in pairs and root not in pairs.values():
                pairs[stem] = root
        return list(pairs.items())

    def _lane(self, code: bytes) -> int:
        lane = self._lanes.get(code)
        if lane is None:
            width = SIZE // PARTS
            numbers = [
                number for part, which in enumerate(code)
                for number in self._parts[(which * PARTS + part) * width : (which * PARTS + part + 1) * width]
            ]  # fmt: skip
            lane = int.from_bytes(LANES.pack(*((number + ZERO) % 256 for number in numbers)), "little")
            self._lanes[code] = lane
        return lane


def near(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """How near two texts' vectors are, from -1 to 1; 0 where nothing is known of either."""
    told: float = sum(map(mul, one, other))
    return told


@cache
def shipped() -> Meanings:
    """The table as it is shipped."""
    told = json.loads(gzip.decompress(SHIPPED.read_bytes()))
    stems = {
        language: {
            stem: rows[at * PARTS : (at + 1) * PARTS]
            for rows in (base64.b64decode(one["codes"]),) for at, stem in enumerate(one["stems"].split(" "))
        }
        for language, one in told["languages"].items()
    }  # fmt: skip
    return Meanings(base64.b64decode(told["parts"]), stems)
