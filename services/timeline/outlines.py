"""Outlines of what texts are compared by: by two of them it is soon seen that both texts can't agree more than so much.
Pure.

Most of a comparison goes into sequences of letters, of which a text of four sentences has some 500. An outline holds
them as three sets of bits, so that what two texts share of them is counted by the processor; what words agree is taken
for as much as it may be. All else is as in `Model.probability`.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from services.timeline.averaging import logistic
from services.timeline.similarity import Model, Vector

PLACES = 2048  # bits of a set, which sequences of letters share by chance
LEVELS = 7  # of a weight: what three bits tell
SLACK = 1e-9  # of sums of floats, whose last digits depend on their order


class Outline(NamedTuple):
    """Of a vector: `step` is what the lowest bit of a weight is worth, `ones`, `twos` and `fours` the places whose
    weight has that bit; `square` is the length of its meaning squared, `mass` a logarithm."""

    step: float
    ones: int
    twos: int
    fours: int
    square: float
    mass: float
    vector: Vector


def outline(vector: Vector) -> Outline:
    """Of a text's vector. Weights are rounded up; of sequences in one place the length counts (Cauchy-Schwarz)."""
    lengths = _placed(vector.grams)
    step = max(lengths.values(), default=1.0) / LEVELS
    bits = [bytearray(PLACES // 8) for _ in range(3)]
    for place, length in lengths.items():
        level = min(math.ceil(length / step), LEVELS)
        for which, plane in enumerate(bits):
            if level >> which & 1:
                plane[place >> 3] |= 1 << (place & 7)
    ones, twos, fours = (int.from_bytes(plane, "little") for plane in bits)
    square = math.fsum(number * number for number in vector.meaning)
    return Outline(step, ones, twos, fours, square, math.log1p(vector.mass), vector)


def _placed(grams: Mapping[str, float]) -> dict[int, float]:
    """Lengths by place. Which share one differs from process to process; what is bounded by them does not."""
    squares = dict[int, float]()
    for gram, weight in grams.items():
        place = hash(gram) % PLACES
        squares[place] = squares.get(place, 0.0) + weight * weight
    return {place: math.sqrt(square) for place, square in squares.items()}


def bound(model: Model, one: Outline, other: Outline) -> float:
    """No less than the model's probability that both tell the same matter, at a fraction of its cost."""
    root, word, whole, words, agreed, low, high, meant, squared = model.weights
    step, a, b, c, square, mass, mine = one
    size, x, y, z, length, more, theirs = other
    count = (a & x).bit_count() + 16 * (c & z).bit_count()
    count += 2 * ((a & y).bit_count() + (b & x).bit_count()) + 8 * ((b & z).bit_count() + (c & y).bit_count())
    count += 4 * ((a & z).bit_count() + (b & y).bit_count() + (c & x).bit_count())
    letters = min(step * size * count, 1.0)
    value = model.bias + max(root, 0.0) * math.sqrt(letters) + max(whole, 0.0) * letters
    value += max(word, 0.0) + max(words, 0.0)
    value += low * mass + high * more if mass < more else low * more + high * mass
    if square and length:  # what `meanings.near` says, by the distance of both, which is counted in C
        near = (square + length - math.dist(mine.meaning, theirs.meaning) ** 2) / 2
        value += (meant + squared * abs(near)) * near
    if shared := mine.references & theirs.references:
        value += agreed * min(len(shared), 2)
    return logistic(value + model.said(mine, theirs)) + SLACK
