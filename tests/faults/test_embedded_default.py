"""`tellonce up` on its own PostgreSQL, hurt in every way while systems post: nothing accepted is lost or doubled."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from services import embedded, locks
from services.errors import Unavailable
from tests.brokers import free_port
from tests.e2e.stacks import is_ready, wait_for
from tests.faults.disks import small_disk
from tests.faults.load import Ledger, Load
from tests.faults.stand import LONG, SEED

PLACE = "ühe kliendi lugu, " * 8  # spaces, letters that are not ASCII, and longer than a socket's path may be
ROUNDS = 10 if LONG else 1
NOBODY = 65534


class Machine:
    """A `tellonce up` that is killed and started again on the same ports and data."""

    def __init__(self, data: Path, scratch: Path) -> None:
        self.data, self.out = data, scratch / "up.out"
        self.api, self.ingest = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TELLONCE_")}
        self.environment = kept | {"XDG_STATE_HOME": str(scratch), "XDG_DATA_HOME": str(scratch)}

    def start(self) -> None:
        """Until it is ready."""
        ports = [f"--{name}-port={address.rpartition(':')[2]}" for name, address in self.addresses().items()]
        words = [*self.command(), "up", "--no-demo", "--data", str(self.data), *ports]
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out, env=self.environment, start_new_session=True)
        self.ready()

    def command(self) -> list[str]:
        return [sys.executable, "-m", "services"]

    def addresses(self) -> dict[str, str]:
        return {"api": self.api, "ingest": self.ingest}

    def ready(self) -> None:
        """Wait until it is, by itself."""
        try:
            wait_for(lambda: all(map(is_ready, self.addresses().values())), "it to be ready", 120)
        except AssertionError:
            raise AssertionError(self.out.read_text()) from None

    def pids(self) -> dict[str, int]:
        """Of PostgreSQL and each service."""
        listed = subprocess.run(["pgrep", "-P", str(self.process.pid), "-a"], capture_output=True, text=True).stdout
        found = {line.split(" -m services ")[1].split()[0]: int(line.split()[0])
                 for line in listed.splitlines() if " -m services " in line}  # fmt: skip
        with suppress(FileNotFoundError):
            found["postgres"] = int((self.data / "postgres/postmaster.pid").read_text().split()[0])
        return found

    def kill(self, *names: str) -> None:
        """`kill -9` of these."""
        pids = self.pids()
        for name in names:
            os.kill(pids[name], signal.SIGKILL)
        wait_for(lambda: all(self.pids().get(name) != pids[name] for name in names), "them to be gone")

    def tellonce(self, *words: str) -> str:
        done = subprocess.run(
            [*self.command(), *words, "--data", str(self.data)], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def has_left_nothing(self) -> bool:
        listed = subprocess.run(["pgrep", "-s", str(self.process.pid)], capture_output=True, text=True).stdout
        return not listed.strip() and not locks.held(self.data / "server.lock")


@contextmanager
def machine(data: Path, scratch: Path) -> Iterator[Machine]:
    one = Machine(data, scratch)
    one.start()
    try:
        yield one
    finally:
        one.process.terminate()
        one.process.wait(120)
        assert one.has_left_nothing()


def reach(ledger: Ledger, more: int) -> None:
    """Wait until so many more events are accepted than now."""
    count = len(ledger.accepted) + more
    wait_for(lambda: len(ledger.accepted) >= count, f"{count} accepted events", 120)


def all_there_once(data: Path, ledger: Ledger) -> None:
    """Each accepted event is on a timeline, once, and none that was refused."""
    url = embedded.running(data)
    assert url

    def stored() -> list[str]:
        query = "SELECT e.event_id FROM events e JOIN identifiers i ON i.id = e.identifier_id WHERE e.source = 'shop'"
        with psycopg.connect(url) as conn:
            return [id for (id,) in conn.execute(query)]

    wait_for(lambda: ledger.accepted <= set(stored()), "all that was accepted", 120)
    found = stored()
    assert len(found) == len(set(found))
    assert not set(found) & ledger.refused
    assert set(found) <= ledger.sent


@pytest.mark.timeout(600)
def test_whatever_is_killed_nothing_is_lost_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with machine(tmp_path / PLACE, tmp_path) as running:
        with Load(running.ingest, running.tellonce("sources", "add", "shop"), SEED, 100) as load:
            for _ in range(ROUNDS):
                for names in (["postgres"], ["timeline"], ["ingest", "api"], ["postgres", "timeline", "ingest"]):
                    reach(load.ledger, 50)
                    running.kill(*names)
                    running.ready()
                reach(load.ledger, 50)
                running.process.kill()
                running.process.wait()
                wait_for(running.has_left_nothing, "its processes to end", 60)
                running.start()
            reach(load.ledger, 50)
        all_there_once(running.data, load.ledger)
        assert len(load.ledger.accepted) > 250 * ROUNDS


@pytest.mark.timeout(600)
def test_a_full_disk_is_said_by_503_and_work_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 300) as disk, machine(tmp_path / "disk" / "data", tmp_path) as running:
        with Load(running.ingest, running.tellonce("sources", "add", "shop"), SEED, 200) as load:
            for _ in range(ROUNDS):
                reach(load.ledger, 100)
                disk.fill()
                wait_for(lambda: load.ledger.tries and load.ledger.tries[-1].status == 503, "a 503", 120)
                disk.free()
                running.ready()
                reach(load.ledger, 100)
        all_there_once(running.data, load.ledger)


@pytest.mark.timeout(600)
def test_a_restore_makes_a_running_one_pause_and_go_on_with_what_was_backed_up(tmp_path: Path) -> None:
    with machine(tmp_path / "data", tmp_path) as running:
        key, file = running.tellonce("sources", "add", "shop"), tmp_path / "all.backup"
        with Load(running.ingest, key, SEED, 100) as load:
            reach(load.ledger, 50)
            known = set(load.ledger.accepted)
            running.tellonce("backup", str(file))
            reach(load.ledger, 50)
            running.tellonce("restore", str(file), "--force")
            running.ready()
            restored = set(load.ledger.accepted)
            reach(load.ledger, 50)
        assert running.process.poll() is None
        load.ledger.accepted = known | (load.ledger.accepted - restored)
        all_there_once(running.data, load.ledger)


@pytest.mark.timeout(600)
def test_a_plain_account_starts_it_and_the_folder_of_another_is_refused_in_words(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    for folder in (*tmp_path.parents[:2], tmp_path):
        if not folder.stat().st_mode & 0o001:  # pytest's own folders are private
            folder.chmod(0o755)
    for name in ("roots", "nobodys"):
        (tmp_path / name).mkdir(mode=0o700)
    os.chown(tmp_path / "nobodys", NOBODY, NOBODY)
    with embedded.start(tmp_path / "roots", {"fsync": "off"}):
        pass
    started = as_nobody(tmp_path / "nobodys")
    assert started.stdout.strip() == "it answers", started.stderr
    refused = as_nobody(tmp_path / "roots").stderr.splitlines()[-1]
    assert "can't be used: Permission denied" in refused
    with pytest.raises(Unavailable, match="belong to the account nobody"):
        embedded.start(tmp_path / "nobodys")


def as_nobody(data: Path) -> subprocess.CompletedProcess[str]:
    """Start the server of a folder as somebody without any rights."""
    script = f"""
import os, pathlib, sys
from services import embedded
os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})
with embedded.start(pathlib.Path(sys.argv[1])) as server:
    print("it answers" if embedded.running(pathlib.Path(sys.argv[1])) else "it does not answer")
"""
    return subprocess.run([sys.executable, "-c", script, str(data)], capture_output=True, text=True)
