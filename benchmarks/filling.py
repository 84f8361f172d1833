"""A store that grows: events of a population through the real stitch, with what each cost.

`python -m benchmarks.filling FOLDER EVENTS` fills on from where it stopped. Costs go to `costs.jsonl` in the folder, a
line for each 100,000 events or so: `stored`, and of one event in microseconds `wall`, `worker` (processor time of this
process, making the event left out) and `backend` (of PostgreSQL's process for it); `memory`: this process in MB.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from benchmarks.population import heavy, windows
from schemas.codec import encode
from schemas.event import Event
from services import database, embedded
from services.identifiers import Rules
from services.tables import deployment
from services.timeline.arrivals import arrival
from services.timeline.migrate import upgrade
from services.timeline.plans import plan
from services.timeline.stitch import store

SEED = 1
BATCH = 1_000  # events of a transaction, as the worker takes them by default
NOTED = 100_000
HEAVY, HEAVY_EVENTS = ("Long-1", "Long-2"), 50_000
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """Seconds: by the clock, of this process, of the backend."""

    events: int = 0
    wall: float = 0.0
    worker: float = 0.0
    backend: float = 0.0

    def figures(self) -> dict[str, float]:
        """Of one event, in microseconds."""
        each = 1e6 / max(self.events, 1)
        return {name: round(getattr(self, name) * each, 1) for name in ("wall", "worker", "backend")}


class Stitching:
    """One worker's half: events into the store, a transaction a batch, its costs counted."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._rules = engine, Rules()
        self.cost = Cost()
        with engine.connect() as conn:
            self._secret = bytes(conn.scalars(sa.select(deployment.c.secret)).one())

    def take(self, events: Sequence[Event]) -> None:
        """Store one batch."""
        lines = [encode(event) for event in events]
        with self._engine.connect() as conn:
            pid = conn.scalar(sa.text("SELECT pg_backend_pid()"))
            conn.rollback()
            wall, worker, backend = time.monotonic(), time.process_time(), _processor(pid)
            arrived = [arrival(event, self._rules, self._secret, line)
                       for event, line in zip(events, lines, strict=True)]  # fmt: skip
            store(conn, plan(arrived, self._rules, self._secret))
            conn.commit()
            self.cost.wall += time.monotonic() - wall
            self.cost.worker += time.process_time() - worker
            self.cost.backend += _processor(pid) - backend
            self.cost.events += len(events)

    def turn(self) -> Cost:
        """The costs since the last turn."""
        cost, self.cost = self.cost, Cost()
        return cost


@dataclass
class Filled:
    """How far a store is filled; kept beside it."""

    folder: Path
    windows: int = 0
    events: int = 0

    @classmethod
    def read(cls, folder: Path) -> "Filled":
        """As it was left."""
        kept = folder / "filled.json"
        return cls(folder, **json.loads(kept.read_text())) if kept.exists() else cls(folder)

    def keep(self) -> None:
        """For the next time. A window that was begun is begun again then, which changes nothing."""
        kept = {"windows": self.windows, "events": self.events}
        (self.folder / "filled.json").write_text(json.dumps(kept))


def fill(engine: sa.Engine, folder: Path, until: int, heavy_events: int = HEAVY_EVENTS) -> Iterator[dict[str, float]]:
    """Fill on until so many events are stored; the costs on the way. The first time two customers with a long history
    come before the others, and are not counted."""
    filled, stitching = Filled.read(folder), Stitching(engine)
    if not filled.windows:
        _take(stitching, (event for name in HEAVY for some in heavy(name, heavy_events) for event in some))
        stitching.turn()
    coming = windows(SEED, filled.windows)
    noted = filled.events
    while filled.events < until:
        events = next(coming)
        _take(stitching, events)
        filled.windows, filled.events = filled.windows + 1, filled.events + len(events)
        filled.keep()
        if filled.events - noted >= NOTED or filled.events >= until:
            noted = filled.events
            line = {"stored": noted, **stitching.turn().figures(), "memory": memory()}
            with (folder / "costs.jsonl").open("a") as costs:
                costs.write(json.dumps(line) + "\n")
            yield line


def memory() -> int:
    """What this process has in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def _take(stitching: Stitching, events: Iterable[Event]) -> None:
    coming = iter(events)
    while batch := list(islice(coming, BATCH)):
        stitching.take(batch)


def _processor(pid: int) -> float:
    """Seconds of processor time that a process has used (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def main() -> None:
    """Fill a folder's store."""
    folder, until = Path(sys.argv[1]), int(sys.argv[2])
    with embedded.start(folder) as server:
        upgrade(server.url)
        engine = database.engine(server.url)
        for line in fill(engine, folder, until):
            print(json.dumps(line), flush=True)
        engine.dispose()


if __name__ == "__main__":
    main()
