"""What is measured: figures, each of some lines; each line in rounds that take turns with its references."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

Log = Literal["postgres", "kafka"]
Reading = dict[str, float]  # of one round: "/s", "p50 ms", "p99 ms", and whatever else is worth a note
Measure = Callable[[], Reading]


@dataclass(frozen=True)
class Scale:
    """How much is measured: `seconds` of each load, `events` in a log or table that is filled; events a second that
    are offered end to end (`rates`), and while something else is measured (`background`); events stored beside two
    customers of 50,000 each (`sizes`), and questions of each kind (`requests`);
    contacts of two years that figures are of (`contacts`)."""

    rounds: int = 3
    seconds: float = 5
    events: int = 50_000
    rates: tuple[int, ...] = (5_000, 10_000)
    background: int = 1_000
    sizes: tuple[int, ...] = (100_000, 1_000_000)
    requests: int = 1_000
    contacts: int = 10_000_000


QUICK = Scale(
    rounds=1, seconds=1, events=1_000, rates=(200,), background=50, sizes=(10_000,), requests=20, contacts=5_000
)


@dataclass(frozen=True)
class Run:
    """What a figure is given: the log it is for, a folder that is its own, and how to say what is going on."""

    log: Log
    scale: Scale
    folder: Path
    say: Callable[[str], None] = field(default=lambda what: None)


@dataclass(frozen=True)
class Line:
    """One thing that was measured, a reading a round, and what was measured beside it in the same rounds."""

    what: str
    log: Log
    readings: list[Reading]
    beside: dict[str, list[Reading]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Every round, and how they spread; of references also how many times theirs ours is."""
        own = spread(self.readings)
        beside = {}
        for name, readings in self.beside.items():
            values = spread(readings)
            ratios = {unit: ratio(own[unit]["median"], values[unit]["median"]) for unit in values if unit in own}
            beside[name] = {"values": values, "ratio": ratios}
        return {"what": self.what, "log": self.log, "values": own, "beside": beside}


@dataclass(frozen=True)
class Figure:
    """What one may ask for by `--only`; `measure` does it for one log, `logs` are those for which it differs."""

    name: str
    what: str
    measure: Callable[[Run], Iterator[Line]]
    logs: tuple[Log, ...] = ("postgres", "kafka")


def in_rounds(run: Run, what: str, own: Measure, beside: Mapping[str, Measure] | None = None) -> Line:
    """Ours and the references in turns, so that a machine that slows down slows all of them."""
    line = Line(what, run.log, [], {name: [] for name in beside or {}})
    for number in range(1, run.scale.rounds + 1):
        run.say(f"{what}, round {number}")
        line.readings.append(own())
        for name, measure in (beside or {}).items():
            run.say(f"{name}, round {number}")
            line.beside[name].append(measure())
    return line


def spread(readings: list[Reading]) -> dict[str, dict[str, Any]]:
    """By unit: the rounds, and their minimum, median and maximum."""
    units = list(dict.fromkeys(unit for reading in readings for unit in reading))
    found = {}
    for unit in units:
        values = [round(reading[unit], 4) for reading in readings if unit in reading]
        found[unit] = {"rounds": values, "min": min(values), "median": median(values), "max": max(values)}
    return found


def ratio(ours: float, theirs: float) -> float | None:
    """How many times theirs ours is; None when theirs is nothing."""
    return round(ours / theirs, 3) if theirs else None
