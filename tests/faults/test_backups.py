"""Backup under load, and restore: nothing that was accepted before is missing, nothing is there twice."""

from pathlib import Path
from threading import Event as Flag

import pytest

from tests.e2e.stacks import wait_for
from tests.faults.load import Ledger, Load
from tests.faults.stand import SEED, Log, Stand
from tests.faults.truth import verify

RATE = 150


@pytest.mark.parametrize("log", ["postgres", "kafka"])
@pytest.mark.timeout(600)
def test_work_goes_on_from_a_backup_taken_under_load(log: Log, folder: Path) -> None:
    with Stand(folder, log) as stand:
        with Load(stand.ingest, stand.key(), SEED, RATE) as load:
            reach(load.ledger, 500)
            known = set(load.ledger.accepted)
            stand.tellonce("backup", str(folder / "all.backup"))
            reach(load.ledger, len(known) + 500)
        services = stand.names("ingest", "api", "worker")
        stand.kill(*services)
        disconnected(stand)
        stand.tellonce("restore", str(folder / "all.backup"), "--force")
        stand.mend()
        if log == "postgres":  # what came after the backup was in the database alone; with Kafka it is read again
            load.ledger.accepted = known
        verify(stand, load.ledger)


def reach(ledger: Ledger, count: int) -> None:
    """Wait until so many events are accepted."""
    wait_for(lambda: len(ledger.accepted) >= count, f"{count} accepted events")


def disconnected(stand: Stand) -> None:
    """Wait until the server has noticed that the services are gone."""
    engine, pause = stand.engine(), Flag()
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'tellonce' AND pid <> pg_backend_pid()"
    with engine.connect() as conn:
        while conn.exec_driver_sql(query).scalar_one():
            pause.wait(0.1)
    engine.dispose()
