"""How fast events are accepted for good: ingest and the log alone, nobody stitching."""

from collections.abc import Iterator
from functools import partial

from benchmarks import references
from benchmarks.figures import Figure, Line, Measure, Run, in_rounds
from benchmarks.stands import Stand

CONNECTIONS = (64, 256)
BATCH, BATCH_CONNECTIONS = 100, 16
WARM = {"postgres": 1, "kafka": 10}  # seconds until all that is made at first use is there, and Java has compiled it


def singles(run: Run) -> Iterator[Line]:
    """One event a request."""
    with Stand(run) as stand, references.bare_application(stand) as bare, stand.running("ingest"):
        stand.load(CONNECTIONS[-1]).run(_warming(run))
        for connections in CONNECTIONS:
            what = f"durable acknowledgement, 1 event a request, {connections} connections"
            beside: dict[str, Measure] = {
                "bare ASGI application": partial(references.decoded, stand, bare, connections)
            }
            if run.log == "postgres":
                beside["single INSERTs, 16 clients"] = partial(references.inserted, stand)
            yield in_rounds(run, what, partial(stand.loaded, stand.load(connections)), beside)


def batches(run: Run) -> Iterator[Line]:
    """Many events a request."""
    with Stand(run) as stand, references.bare_application(stand) as bare, stand.running("ingest"):
        stand.load(BATCH_CONNECTIONS, BATCH).run(_warming(run))
        what = f"durable acknowledgement, {BATCH} events a request, {BATCH_CONNECTIONS} connections"
        beside: dict[str, Measure] = {
            "bare ASGI application": partial(references.decoded, stand, bare, BATCH_CONNECTIONS, BATCH)
        }
        if run.log == "postgres":
            beside["bare COPY of such records"] = partial(references.copied_records, stand)
        else:
            beside["bare kafka-python producer, acks=all"] = partial(references.produced, stand)
        yield in_rounds(run, what, partial(stand.loaded, stand.load(BATCH_CONNECTIONS, BATCH)), beside)


def _warming(run: Run) -> float:
    return min(WARM[run.log], 2 * run.scale.seconds)


FIGURES = (
    Figure("acknowledge", "one event a request until it is durable, 64 and 256 connections", singles),
    Figure("acknowledge-batches", "100 events a request until they are durable, 16 connections", batches),
)
