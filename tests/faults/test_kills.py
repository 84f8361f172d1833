"""Parts are killed, stopped and starved under load; what was accepted is on one timeline once, and nothing else is."""

import signal
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event as Flag
from time import monotonic

import psycopg
import pytest

from services.eventlog.sharing import SILENCE
from tests.e2e.stacks import wait_for
from tests.faults.desk import Desk
from tests.faults.disks import small_disk
from tests.faults.load import Load
from tests.faults.stand import LOGS, LONG, SEED, Log, Stand
from tests.faults.truth import settled, verify

ROUNDS = 20 if LONG else 0  # at random, after each kind of part in turn and one pair
HELD = 3.0  # seconds at most for which a part is left dead
LONG_ONLY = pytest.mark.skipif(not LONG, reason="only in the long form: make faults")
FULL = 5.0  # seconds of a disk or server that is full


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("log", LOGS)
def test_whatever_is_killed_under_load_nothing_is_lost_or_doubled(folder: Path, log: Log) -> None:
    random, pause, red, kills = Random(SEED), Flag(), 0.0, 0
    with Stand(folder, log, analyser=True) as stand:
        agent = stand.tellonce("keys", "add", "agent", "--role", "agent")
        with Desk(stand.api, agent, SEED) as desk, Load(stand.ingest, stand.key(), SEED) as load:
            for victims in plan(stand, random):
                pause.wait(random.uniform(0.2, 2))
                killed = monotonic()
                stand.kill(*victims)
                pause.wait(random.uniform(0, HELD) if LONG else 0)
                stand.mend()
                red, kills = max(red, monotonic() - killed), kills + len(victims)
                if LONG:
                    settled(stand, load.ledger)
            if log == "kafka":
                lose_the_appender(stand, load)
        verify(stand, load.ledger)
        desk.verify(stand)
    figures = f"{kills} kills, {load.ledger.figures()}, {len(desk.notes)} notes, red for {red:.1f} s at the longest"
    print(f"{log}: {figures}; seed {SEED}")


def lose_the_appender(stand: Stand, load: Load) -> None:
    """Kill the process that appends for all of ingest's, which go on; its parent starts it again."""
    stand["ingest"].kill_one("append")
    wait_for(lambda: not stand.is_ready("ingest"), "ingest to miss it")
    stand.ready(["ingest"])
    accepted = len(load.ledger.accepted)
    wait_for(lambda: len(load.ledger.accepted) > accepted + 100, "events to be accepted again")


def plan(stand: Stand, random: Random) -> Iterator[list[str]]:
    """Whom to kill at once, again and again: one of each kind, a pair, then one or two of all at random."""
    yield from ([random.choice(stand.names(kind))] for kind in stand.kinds())
    yield random.sample(stand.names("postgres", "broker", "worker"), 2)
    for _ in range(ROUNDS):
        yield random.sample(list(stand.parts), random.choice((1, 1, 2)))


@pytest.mark.parametrize("log", LOGS if LONG else LOGS[:1])
def test_a_worker_that_was_stopped_for_long_is_replaced_and_writes_nothing_when_it_wakes(
    folder: Path, log: Log
) -> None:
    with Stand(folder, log) as stand:
        with Load(stand.ingest, stand.key(), SEED) as load:
            wait_for(lambda: len(load.ledger.accepted) > 200, "some load")
            stand["worker-0"].signal(signal.SIGSTOP)
            Flag().wait(SILENCE.total_seconds())
            settled(stand, load.ledger)
            claims = generations(stand)
            stand["worker-0"].signal(signal.SIGCONT)
            stand.ready()
            wait_for(lambda: generations(stand) > claims, "its share to be claimed again")
            settled(stand, load.ledger)
        verify(stand, load.ledger)


@LONG_ONLY
def test_a_broker_whose_disk_is_full_costs_nothing_that_was_accepted(folder: Path) -> None:
    with small_disk(folder / "broker", 48) as disk, Stand(folder, "kafka") as stand:
        with Load(stand.ingest, stand.key(), SEED) as load:
            wait_for(lambda: len(load.ledger.accepted) > 200, "some load")
            disk.fill()
            wait_for(lambda: not stand.is_ready("ingest"), "ingest to be red")
            Flag().wait(FULL)
            disk.free()
            stand.mend()
            settled(stand, load.ledger)
        verify(stand, load.ledger)


@LONG_ONLY
@pytest.mark.parametrize("log", LOGS)
def test_a_database_whose_disk_is_full_costs_nothing_that_was_accepted(folder: Path, log: Log) -> None:
    with small_disk(folder / "data", 160) as disk:
        stand = Stand(folder, log)
        stand.server_settings = {"max_wal_size": "32MB", "min_wal_size": "32MB"}
        with stand:
            with Load(stand.ingest, stand.key(), SEED) as load:
                wait_for(lambda: len(load.ledger.accepted) > 200, "some load")
                disk.fill()
                Flag().wait(FULL)
                disk.free()
                stand.mend()
                settled(stand, load.ledger)
            verify(stand, load.ledger)


@LONG_ONLY
@pytest.mark.parametrize("log", LOGS)
def test_a_database_without_free_connections_is_waited_for(folder: Path, log: Log) -> None:
    stand = Stand(folder, log)
    stand.server_settings = {"max_connections": "40"}
    with stand:
        with Load(stand.ingest, stand.key(), SEED) as load:
            wait_for(lambda: len(load.ledger.accepted) > 200, "some load")
            stand.kill("worker-0", "api")
            taken, until = all_connections(stand), monotonic() + FULL
            while monotonic() < until:  # also those that come free
                stand["worker-0"].start()
                stand["api"].start()
                Flag().wait(0.1)
                taken += all_connections(stand)
            assert not stand.is_ready("worker-0")
            assert not stand.is_ready("api")
            for one in taken:
                one.close()
            stand.mend()
            settled(stand, load.ledger)
        verify(stand, load.ledger)


def all_connections(stand: Stand) -> list[psycopg.Connection]:
    """As many as the server gives to the product's role."""
    taken: list[psycopg.Connection] = []
    while True:
        try:
            taken.append(psycopg.connect(stand.database))
        except psycopg.OperationalError:
            return taken


def generations(stand: Stand) -> int:
    """How often partitions were claimed."""
    with psycopg.connect(stand.database) as conn:
        return int(conn.execute("SELECT sum(generation) FROM positions").fetchone()[0])
