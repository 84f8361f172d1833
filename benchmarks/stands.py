"""A deployment to measure: the embedded PostgreSQL, a real broker where the log is Kafka, tellonce's own processes."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from resource import RUSAGE_CHILDREN, getrusage
from shutil import rmtree
from time import monotonic
from typing import Self
from urllib.request import urlopen
from uuid import uuid4

import psutil  # type: ignore[import-untyped]
import sqlalchemy as sa

from benchmarks import crowd
from benchmarks.figures import Reading, Run
from benchmarks.load import Answered, Load
from services import database, embedded
from services.eventlog.opening import open_reader
from services.settings import Settings
from tests import brokers
from tests.brokers import free_port
from tests.e2e import stacks
from tests.faults.parts import Part

SERVICES = {"ingest": "INGEST", "timeline": "TIMELINE", "analyse": "ANALYSE", "api": "API"}


class Stand:
    """A deployment of its own for one figure, begun by `with`; its services are begun by `running`."""

    def __init__(self, run: Run, shares: crowd.Shares = crowd.SHARES) -> None:
        self.run = run
        self.folder = run.folder / f"stand-{uuid4().hex[:8]}"
        self.folder.mkdir(parents=True)
        self.patterns = crowd.write(self.folder / "patterns", shares)
        self.ports = {name: free_port() for name in (*SERVICES, "broker")}
        self.log = "postgres" if run.log == "postgres" else f"kafka://127.0.0.1:{self.ports['broker']}"
        self.parts: dict[str, Part] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.run.say("starting PostgreSQL" + (" and Kafka" if self.run.log == "kafka" else ""))
        with ExitStack() as stack:
            self.server = stack.enter_context(embedded.start(self.folder / "data"))
            self.engine = database.engine(self.server.url, pool_size=2)
            stack.callback(self.engine.dispose)
            if self.run.log == "kafka":
                stack.enter_context(self._broker())
            self.tellonce("migrate")
            self.key = self.tellonce("sources", "add", "crowd")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        rmtree(self.folder)

    def tellonce(self, *words: str) -> str:
        """Run a command on it; what it printed."""
        command = [str(stacks.TELLONCE), "--database", self.server.url, "--log", self.log, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    @contextmanager
    def running(self, *services: str) -> Iterator[None]:
        """These services (ingest, timeline, analyse, api), ready, while the block lasts."""
        with ExitStack() as stack:
            for name in services:
                self.parts[name] = part = self._service(name)
                part.start()
                stack.callback(part.end)
            for name in services:
                stacks.wait_for(lambda name=name: self._ready(name), f"{name} to be ready")
            yield

    def address(self, service: str) -> str:
        """Of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    def load(self, connections: int, batch: int = 1, rate: float | None = None) -> Load:
        """The crowd's events, posted to ingest."""
        address = f"{self.address('ingest')}/v1/events"
        if rate:  # the server closes connections that are idle for seconds
            connections = max(min(connections, int(rate / batch)), 1)
        return Load(address, self.patterns, connections, batch, rate, self.key)

    def loaded(self, load: Load) -> Reading:
        """What a load brings, and what it costs each part."""
        with self.used() as used:
            reading = load.reading(self.run.scale.seconds)
        return reading | used

    @contextmanager
    def under(self, rate: int, connections: int = 16) -> Iterator[None]:
        """Events come one by one at this rate while the block lasts."""
        load = self.load(connections, 1, rate)
        with load.going() as process:
            yield
        load.outcome(process)

    def fill(self, events: int) -> "Stored":
        """Have at least so many accepted. Needs ingest."""
        filled = Stored(self)
        while filled.accepted < events:
            filled.add(self.load(16, 100), self.load(16, 100).run(1))
        return filled

    def count(self, table: str = "arrivals") -> int:
        """Rows of a table; of `arrivals`: the events that are on timelines."""
        with self.engine.connect() as conn:
            return int(conn.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())

    @contextmanager
    def places(self) -> Iterator["Places"]:
        """Where the log ends and how far it is stitched."""
        with Places(self) as places:
            yield places

    @contextmanager
    def used(self) -> Iterator[Reading]:
        """Per cent of a core that each part has used during the block, filled in after it."""
        found: Reading = {}
        before, began = self._busy(), monotonic()
        yield found
        seconds, after = monotonic() - began, self._busy()
        found |= {f"{name} cpu %": 100 * (after[name] - before.get(name, 0)) / seconds for name in after}

    def _busy(self) -> dict[str, float]:
        """CPU seconds so far, by part; `load`: of what this process has run and waited for."""
        postmaster = int((self.folder / "data/postgres/postmaster.pid").read_text().split()[0])
        pids = {name: part.pid for name, part in self.parts.items() if part.alive()} | {"postgres": postmaster}
        used = {name: _seconds(pid) for name, pid in pids.items()}
        ran = getrusage(RUSAGE_CHILDREN)
        return used | {"load": ran.ru_utime + ran.ru_stime}

    def _ready(self, name: str) -> bool:
        part = self.parts[name]
        if not part.alive():
            raise RuntimeError(f"{name} has ended:\n{part.log.read_text()}")
        return stacks.is_ready(self.address(name)) and (name != "ingest" or self._is_complete())

    def _is_complete(self) -> bool:
        """Whether all processes of ingest listen."""
        told = urlopen(f"{self.address('ingest')}/metrics", timeout=5).read().decode()
        return told.count("tellonce_ingest_in_flight_limit_bytes{") in (0, Settings().ingest_processes)

    def _service(self, name: str) -> Part:
        command = [str(stacks.TELLONCE), "--database", self.server.url, "--log", self.log, name]
        variables = {f"TELLONCE_{SERVICES[name]}_PORT": str(self.ports[name]), "TELLONCE_LOG_LEVEL": "warning"}
        return Part(name, command, self.folder / f"{name}.log", variables)

    @contextmanager
    def _broker(self) -> Iterator[None]:
        if not brokers.has_java():
            raise SystemExit(brokers.HINT)
        folder = self.folder / "broker"
        folder.mkdir()
        part = Part("broker", brokers.prepared(folder, self.ports["broker"], {}), self.folder / "broker.log")
        part.start()
        self.parts["broker"] = part
        try:
            address = f"127.0.0.1:{self.ports['broker']}"
            stacks.wait_for(lambda: brokers.answers(address, 2), "the broker to answer")
            yield
        finally:
            part.kill()


class Stored:
    """What loads had accepted since, for comparing with what is stored."""

    def __init__(self, stand: Stand) -> None:
        self._stand, self._before = stand, stand.count()
        self.accepted = self.unsure = 0

    def add(self, load: Load, answered: Answered) -> None:
        """A load that has ended: nobody has awaited its last answers, and what was refused may be there."""
        self.accepted += answered.accepted * load.batch
        self.unsure += (answered.refused + load.connections) * load.batch

    def now(self) -> int:
        """Events on timelines since."""
        return self._stand.count() - self._before

    def check(self) -> int:
        """How many are stored. Raises RuntimeError unless that is all that was accepted, each once."""
        stored = self.now()
        if not self.accepted <= stored <= self.accepted + self.unsure:
            raise RuntimeError(f"{self.accepted} events were accepted and {stored} are stored")
        return stored


class Places:
    """Places in the log, in records: where it ends, and up to where it is stitched."""

    def __init__(self, stand: Stand) -> None:
        settings = Settings(database=stand.server.url, log=stand.log, group=f"bench-{uuid4().hex[:8]}")
        self._reader = open_reader(settings, stand.server.url)
        self._engine = stand.engine
        self._log = self._reader.log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()

    def ends(self) -> int:
        """Records in the log."""
        return sum(self._reader.ends().values())

    def stitched(self) -> int:
        """Records of them that are on timelines."""
        query = sa.text("SELECT coalesce(sum(position), 0)::bigint FROM positions WHERE topic = :log")
        with self._engine.connect() as conn:
            return int(conn.execute(query, {"log": self._log}).scalar_one())


def _seconds(pid: int) -> float:
    """CPU seconds of a process, its children and those that it has waited for."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total
