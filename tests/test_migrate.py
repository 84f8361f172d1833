"""Migrations: all or nothing, one migrator at a time, others at work meanwhile; a copy before what can't be undone."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from services import backup, embedded, upgrade
from services.errors import Conflict, Unavailable
from services.timeline import migrate
from tests.full import everything

MIGRATION = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = {revision!r}, {before!r}
def upgrade():
    {does}
"""
ADDS_A_COLUMN = 'op.add_column("events", sa.Column("mood", sa.Text))'
FAILS = f"{ADDS_A_COLUMN}; op.execute('SELECT 1 / 0')"


def next_version(folder: Path, does: str = ADDS_A_COLUMN, revision: str = "9001", before: str | None = None) -> Path:
    """A folder with one migration more than there is."""
    folder.mkdir(exist_ok=True)
    words = MIGRATION.format(revision=revision, before=before or migrate.head(), does=does)
    (folder / f"{revision}.py").write_text(words)
    return folder


def versions(tmp_path: Path, does: str = ADDS_A_COLUMN) -> tuple[Path, ...]:
    return (*migrate.VERSIONS, next_version(tmp_path / "versions", does))


@contextmanager
def reading(url: str) -> Iterator[None]:
    """A transaction that has looked at events and stays open."""
    with psycopg.connect(url) as conn:
        conn.execute("SELECT count(*) FROM events")
        yield


def columns(url: str) -> list[str]:
    with psycopg.connect(url) as conn:
        query = "SELECT attname FROM pg_attribute WHERE attrelid = 'events'::regclass AND attname = 'mood'"
        return [name for (name,) in conn.execute(query)]


def test_a_migration_is_all_or_nothing(database_url: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="division by zero"):
        migrate.upgrade(database_url, versions(tmp_path, FAILS))
    assert columns(database_url) == []
    migrate.upgrade(database_url, versions(tmp_path))
    assert columns(database_url) == ["mood"]


def test_after_a_migration_that_failed_the_next_try_goes_on(postgres: embedded.Server, tmp_path: Path) -> None:
    """Of those before it some commit by themselves: they make indexes while others work."""
    with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
        conn.execute("CREATE DATABASE from_nothing OWNER tellonce")
        url = sa.make_url(postgres.url).set(database="from_nothing").render_as_string(False)
        with pytest.raises(Exception, match="division by zero"):
            migrate.upgrade(url, versions(tmp_path, FAILS))
        migrate.upgrade(url, versions(tmp_path))
        assert columns(url) == ["mood"]
        conn.execute("DROP DATABASE from_nothing WITH (FORCE)")


def test_tables_of_a_newer_version_are_left_alone(database_url: str, tmp_path: Path) -> None:
    migrate.upgrade(database_url, versions(tmp_path))
    with pytest.raises(Conflict, match="written by a newer tellonce"):
        migrate.upgrade(database_url)
    assert columns(database_url) == ["mood"]


def test_a_busy_table_is_waited_for_and_then_left_as_it_was(database_url: str, tmp_path: Path) -> None:
    with reading(database_url), pytest.raises(Unavailable, match="using one of them for long"):
        migrate.upgrade(database_url, versions(tmp_path), patience=1)
    assert columns(database_url) == []


def test_a_migration_goes_through_once_the_table_is_free(database_url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        with reading(database_url):
            migrating = threads.submit(migrate.upgrade, database_url, versions(tmp_path))
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
            with psycopg.connect(database_url, autocommit=True) as conn:
                for _ in range(2):  # it has waited, given up, and waits again
                    until(conn, waits, 1)
                    until(conn, waits, 0)
        migrating.result(60)
    assert columns(database_url) == ["mood"]


def until(conn: psycopg.Connection, query: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while conn.execute(query).fetchone() != (count,):
        assert time.monotonic() < deadline, "it did not come true in time"
        threading.Event().wait(0.01)


def test_a_migration_waits_for_a_backup(database_url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as threads:
        with migrate.connected(database_url) as conn, migrate.alone(conn, shared=True):
            migrating = threads.submit(migrate.upgrade, database_url, versions(tmp_path))
            with psycopg.connect(database_url, autocommit=True) as looking:
                until(looking, "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'", 1)
            assert columns(database_url) == []
        migrating.result(60)
    assert columns(database_url) == ["mood"]


def test_a_copy_is_taken_before_the_tables_change(full_url: str, tmp_path: Path) -> None:
    before, said = everything(full_url), list[str]()
    upgrade.with_copy(full_url, tmp_path, said.append, versions(tmp_path))
    assert columns(full_url) == ["mood"]
    copy = tmp_path / "backups" / "before-9001.backup"
    assert str(copy) in said[0]
    assert copy.stat().st_mode & 0o777 == 0o600
    backup.restore(full_url, copy, force=True)
    assert columns(full_url) == []
    assert everything(full_url) == before


def test_nothing_is_copied_where_there_is_nothing_to_do_or_to_lose(
    full_url: str, postgres: embedded.Server, tmp_path: Path
) -> None:
    upgrade.with_copy(full_url, tmp_path, lambda words: None)
    assert not (tmp_path / "backups").exists()
    with psycopg.connect(full_url) as conn:
        for table in ("events", "interactions", "identifiers", "links", "arrivals", "sources", "keys"):
            conn.execute(f"DELETE FROM {table}")  # type: ignore[call-overload]
        for table in ("names", "marks", "conversations", "visits"):
            conn.execute(f"DELETE FROM {table}")  # type: ignore[call-overload]
    upgrade.with_copy(full_url, tmp_path, lambda words: None, versions(tmp_path))
    assert columns(full_url) == ["mood"]
    assert not (tmp_path / "backups").exists()


def test_a_failed_upgrade_leaves_the_data_and_says_how_to_go_back(full_url: str, tmp_path: Path) -> None:
    before = everything(full_url)
    with pytest.raises(Unavailable, match="division by zero") as failed:
        upgrade.with_copy(full_url, tmp_path, lambda words: None, versions(tmp_path, FAILS))
    assert "Go on with the version of tellonce you had" in failed.value.hint
    assert f"tellonce restore {tmp_path / 'backups' / 'before-9001.backup'} --force" in failed.value.hint
    assert everything(full_url) == before
    upgrade.with_copy(full_url, tmp_path, lambda words: None)  # as the version before does at its start


def test_the_last_three_copies_are_kept(full_url: str, tmp_path: Path) -> None:
    before, folder = migrate.head(), tmp_path / "versions"
    for revision in ("9001", "9002", "9003", "9004"):
        next_version(folder, "pass", revision, before)
        upgrade.with_copy(full_url, tmp_path, lambda words: None, (*migrate.VERSIONS, folder))
        before = revision
    kept = sorted(path.name for path in (tmp_path / "backups").iterdir())
    assert kept == [f"before-{revision}.backup" for revision in ("9002", "9003", "9004")]
