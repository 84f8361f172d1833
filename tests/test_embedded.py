"""The embedded PostgreSQL, started for real: it survives what happens to processes on somebody's machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from services import embedded, locks, machine
from services.errors import Conflict, Unavailable

FAST = {"fsync": "off", "shared_buffers": "32MB"}
OWNER = """
import sys, pathlib
from services import embedded
print(embedded.start(pathlib.Path(sys.argv[1]), {"shared_buffers": "32MB"}).url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a folder with spaces" / ("and a name longer than a socket's path may be " * 4).strip()


def started(folder: Path) -> embedded.Server:
    return embedded.start(folder, FAST)


@contextmanager
def owned_by_another_process(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        try:
            yield owner, owner.stdout.readline().strip()
        finally:
            owner.kill()


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def words(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        return [word for (word,) in conn.execute("SELECT word FROM said ORDER BY word")]


def say(url: str, word: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS said (word text)")
        conn.execute("INSERT INTO said VALUES (%s)", [word])


def server_has_ended(folder: Path) -> bool:
    lock = locks.take(folder / "server.lock")
    if lock:
        lock.close()
    return lock is not None


def test_data_are_there_after_a_restart(folder: Path) -> None:
    with started(folder) as server:
        say(server.url, "once")
    with started(folder) as server:
        assert words(server.url) == ["once"]


def test_the_application_is_not_superuser(folder: Path) -> None:
    with started(folder) as server, psycopg.connect(server.url) as conn:
        assert conn.execute("SELECT rolsuper, rolname FROM pg_roles WHERE rolname = current_user").fetchone() == (
            False,
            "tellonce",
        )


def test_without_the_password_nobody_gets_in(folder: Path) -> None:
    with started(folder) as server:
        password = server.url.split(":")[2].split("@")[0]
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url.replace(password, "guessed"))


def test_secrets_and_data_are_private(folder: Path) -> None:
    with started(folder):
        modes = {name: (folder / name).stat().st_mode & 0o777 for name in os.listdir(folder)}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes.pop("postgres") == 0o700
    assert set(modes) >= {"password", "superuser", "url", "postgres.log"}
    assert set(modes.values()) == {0o600}


def test_it_listens_on_no_network(folder: Path) -> None:
    with started(folder) as server, psycopg.connect(server.url) as conn:
        assert conn.execute("SHOW listen_addresses").fetchone() == ("",)


def test_a_second_start_on_one_folder_says_who_is_first(folder: Path) -> None:
    with started(folder), pytest.raises(Conflict, match="Another tellonce is using"):
        embedded.start(folder)


def test_running_is_known_by_an_answer(folder: Path) -> None:
    assert embedded.running(folder) is None
    with started(folder) as server:
        assert embedded.running(folder) == server.url
    assert embedded.running(folder) is None


def test_an_address_left_behind_is_not_taken_for_a_running_server(folder: Path) -> None:
    with started(folder) as server:
        url = server.url
    (folder / "url").write_text(url)
    assert embedded.running(folder) is None


def test_stopping_twice_is_stopping_once(folder: Path) -> None:
    server = started(folder)
    assert server.alive()
    server.stop()
    server.stop()
    assert not server.alive()
    assert server_has_ended(folder)


def test_the_server_ends_when_its_owner_is_killed(folder: Path) -> None:
    with owned_by_another_process(folder) as (owner, url):
        say(url, "once")
        owner.kill()
        eventually(lambda: server_has_ended(folder))
    with started(folder) as server:
        assert words(server.url) == ["once"]


def test_a_server_that_outlived_owner_and_guard_is_stopped_by_the_next_start(folder: Path) -> None:
    with owned_by_another_process(folder) as (owner, url):
        say(url, "once")
        pid = int((folder / "postgres/postmaster.pid").read_text().split()[0])
        subprocess.run(["pkill", "-KILL", "-x", "-s", str(os.getsid(pid)), "sh"], check=True)
        owner.kill()
        owner.wait()
        assert words(url) == ["once"]  # nobody has told it
        sockets = Path(url.rpartition("?host=")[2])
        with started(folder) as server:
            assert words(server.url) == ["once"]
        assert not sockets.exists()


def test_a_killed_server_recovers_at_the_next_start(folder: Path) -> None:
    with started(folder) as server:
        say(server.url, "once")
        os.kill(int((folder / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        eventually(lambda: not server.alive())
    with started(folder) as server:
        assert words(server.url) == ["once"]


def test_a_killed_server_is_revived_under_the_same_address(folder: Path) -> None:
    with started(folder) as server:
        say(server.url, "once")
        os.kill(int((folder / "postgres/postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        eventually(lambda: not server.alive())
        server.revive()
        eventually(lambda: embedded.running(folder) == server.url)
        assert words(server.url) == ["once"]
    assert server_has_ended(folder)
    assert not Path(server.url.rpartition("?host=")[2]).exists()


def test_a_stale_pid_file_that_names_a_living_process_does_not_matter(folder: Path) -> None:
    with started(folder) as server:
        say(server.url, "once")
        stale = (folder / "postgres/postmaster.pid").read_text().splitlines()
    (folder / "postgres/postmaster.pid").write_text("\n".join([str(os.getpid()), *stale[1:]]))
    with started(folder) as server:
        assert words(server.url) == ["once"]


def test_an_initialisation_that_was_interrupted_is_done_again(folder: Path) -> None:
    (folder / "postgres.unfinished").mkdir(parents=True)
    (folder / "postgres.unfinished" / "PG_VERSION").write_text("18")
    with started(folder) as server:
        say(server.url, "once")
        assert words(server.url) == ["once"]


@pytest.mark.parametrize(("said", "mine"), [("1048576\n", 2**20), ("max\n", machine.memory()), ("", machine.memory())])
def test_memory_is_the_control_group_s_where_it_is_less(tmp_path: Path, said: str, mine: int) -> None:
    limit = tmp_path / "memory.max"
    assert machine.memory(limit) == machine.memory()
    limit.write_text(said)
    assert machine.memory(limit) == mine


def test_a_server_that_can_not_start_says_what_its_log_says(folder: Path) -> None:
    with pytest.raises(Unavailable, match=r"PostgreSQL did not start.*shared_buffers"):
        embedded.start(folder, {"shared_buffers": "many"})
    with started(folder) as server:
        assert server.alive()


def test_a_folder_that_can_not_be_used_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"file can't be used|file/data can't be used"):
        embedded.start(tmp_path / "file" / "data")
