"""Shares, means and medians with what they leave open. Pure.

Intervals are of 95 %. Those of shares are Wilson's (J. Am. Stat. Assoc. 22, 1927), which hold for few and for rare.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from services.timeline.tally import OCTAVE

Z = 1.959963984540054  # of the normal distribution, both sides 95 %


class Interval(NamedTuple):
    """From where to where a figure may lie."""

    low: float
    high: float


class Median(NamedTuple):
    """The hours of the bucket that holds a median, and where in it it would be if they were spread evenly."""

    hours: float
    low: float
    high: float


class Mean(NamedTuple):
    """A mean with its interval, None for fewer than two."""

    n: int
    mean: float | None
    interval: Interval | None


def wilson(count: int, of: int, z: float = Z) -> Interval | None:
    """The interval of a share; None of nothing."""
    if not of:
        return None
    share, square = count / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return Interval(0.0 if count == 0 else middle - half, 1.0 if count == of else middle + half)


def span(count: int, unknown: int, of: int) -> Interval | None:
    """A share if none of the unknown ones counted, and if all did."""
    return Interval(count / of, min(count + unknown, of) / of) if of else None


def median(buckets: Mapping[int, int]) -> Median | None:
    """Of hours counted in buckets, `b` from 2^(b/2) to 2^((b+1)/2), spread evenly by their logarithm within one."""
    total, before = sum(buckets.values()), 0
    for bucket in sorted(buckets):
        held = buckets[bucket]
        if held > 0 and before + held >= total / 2:
            place = bucket + (total / 2 - before) / held
            return Median(2 ** (place / OCTAVE), 2 ** (bucket / OCTAVE), 2 ** ((bucket + 1) / OCTAVE))
        before += held
    return None


def mean(counts: Mapping[float, int]) -> Mean:
    """Of values, each so many times."""
    n = sum(counts.values())
    if n <= 0:
        return Mean(0, None, None)
    middle = sum(value * times for value, times in counts.items()) / n
    if n == 1:
        return Mean(1, middle, None)
    variance = sum(times * (value - middle) ** 2 for value, times in counts.items()) / (n - 1)
    half = Z * math.sqrt(max(variance, 0.0) / n)
    return Mean(n, middle, Interval(middle - half, middle + half))


def promoters(counts: Mapping[float, int]) -> Mean:
    """The net promoter score, -100 to 100, of answers from 0 to 10: those of 9 and 10 less those of up to 6."""
    sides: dict[float, int] = {}
    for score, times in counts.items():
        side = 100.0 if score >= 9 else -100.0 if score <= 6 else 0.0
        sides[side] = sides.get(side, 0) + times
    return mean(sides)
