"""Migrations while workers of the version before run under load."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from services.timeline import migrate
from tests.faults.load import Load
from tests.faults.stand import SEED, Stand
from tests.faults.test_backups import RATE, reach
from tests.faults.truth import settled, verify

NEXT = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = "9001", {before!r}
def upgrade():
    op.create_table("moods", sa.Column("name", sa.Text, primary_key=True))
    op.add_column("events", sa.Column("mood", sa.Text))
    op.add_column("interactions", sa.Column("mood", sa.Text, nullable=False, server_default="calm"))
    with op.get_context().autocommit_block():
        op.create_index("ix_moods", "events", ["mood"], postgresql_concurrently=True, if_not_exists=True)
"""


@pytest.mark.timeout(600)
def test_old_workers_work_on_while_a_migration_waits_and_after_it(folder: Path) -> None:
    (folder / "versions").mkdir()
    (folder / "versions" / "9001.py").write_text(NEXT.format(before=migrate.head()))
    versions = (*migrate.VERSIONS, folder / "versions")
    with Stand(folder) as stand, ThreadPoolExecutor(1) as threads:
        with Load(stand.ingest, stand.key(), SEED, RATE) as load:
            reach(load.ledger, 200)
            pids = {name: stand[name].pid for name in stand.names("worker")}
            with psycopg.connect(stand.database) as reader:
                reader.execute("SELECT count(*) FROM events")  # and stays open, so that the table can't be changed
                migrating = threads.submit(migrate.upgrade, stand.database, versions)
                reach(load.ledger, len(load.ledger.accepted) + 200)
                settled(stand, load.ledger)
                assert not migrating.done()
            migrating.result(120)
            reach(load.ledger, len(load.ledger.accepted) + 200)
        assert {name: stand[name].pid for name in pids} == pids
        assert all(stand[name].alive() for name in pids)
        verify(stand, load.ledger)
    assert set(load.ledger.answers) <= {200, 400, 503}
