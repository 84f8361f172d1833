"""The product as it runs, in real processes: all in one on the embedded default, and grown up on a PostgreSQL server
and Kafka with two workers."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from typing import Any
from urllib.error import URLError

import psycopg
import pytest

from tests.brokers import free_port

TELLONCE = Path(sys.executable).parent / "tellonce"
HINT = "no PostgreSQL server: install one, or name one in TELLONCE_TEST_DATABASE (postgresql://…, may create databases)"
PARTITIONS, WORKERS = 3, 2


@dataclass
class Stack:
    """A running product: where it is, and its command line."""

    api: str
    ingest: str
    options: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    def tellonce(self, *words: str) -> str:
        """Run a command on it; what it printed."""
        command = [str(TELLONCE), *self.options, *words]
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def embedded(folder: Path) -> Iterator[Stack]:
    """`tellonce up` without demo data."""
    api, ingest = free_port(), free_port()
    options = ["--data", str(folder / "data")]
    up = [*options, "up", "--no-demo", "--api-port", str(api), "--ingest-port", str(ingest)]
    with _running("up", up, {}, folder):
        stack = Stack(f"http://127.0.0.1:{api}", f"http://127.0.0.1:{ingest}", options)
        ready(stack.api, stack.ingest)
        yield stack


@contextmanager
def grown(folder: Path, database: str, log: str) -> Iterator[Stack]:
    """Each service by itself, two workers, Kafka with three partitions."""
    options = ["--database", database, "--log", log]
    ports = {"API": free_port(), "INGEST": free_port()}
    environment = {f"TELLONCE_{name}_PORT": str(port) for name, port in ports.items()}
    environment["TELLONCE_LOG_PARTITIONS"] = str(PARTITIONS)
    stack = Stack(f"http://127.0.0.1:{ports['API']}", f"http://127.0.0.1:{ports['INGEST']}", options, environment)
    stack.tellonce("migrate")
    with ExitStack() as processes:
        for number in range(WORKERS):
            own = {**environment, "TELLONCE_TIMELINE_PORT": str(free_port())}
            processes.enter_context(_running(f"timeline-{number}", [*options, "timeline"], own, folder))
        for part in ("ingest", "api"):
            processes.enter_context(_running(part, [*options, part], environment, folder))
        ready(stack.api, stack.ingest)
        yield stack


@contextmanager
def open_folder() -> Iterator[Path]:
    """An empty folder that other accounts may enter at any time: pytest's own is closed anew by each pytest that
    starts, and a PostgreSQL that was killed, or not yet made, would not come up."""
    with tempfile.TemporaryDirectory(prefix="tellonce-tests-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server that was installed, not the embedded one: the URL of a role that may create databases."""
    if url := os.environ.get("TELLONCE_TEST_DATABASE"):
        yield url
        return
    with open_folder() as folder, _server(programs(), folder) as url:
        yield url


def programs() -> Path:
    """Where an installed PostgreSQL has its programs; without one the test is skipped, and fails in CI."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path(shutil.which("postgres") or "/nowhere").parent]
    if not (found[-1] / "initdb").exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(HINT)
    return found[-1]


def initialised(programs: Path, data: Path, port: int) -> tuple[list[str], dict[str, Any]]:
    """Make a PostgreSQL's data in a folder that is empty or not there, in one that is open to other accounts: the
    command that runs it, and Popen's options.

    Its superuser is `owner` with the password `secret`.
    """
    account = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    data.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(data, account)
    password = data.with_name("password")
    password.write_text("secret")
    password.chmod(0o644)
    run: dict[str, Any] = {"user": account, "cwd": "/"}
    form = [programs / "initdb", "-D", data, "-U", "owner", "-A", "scram-sha-256", "--pwfile", password]
    subprocess.run(form, check=True, capture_output=True, **run)
    start = [programs / "postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-k", ""]
    return [str(word) for word in start], run


@contextmanager
def _server(programs: Path, folder: Path) -> Iterator[str]:
    port = free_port()
    start, run = initialised(programs, folder / "data", port)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(start, stdout=log, stderr=log, **run)
    url = f"postgresql://owner:secret@127.0.0.1:{port}/postgres"
    try:
        wait_for(lambda: answers(url), "PostgreSQL to start")
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    """Whether a PostgreSQL does."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def _running(name: str, words: list[str], environment: dict[str, str], folder: Path) -> Iterator[None]:
    """A process that is asked to end afterwards, and does so in order."""
    log = folder / f"{name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([TELLONCE, *words], env=os.environ | environment, stdout=out, stderr=out)
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        code = process.wait(timeout=60)
    assert code == 0, f"{name} ended with {code}:\n{log.read_text()}"


def ready(*addresses: str) -> None:
    """Wait until each says that it is ready."""
    for address in addresses:
        wait_for(lambda address=address: is_ready(address), f"{address} to be ready")  # type: ignore[misc]


def is_ready(address: str) -> bool:
    """Whether a service says so."""
    try:
        return bool(urllib.request.urlopen(f"{address}/readyz", timeout=2).status == 200)
    except (URLError, OSError):
        return False


def wait_for(condition: object, what: str, seconds: float = 90) -> None:
    """Poll until a condition holds."""
    deadline, pause = monotonic() + seconds, Flag()
    while not condition():  # type: ignore[operator]
        assert monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.1)
