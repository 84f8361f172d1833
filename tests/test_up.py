"""`tellonce up`, started for real: it is ready, survives what happens to processes, and leaves nothing behind."""

import http.client
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from services import database, embedded, locks
from services.tables import contacts, events, marks
from tests.brokers import free_port

PATIENCE = 120


@dataclass
class Running:
    """A `tellonce up` in a terminal of its own."""

    process: subprocess.Popen[bytes]
    terminal: int
    out: Path
    folder: Path
    api: int
    ingest: int

    def says(self, pattern: str) -> str:
        found = re.search(pattern, self.out.read_text())
        assert found, self.out.read_text()
        return found[1]

    def parts(self) -> dict[str, int]:
        """The pids of its services."""
        listed = subprocess.run(["pgrep", "-P", str(self.process.pid), "-a"], capture_output=True, text=True).stdout
        return {part: int(pid) for pid, part in re.findall(r"(\d+) .* -m services (\w+)", listed)}

    def press(self, key: bytes) -> None:
        os.write(self.terminal, key)


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def status(port: int, path: str, key: str = "") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def is_free(lock: Path) -> bool:
    if taken := locks.take(lock):
        taken.close()
    return taken is not None


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an account of its own."""
    home = str(tmp_path_factory.mktemp("home"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TELLONCE_")}
    return kept | {"XDG_STATE_HOME": home, "XDG_DATA_HOME": home}


@contextmanager
def up(folder: Path, account: dict[str, str], *flags: str) -> Iterator[Running]:
    """`tellonce up`, once it says that it runs, in a terminal whose Ctrl-C reaches all its processes."""
    api, ingest = free_port(), free_port()
    words = ["up", "--data", str(folder), "--api-port", str(api), "--ingest-port", str(ingest), *flags]
    command = ["setsid", "--ctty", sys.executable, "-m", "services", *words]
    ours, theirs = pty.openpty()
    out = folder.with_name(f"{folder.name}.out")
    with out.open("wb") as written:
        process = subprocess.Popen(command, stdin=theirs, stdout=written, stderr=written, env=account)
    running = Running(process, ours, out, folder, api, ingest)
    try:
        eventually(lambda: "Ctrl-C stops it" in out.read_text() or process.poll() is not None)
        yield running
    finally:
        process.terminate()
        process.wait(PATIENCE)
        os.close(ours)
        os.close(theirs)


def counted(store: sa.Engine, table: sa.Table) -> int:
    with store.connect() as conn:
        return conn.scalars(sa.select(sa.func.count()).select_from(table)).one()


def has_left_nothing(running: Running) -> bool:
    pids = subprocess.run(["pgrep", "-s", str(running.process.pid)], capture_output=True, text=True).stdout
    return not pids.strip() and is_free(running.folder / "server.lock")


def test_it_is_ready_with_demo_data_and_says_how_to_look(tmp_path: Path, account: dict[str, str]) -> None:
    with up(tmp_path / "data", account) as running:
        assert status(running.api, "/readyz") == status(running.ingest, "/readyz") == 200
        key, link = running.says(r"key +(key_\S+)"), running.says(r"(/sign-in/\S+)")
        assert status(running.api, "/v1/brief?email=nobody@example.ee", key) == 404
        assert status(running.api, "/v1/brief?email=nobody@example.ee") == 401
        assert status(running.api, link) == 200
        store = database.engine(embedded.running(running.folder) or "")
        with store.connect() as conn:
            stitched = conn.scalars(sa.select(sa.func.count()).select_from(events)).one()
        assert stitched > 5000
        eventually(lambda: counted(store, marks) == 0)
        assert counted(store, contacts) > 200
        store.dispose()
        running.press(b"\x03")
        running.press(b"\x03")
        assert running.process.wait(PATIENCE) == 0
        assert "Traceback" not in running.out.read_text()
        assert has_left_nothing(running)
    with up(tmp_path / "data", account) as again:
        assert again.says(r"key +(key_\S+)") == key
        assert again.says(r"(/sign-in/\S+)") != link
        again.process.terminate()
        assert again.process.wait(PATIENCE) == 0
        assert has_left_nothing(again)


def test_what_is_killed_starts_again(tmp_path: Path, account: dict[str, str]) -> None:
    with up(tmp_path / "data", account, "--no-demo") as running:
        assert running.parts().keys() == {"ingest", "timeline", "analyse", "api"}
        before = running.parts()["api"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: running.parts().get("api", before) != before)
        eventually(lambda: status(running.api, "/readyz") == 200)
        assert "api has ended (killed by SIGKILL)" in running.out.read_text()
        os.kill(int((running.folder / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        eventually(lambda: "PostgreSQL (its log is" in running.out.read_text())
        eventually(lambda: status(running.api, "/readyz") == status(running.ingest, "/readyz") == 200)


def test_answers_to_people_go_before_what_may_be_done_a_moment_later(tmp_path: Path, account: dict[str, str]) -> None:
    with up(tmp_path / "data", account, "--no-demo") as running:
        turns = {name: os.getpriority(os.PRIO_PROCESS, pid) for name, pid in running.parts().items()}
        assert turns.pop("api") < min(turns.values())


def test_a_kill_leaves_nothing_that_runs_or_blocks(tmp_path: Path, account: dict[str, str]) -> None:
    with up(tmp_path / "data", account, "--no-demo") as running:
        running.process.kill()
        running.process.wait()
        eventually(lambda: has_left_nothing(running))
    with up(tmp_path / "data", account, "--no-demo") as again:
        assert status(again.api, "/readyz") == 200


def refused(account: dict[str, str], *words: str) -> str:
    """What `tellonce up` says when it can't."""
    ended = subprocess.run(
        [sys.executable, "-m", "services", "up", *words], env=account, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize("name", ["data", "[/data]"])
def test_a_second_one_on_the_same_data_says_that_there_is_a_first(
    tmp_path: Path, account: dict[str, str], name: str
) -> None:
    ports = ["--api-port", str(free_port()), "--ingest-port", str(free_port())]
    with embedded.start(tmp_path / name, {"shared_buffers": "32MB"}):
        said = refused(account, "--data", str(tmp_path / name), *ports)
    assert "Another tellonce is using" in said
    assert f"Starting PostgreSQL in {tmp_path / name}." in said


def test_a_taken_port_is_said_with_its_flag(tmp_path: Path, account: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = ["--api-port", str(free_port()), "--ingest-port", str(taken.getsockname()[1])]
        assert "Choose another by --ingest-port" in refused(account, "--data", str(tmp_path), *ports)
