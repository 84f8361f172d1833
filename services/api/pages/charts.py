"""Charts of figures: from shares to places in an SVG, whose own numbers need no style. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.api.measured import Row, Share
from services.api.phrases import percent

WIDTH, HEIGHT = 720, 200  # of a trend, with room around the plot
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 26
ENDS = (0.04, 0.08, 0.12, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the scale, whose four parts are whole hundredths
NAMED = 8  # stretches that are named below, at most


@dataclass(frozen=True)
class Bar:
    """A share of the widest, in hundredths, with the ends of its interval."""

    width: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """One stretch of time: where it stands, and what it says."""

    x: float
    y: float
    words: str


@dataclass(frozen=True)
class Mark:
    """A name beside the plot."""

    at: float
    words: str


@dataclass(frozen=True)
class Trend:
    """A line with its band; stretches without contacts part it."""

    lines: Sequence[str]
    bands: Sequence[str]
    points: Sequence[Point]
    levels: Sequence[Mark]
    stretches: Sequence[Mark]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT


def bars(shares: Sequence[Share]) -> list[Bar]:
    """Side by side on one scale, which ends at the largest upper end."""
    most = max((share.high or 0.0 for share in shares), default=0.0) or 1.0
    return [
        Bar(*(round(100 * (number or 0.0) / most, 2) for number in (share.rate, share.low, share.high)))
        for share in shares
    ]


def trend(rows: Sequence[Row], days: int) -> Trend:
    """The rate of repeated explanations in each stretch."""
    shares = [one.repeated_explanations for row in rows for one in row.windows if one.days == days]
    most = max((one.high or 0.0 for one in shares), default=0.0)
    top = next(end for end in ENDS if end >= most)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    xs = [round(LEFT + wide * (place + 0.5) / len(rows), 1) for place in range(len(rows))]

    def y(rate: float | None) -> float:
        return round(TOP + high * (1 - (rate or 0.0) / top), 1)

    runs = _runs([share.rate is not None for share in shares])
    points = [
        Point(xs[at], y(shares[at].rate), f"{rows[at].since:%-d %b %Y}: {percent(shares[at].rate)}, "
              f"{shares[at].count} of {shares[at].of} contacts")
        for run in runs for at in run
    ]  # fmt: skip
    every = -(-len(rows) // NAMED)
    return Trend(
        [" ".join(f"{xs[at]},{y(shares[at].rate)}" for at in run) for run in runs],
        [" ".join([*(f"{xs[at]},{y(shares[at].high)}" for at in run),
                   *(f"{xs[at]},{y(shares[at].low)}" for at in reversed(run))]) for run in runs],
        points,
        [Mark(y(top * part / 4), percent(top * part / 4)) for part in range(5)],
        [Mark(xs[at], f"{rows[at].since:%-d %b}") for at in range(0, len(rows), every)],
    )  # fmt: skip


def _runs(known: Sequence[bool]) -> list[list[int]]:
    """Stretches on end of which something is known."""
    runs: list[list[int]] = [[]]
    for at, is_known in enumerate(known):
        if is_known:
            runs[-1].append(at)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
