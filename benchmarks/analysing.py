"""How fast customers are analysed, all of a store over and over."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from benchmarks.figures import Figure, Line, Reading, Run, in_rounds
from benchmarks.filling import SEED, Stitching
from benchmarks.population import windows
from benchmarks.stands import Stand
from services.timeline.analysis import MEMBERS, analyse, take
from services.timeline.dossiers import dossiers
from services.timeline.learning import Latest

MANY = 20  # customers whose dossiers are read at once
ALL = "INSERT INTO marks (customer_id) SELECT DISTINCT customer_id FROM identifiers"


def analysed(run: Run) -> Iterator[Line]:
    """All customers of a filled store, marked and taken again; beside it, their dossiers only read."""
    with Stand(run) as stand:
        run.say(f"filling {run.scale.events:,} events")
        _fill(stand, run.scale.events)
        latest = Latest()
        _all(stand.engine, latest)  # the first time all is written
        yield in_rounds(
            run, f"analyse, customers of {run.scale.events:,} events",
            lambda: _all(stand.engine, latest),
            {"their dossiers only read": lambda: _read(stand.engine)},
        )  # fmt: skip


def _fill(stand: Stand, events: int) -> None:
    stitching, coming = Stitching(stand.engine), windows(SEED)
    while stitching.cost.events < events:
        some = next(coming)[: events - stitching.cost.events]
        for start in range(0, len(some), 1000):
            stitching.take(some[start : start + 1000])


def _all(engine: sa.Engine, latest: Latest) -> Reading:
    with engine.begin() as conn:
        conn.exec_driver_sql(ALL)
    return _timed(lambda: _some(engine, latest))


def _some(engine: sa.Engine, latest: Latest) -> int:
    with engine.begin() as conn:
        return len(analyse(conn, take(conn), latest, datetime.now(UTC).date()).marked)


def _read(engine: sa.Engine) -> Reading:
    with engine.connect() as conn:
        ids = list(conn.exec_driver_sql("SELECT DISTINCT customer_id FROM identifiers").scalars())
    left = iter([ids[start : start + MANY] for start in range(0, len(ids), MANY)])

    def some() -> int:
        mine = next(left, [])
        with engine.connect() as conn:
            return len(dossiers(conn, conn.execute(MEMBERS, {"ids": mine}).all()))

    return _timed(some)


def _timed(some: Callable[[], int]) -> Reading:
    """Customers a second, and milliseconds of this process for each."""
    began, spent, count = time.monotonic(), time.process_time(), 0
    while done := some():
        count += done
    took = time.monotonic() - began
    return {"/s": count / took, "ms of Python": 1000 * (time.process_time() - spent) / count}


FIGURES = (Figure("analyse", "customers analysed by one analyser", analysed, ("postgres",)),)
