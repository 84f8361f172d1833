"""A backup holds all that is known, and a restore brings it back whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from services import backup, embedded
from services.errors import Conflict, Invalid, Unavailable
from services.eventlog.opening import ensure_topics, open_appender
from services.settings import Settings
from services.timeline import migrate
from tests.full import everything, happen

SETTINGS = Settings()


@contextmanager
def another_database(server: embedded.Server) -> Iterator[str]:
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(server.superuser_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} OWNER tellonce").format(sql.Identifier(name)))
        yield sa.make_url(server.url).set(database=name).render_as_string(False)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def empty_url(postgres: embedded.Server) -> Iterator[str]:
    with another_database(postgres) as url:
        yield url


def test_what_was_backed_up_comes_back_in_an_empty_database(full_url: str, empty_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    before = everything(full_url)
    backup.restore(empty_url, tmp_path / "all")
    assert everything(empty_url) == before
    assert len(before["events"]) == 20  # type: ignore[arg-type]
    happen(empty_url, "e1", "e20")
    assert len(everything(empty_url)["events"]) == 21  # type: ignore[arg-type]


def test_tables_are_the_same_down_to_the_index_after_a_restore(full_url: str, empty_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    backup.restore(empty_url, tmp_path / "all")
    shapes = []
    for url in (full_url, empty_url):
        with psycopg.connect(url) as conn:
            indexes = conn.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1").fetchall()
            triggers = conn.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal").fetchall()
            shapes.append((indexes, triggers))
    assert shapes[0] == shapes[1]
    assert not shapes[0][1]


def test_a_restored_database_has_nothing_from_transactions_that_are_still_to_come(
    full_url: str, empty_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(full_url) as conn:
        for table in ("events", "interactions"):
            conn.execute(sql.SQL("UPDATE {} SET tx = 4000000000").format(sql.Identifier(table)))
    backup.backup(full_url, tmp_path / "all")
    backup.restore(empty_url, tmp_path / "all")
    query = "SELECT max(tx) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM "
    with psycopg.connect(empty_url) as conn:
        assert conn.execute(query + "events").fetchone() == conn.execute(query + "interactions").fetchone() == (True,)


def test_whoever_read_the_log_before_can_not_write_after_a_restore(
    full_url: str, empty_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(full_url) as conn:
        conn.execute("INSERT INTO positions VALUES ('timeline.events', 0, 7, 3)")
    backup.backup(full_url, tmp_path / "all")
    with psycopg.connect(full_url) as conn:
        conn.execute("UPDATE positions SET generation = 9")
    backup.restore(full_url, tmp_path / "all", force=True)
    with psycopg.connect(full_url) as conn:
        assert conn.execute("SELECT position, generation FROM positions").fetchall() == [(7, 10)]


def test_a_backup_is_for_its_owner_alone(full_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    assert (tmp_path / "all").stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["all"]


def test_a_file_that_is_there_is_replaced_only_by_force(full_url: str, tmp_path: Path) -> None:
    (tmp_path / "all").write_text("precious")
    with pytest.raises(Conflict, match="there already"):
        backup.backup(full_url, tmp_path / "all")
    assert (tmp_path / "all").read_text() == "precious"
    backup.backup(full_url, tmp_path / "all", force=True)
    backup.check(tmp_path / "all")


def test_a_database_that_holds_something_is_replaced_only_by_force(full_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    before = everything(full_url)
    happen(full_url, "later")
    with pytest.raises(Conflict, match="holds data already"):
        backup.restore(full_url, tmp_path / "all")
    assert len(everything(full_url)["events"]) == 21  # type: ignore[arg-type]
    backup.restore(full_url, tmp_path / "all", force=True)
    assert everything(full_url) == before


def test_a_migrated_database_without_data_is_empty(full_url: str, postgres: embedded.Server, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    with another_database(postgres) as url:
        migrate.upgrade(url)
        ensure_topics(SETTINGS, url)
        backup.restore(url, tmp_path / "all")
        assert everything(url) == everything(full_url)


def test_a_database_that_is_worked_on_is_not_replaced(full_url: str, empty_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    appender = open_appender(SETTINGS, empty_url)
    appender.check()
    with pytest.raises(Conflict, match="is working on this database"):
        backup.restore(empty_url, tmp_path / "all", force=True)
    appender.close()
    backup.restore(empty_url, tmp_path / "all")


def test_a_damaged_backup_changes_nothing(full_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    happen(full_url, "later")
    before = everything(full_url)
    whole = (tmp_path / "all").read_bytes()
    for length in (len(whole) * 9 // 10, len(whole) // 2):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises((Unavailable, Invalid)):
            backup.restore(full_url, tmp_path / "cut", force=True)
        assert everything(full_url) == before


@pytest.mark.parametrize("content", [b"", b"not at all", b"PGDMP", b"PGDMP" + bytes(5000)])
def test_what_is_no_backup_is_said_so(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(Invalid, match="is no backup"):
        backup.check(tmp_path / "file")


def test_a_dump_of_something_else_is_no_backup(empty_url: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_url) as conn:
        conn.execute("CREATE TABLE others (name text)")
    backup.backup(empty_url, tmp_path / "others")
    with pytest.raises(Invalid, match="no tables of tellonce"):
        backup.check(tmp_path / "others")


def test_a_missing_file_or_folder_is_said_so(full_url: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no file"):
        backup.check(tmp_path / "nowhere")
    with pytest.raises(Unavailable, match="no folder"):
        backup.backup(full_url, tmp_path / "nowhere" / "all")


def test_a_backup_of_a_newer_version_is_refused(full_url: str, empty_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    with psycopg.connect(full_url) as conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Conflict, match="newer tellonce"):
        backup.backup(full_url, tmp_path / "newer")
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "9999.py").write_text(f"revision, down_revision = '9999', {migrate.head()!r}\n")
    backup.backup(full_url, tmp_path / "newer", versions=(*migrate.VERSIONS, versions))
    with pytest.raises(Conflict, match="made by a newer tellonce"):
        backup.restore(empty_url, tmp_path / "newer")


def test_a_restore_goes_back_behind_an_upgrade_that_can_be_done_again(full_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    (tmp_path / "9999.py").write_text(
        f"from alembic import op\nrevision, down_revision = '9999', {migrate.head()!r}\n"
        "def upgrade(): op.execute('CREATE TABLE moods (name text)')\n"
    )
    newer = (*migrate.VERSIONS, tmp_path)
    migrate.upgrade(full_url, newer)
    backup.restore(full_url, tmp_path / "all", force=True)
    migrate.upgrade(full_url, newer)


def test_tables_of_somebody_else_are_not_lost_unasked(full_url: str, empty_url: str, tmp_path: Path) -> None:
    backup.backup(full_url, tmp_path / "all")
    with psycopg.connect(empty_url) as conn:
        conn.execute("CREATE TABLE theirs AS SELECT 1 AS one")
    with pytest.raises(Conflict, match="holds data already"):
        backup.restore(empty_url, tmp_path / "all")
