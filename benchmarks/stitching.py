"""How fast a worker stitches: a filled log alone, and end to end while events go on coming."""

from collections.abc import Iterator, Sequence
from functools import partial
from statistics import mean
from time import monotonic, sleep
from typing import NamedTuple
from urllib.request import urlopen

from benchmarks import crowd, references
from benchmarks.figures import Figure, Line, Measure, Reading, Run, in_rounds
from benchmarks.stands import Places, Stand, Stored

BATCH, CONNECTIONS = 100, 16
LONG = 2  # times the scale's seconds, for a load whose lag is watched
PATIENCE = 300  # seconds for what is in the log to be stitched


class Sample(NamedTuple):
    """At a time: records in the log, and how many of them are stitched."""

    at: float
    end: int
    stitched: int


def drained(run: Run) -> Iterator[Line]:
    """A worker that is started on a filled log."""
    with Stand(run) as stand:
        beside: dict[str, Measure] = {"bare COPY of such events": partial(references.copied_events, stand)}
        if run.log == "kafka":
            beside["bare kafka-python consumer"] = lambda: references.consumed(stand, stand.count())
        yield in_rounds(run, "stitch alone, one worker on a filled log", partial(_drained, stand), beside)


def _drained(stand: Stand) -> Reading:
    with stand.running("ingest"):
        filled = stand.fill(stand.run.scale.events)
    with stand.places() as places:
        first = Sample(monotonic(), places.ends(), places.stitched())
        with stand.running("timeline"):
            samples = [first, *_watch(places, first.end)]
    return {"/s": rate(samples, filled.check())}


def _watch(places: Places, end: int) -> Iterator[Sample]:
    """Samples until all is stitched."""
    deadline, stitched = monotonic() + PATIENCE, -1
    while stitched < end:
        stitched = places.stitched()
        yield Sample(monotonic(), end, stitched)
        if monotonic() > deadline:
            raise RuntimeError(f"{stitched} of {end} records were stitched in {PATIENCE} s")
        sleep(0.01)


def rate(samples: list[Sample], events: int) -> float:
    """Events a second from the first batch that is stitched to the last; what a start takes is left out."""
    idle = max(one for one in samples if one.stitched == samples[0].stitched)
    begun = next((one for one in samples if idle.stitched < one.stitched < one.end), idle)
    last = next(one for one in samples if one.stitched >= one.end)
    share = (last.end - begun.stitched) / (last.end - samples[0].stitched)
    return events * share / (last.at - begun.at)


def sustained(run: Run) -> Iterator[Line]:
    """Events come at a fixed rate, and are stitched meanwhile; a tenth with text, also with the analyser at work."""
    plain, first = ("ingest", "timeline", "api"), run.scale.rates[0]
    for offered in run.scale.rates:
        yield _line(run, offered, plain, crowd.SHARES, "")
    yield _line(run, first, plain, crowd.TENTH, ", a tenth with text")
    yield _line(run, first, (*plain, "analyse"), crowd.TENTH, ", a tenth with text, analysed meanwhile")


def _line(run: Run, offered: int, services: Sequence[str], shares: crowd.Shares, more: str) -> Line:
    with Stand(run, shares) as stand, stand.running(*services):
        what = f"end to end, {offered:,} events/s offered, {BATCH} a request{more}"
        beside: dict[str, Measure] = {"bare COPY of such events": partial(references.copied_events, stand)}
        return in_rounds(run, what, partial(_sustained, stand, offered), beside)


def _sustained(stand: Stand, offered: int) -> Reading:
    seconds, stored, analyses = stand.run.scale.seconds * LONG, Stored(stand), Analyses(stand)
    load, began = stand.load(CONNECTIONS, BATCH, offered), monotonic()
    with stand.places() as places:
        with stand.used() as used, load.going() as process:
            samples = list(_sampled(places, seconds))
        meanwhile, took = stored.now(), monotonic() - began
        analysed = analyses.reading(took)
        stored.add(load, answered := load.outcome(process))
        *_, last = _watch(places, places.ends())
    stored.check()
    accepted = answered.accepted * BATCH / answered.seconds
    lags = [lag(samples, number) for number in range(len(samples))]
    third = len(lags) // 3
    grown = (mean(lags[-third:]) - mean(lags[third:-third])) / (seconds / 3)
    left = max(last.at - samples[-1].at, 0)
    reading = {"/s": meanwhile / took, "p50 ms": answered.p50, "p99 ms": answered.p99, "accepted /s": accepted}
    reading |= {"refused": answered.refused, "lag s": lags[-1], "lag growth s/s": grown, "left s": left}
    return reading | analysed | used


class Analyses:
    """What the analyser did since, where there is one."""

    def __init__(self, stand: Stand) -> None:
        self._stand, self._is_there = stand, "analyse" in stand.parts
        self._before = self._done()

    def reading(self, seconds: float) -> Reading:
        """Customers analysed a second, and for how long the one that waits longest has waited."""
        if not self._is_there:
            return {}
        with self._stand.engine.connect() as conn:
            waited = conn.exec_driver_sql("SELECT extract(epoch FROM now() - min(marked_at)) FROM marks").scalar_one()
        return {"analysed /s": (self._done() - self._before) / seconds, "analysis waits s": float(waited or 0)}

    def _done(self) -> float:
        if not self._is_there:
            return 0.0
        told = urlopen(f"{self._stand.address('analyse')}/metrics", timeout=5).read().decode()
        return float(told.partition("\ntellonce_analysed_customers_total ")[2].partition("\n")[0])


def _sampled(places: Places, seconds: float) -> Iterator[Sample]:
    ends, taken = monotonic() + seconds, 0
    while monotonic() < ends or taken < 3:
        yield Sample(monotonic(), places.ends(), places.stitched())
        taken += 1
        sleep(0.1)


def lag(samples: list[Sample], number: int) -> float:
    """How long before a sample the log had ended where it is stitched by then, in seconds."""
    now = samples[number]
    return now.at - max((one.at for one in samples[: number + 1] if one.end <= now.stitched), default=samples[0].at)


FIGURES = (
    Figure("stitch", "a filled log stitched by one worker", drained),
    Figure("end-to-end", "events at fixed rates, posted and stitched at the same time", sustained),
)
