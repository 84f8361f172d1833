"""A deployment of real processes that can be hurt: each part is killed, stopped and started again by its name.

Parts: `postgres`, `broker` (only with log="kafka"), `ingest`, `api`, `analyser` (only if asked for), `worker-0`,
`worker-1`, … Between any two of them something else may listen: see `Stand.reach`.
"""

import json
import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from types import TracebackType
from typing import Any, Literal, Self

import psycopg
import pytest
import sqlalchemy as sa

from services import database
from tests import brokers
from tests.brokers import free_port
from tests.e2e import stacks
from tests.faults.parts import Part

LONG = os.environ.get("FAULTS") == "long"
SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(10**6))
Log = Literal["postgres", "kafka"]
LOGS: tuple[Log, ...] = ("postgres", "kafka")
LISTENERS = ("ingest", "worker", "api")  # of the broker, one for each kind of client
PARTITIONS = 3
# Room for little: a broker whose disk is small preallocates its indexes.
SMALL = "\nlog.segment.bytes=1048576\nlog.index.size.max.bytes=65536\nlog.cleaner.enable=false\n"
# A broker that was killed is let in again when its controller has missed it.
SMALL += "broker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=500\n"


class Stand:
    """A deployment, begun by `with`. Change `reach` and all the settings before.

    `reach[part, "postgres" | "broker"]`: the port by which a part (ingest, worker, …) goes there, a proxy's. What is
    to be forwarded to is in `ports` from the start: `ports["postgres"]`, `ports["broker.ingest"]` and so on.
    """

    def __init__(
        self, folder: Path, log: Log = "postgres", workers: int = 2, analyser: bool = False, **settings: str
    ) -> None:
        self.folder, self.log_kind = folder, log
        self.settings = {"TELLONCE_LOG_PARTITIONS": str(PARTITIONS)} | {
            f"TELLONCE_{name.upper()}": value for name, value in settings.items()
        }
        self.ports = {name: free_port() for name in ("postgres", "broker", "ingest", "api")}
        self.ports |= {f"broker.{name}": free_port() for name in LISTENERS}
        self.reach: dict[tuple[str, str], int] = {}
        self.server_settings: dict[str, str] = {}
        self.broker_settings = SMALL
        self.parts: dict[str, Part] = {}
        self._workers, self._analyser = workers, analyser

    def __enter__(self) -> Self:
        try:
            self._start_stores()
            self.tellonce("migrate")
            for name in ("ingest", "api"):
                self.parts[name] = self._service(name, name, self.ports[name])
            if self._analyser:
                self.parts["analyser"] = self._service("analyser", "analyse", free_port())
            for _ in range(self._workers):
                self.add_worker(wait=False)
            self.mend()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error:  # pytest shows what is printed where a test fails
            print(f"FAULTS_SEED={SEED} FAULTS={'long' if LONG else ''}", *map(self.last_words, self.parts), sep="\n")
        self.close()

    def __getitem__(self, part: str) -> Part:
        return self.parts[part]

    @property
    def ingest(self) -> str:
        """Its address, `http://…`."""
        return f"http://127.0.0.1:{self.ports['ingest']}"

    @property
    def api(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.ports['api']}"

    @property
    def database(self) -> str:
        """The URL of the product's role, straight to the server."""
        return self._database("test")

    @property
    def superuser(self) -> str:
        """The URL of the server's superuser, on the product's database."""
        return f"postgresql://owner:secret@127.0.0.1:{self.ports['postgres']}/tellonce"

    @property
    def log(self) -> str:
        """What `--log` says, straight to the broker."""
        return self._log("test")

    def engine(self) -> sa.Engine:
        """On its database; the caller disposes of it."""
        return database.engine(self.database)

    def key(self, source: str = "shop") -> str:
        """A new source's key."""
        return self.tellonce("sources", "add", source)

    def tellonce(self, *words: str, **settings: str) -> str:
        """Run a command on it; what it printed."""
        given = {f"TELLONCE_{name.upper()}": value for name, value in settings.items()}
        options = ["--database", self.database, "--log", self.log]
        return stacks.Stack(self.api, self.ingest, options, self.settings | given).tellonce(*words)

    def status(self) -> dict[str, Any]:
        """What `tellonce status --json` says, also when something is red."""
        command = [str(stacks.TELLONCE), "--database", self.database, "--log", self.log, "status", "--json"]
        done = subprocess.run(command, env=os.environ | self.settings, capture_output=True, timeout=60)
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def names(self, *kinds: str) -> list[str]:
        """The parts of these kinds; of all without any: `worker` means each worker."""
        return [name for name in self.parts if not kinds or name.partition("-")[0] in kinds]

    def add_worker(self, wait: bool = True) -> str:
        """Start one more; its name."""
        name = f"worker-{sum(one.startswith('worker-') for one in self.parts)}"
        self.parts[name] = self._service(name, "timeline", free_port())
        self.parts[name].start()
        if wait:
            self.ready([name])
        return name

    def kill(self, *names: str) -> None:
        """`kill -9`, of all at the same moment."""
        for name in names:
            self[name].signal(signal.SIGKILL)
        for name in names:
            self[name].kill()

    def mend(self, names: Iterable[str] | None = None, seconds: float = 90) -> None:
        """Start again whatever has ended, as a supervisor does, until every part is ready."""
        wanted, deadline, pause = list(self.parts if names is None else names), monotonic() + seconds, Flag()
        while missing := [name for name in wanted if not self.is_ready(name)]:
            for name in missing:
                self[name].start()
            assert monotonic() < deadline, f"not ready: {missing}\n" + "\n".join(map(self.last_words, missing))
            pause.wait(0.2)

    def ready(self, names: Iterable[str] | None = None, seconds: float = 90) -> None:
        """Wait until parts are ready by themselves; all of them without names."""
        for name in self.parts if names is None else names:
            stacks.wait_for(lambda name=name: self.is_ready(name), f"{name} to be ready", seconds)

    def is_ready(self, name: str) -> bool:
        """Whether a part is of use now."""
        if not self[name].alive():
            return False
        if name == "postgres":
            return stacks.answers(self.superuser.replace("/tellonce", "/postgres"))
        if name == "broker":
            return _listens(self.ports["broker"]) and brokers.answers(f"127.0.0.1:{self.ports['broker']}", 2)
        return stacks.is_ready(f"http://127.0.0.1:{self.ports[name]}")

    def kinds(self) -> list[str]:
        """What kinds of parts there are."""
        return sorted({name.partition("-")[0] for name in self.parts})

    def last_words(self, name: str, lines: int = 15) -> str:
        """The end of what a part printed."""
        return f"--- {name}\n" + "\n".join(self[name].log.read_text(errors="replace").splitlines()[-lines:])

    def close(self) -> None:
        """End everything at once; what is left is the folder."""
        for part in self.parts.values():
            part.kill()

    def _service(self, name: str, command: str, port: int) -> Part:
        kind = name.partition("-")[0]
        self.ports[name] = port
        options = ["--database", self._database(kind), "--log", self._log(kind)]
        variable = f"TELLONCE_{command.upper()}_PORT"
        words = [str(stacks.TELLONCE), *options, command]
        return Part(name, words, self.folder / f"{name}.log", {**self.settings, variable: str(port)})

    def _database(self, kind: str) -> str:
        port = self.reach.get((kind, "postgres"), self.ports["postgres"])
        return f"postgresql://tellonce:secret@127.0.0.1:{port}/tellonce"

    def _log(self, kind: str) -> str:
        if self.log_kind == "postgres":
            return "postgres"
        port = self.ports["broker" if kind not in LISTENERS else f"broker.{kind}"]
        return f"kafka://127.0.0.1:{self.reach.get((kind, 'broker'), port)}"

    def _start_stores(self) -> None:
        data = self.folder / "data"
        command, options = stacks.initialised(stacks.programs(), data, self.ports["postgres"])
        command += [word for name, value in self.server_settings.items() for word in ("-c", f"{name}={value}")]
        self.parts["postgres"] = Part("postgres", command, self.folder / "postgres.log", {}, options)
        if self.log_kind == "kafka":
            self.parts["broker"] = self._broker()
        self.mend(["postgres"])
        with psycopg.connect(self.superuser.replace("/tellonce", "/postgres"), autocommit=True) as conn:
            conn.execute("CREATE ROLE tellonce LOGIN CREATEDB PASSWORD 'secret'")
            conn.execute("CREATE DATABASE tellonce OWNER tellonce")
        self.mend()

    def _broker(self) -> Part:
        if not brokers.has_java():
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(brokers.HINT)
        folder = self.folder / "broker"
        folder.mkdir(exist_ok=True)
        own = {name: self.ports[f"broker.{name}"] for name in LISTENERS}
        more = {name.upper(): (port, self.reach.get((name, "broker"), port)) for name, port in own.items()}
        command = brokers.prepared(folder, self.ports["broker"], more, self.broker_settings)
        return Part("broker", command, self.folder / "broker.log")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
