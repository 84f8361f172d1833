"""Workers come and go and partitions are added under load; nothing is lost, doubled or left behind."""

import signal
from pathlib import Path
from random import Random
from threading import Event as Flag
from time import monotonic

import psycopg
import pytest

from tests.e2e.stacks import wait_for
from tests.faults.load import Load
from tests.faults.stand import LOGS, LONG, PARTITIONS, SEED, Log, Stand
from tests.faults.truth import settled, verify

SECONDS = 120.0 if LONG else 10.0
MOST = 4  # workers at once
USED = 30.0  # seconds until ingest and workers must use partitions that were added


@pytest.mark.timeout(900)
@pytest.mark.parametrize("log", LOGS)
def test_workers_that_come_and_go_share_the_work_and_lose_none(folder: Path, log: Log) -> None:
    random, changes = Random(SEED), 0
    with Stand(folder, log) as stand:
        with Load(stand.ingest, stand.key(), SEED) as load:
            until = monotonic() + SECONDS
            while monotonic() < until:
                come_or_go(stand, random)
                changes += 1
                Flag().wait(random.uniform(1, 4))
            settled(stand, load.ledger)
        verify(stand, load.ledger)
    print(f"{log}: {changes} changes, {load.ledger.figures()}; seed {SEED}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("log", LOGS if LONG else LOGS[1:])
def test_partitions_that_are_added_are_used_without_a_restart(folder: Path, log: Log) -> None:
    with Stand(folder, log) as stand:
        with Load(stand.ingest, stand.key(), SEED) as load:
            wait_for(lambda: len(load.ledger.accepted) > 200, "some load")
            began = monotonic()
            stand.tellonce("migrate", log_partitions=str(2 * PARTITIONS))
            wait_for(lambda: stitched(stand) == 2 * PARTITIONS, "all partitions to be used", USED)
            used = monotonic() - began
            settled(stand, load.ledger)
        verify(stand, load.ledger, received=False)
    print(f"{log}: all partitions used after {used:.1f} s, {load.ledger.figures()}; seed {SEED}")


def come_or_go(stand: Stand, random: Random) -> None:
    """One worker more, or one less: told to end, or killed."""
    alive = [name for name in stand.names("worker") if stand[name].alive()]
    if len(alive) < 2 or (len(alive) < MOST and random.random() < 0.5):
        stand.add_worker(wait=False)
    elif random.random() < 0.7:
        leaving = random.choice(alive)
        assert stand[leaving].end() in (0, -signal.SIGTERM), stand.last_words(leaving)  # that: it was still starting
    else:
        stand.kill(random.choice(alive))


def stitched(stand: Stand) -> int:
    """Partitions of the topic of events of which something is stitched."""
    with psycopg.connect(stand.database) as conn:
        return int(conn.execute("SELECT count(*) FROM positions WHERE position > 0").fetchone()[0])
