"""Brings the database's tables up to this version, one migrator at a time, while workers of the version before run."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from services.database import engine
from services.errors import Conflict, Unavailable

LOCK = 7_355_600  # any number, but the same everywhere
LOCK_WAIT = "1s"  # whoever comes after a migration that waits for a table waits as well
STATEMENT = "10min"
PATIENCE = 120.0  # seconds for which a table that is busy is tried again
PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between tries, in which everybody else works
NO_LOCK = "55P03"  # lock_not_available

SCRIPTS = Path(__file__).parent / "migrations"
VERSIONS = (SCRIPTS / "versions",)


def config(conn: sa.Connection | None = None, versions: Sequence[Path] = VERSIONS) -> Config:
    """Alembic's settings, on the given connection; `versions`: the folders that hold the migrations."""
    settings = Config()
    settings.set_main_option("script_location", _literal(SCRIPTS))
    settings.set_main_option("path_separator", "newline")
    settings.set_main_option("version_locations", "\n".join(map(_literal, versions)))
    settings.attributes["connection"] = conn
    return settings


def upgrade(url: str, versions: Sequence[Path] = VERSIONS, patience: float = PATIENCE) -> None:
    """Apply the migrations that are missing; when one fails, it is undone with those before it, up to the last that
    committed by itself, as making an index while others work does. Again goes on from there.

    Waits for another migrator. A table that is in use is waited for but a second at a time, again and again for
    `patience` seconds. Raises Conflict for tables of a newer version, Unavailable when a table stays in use.
    """
    with connected(url) as conn, alone(conn):
        check_known(conn, versions)
        conn.exec_driver_sql(f"SET lock_timeout = '{LOCK_WAIT}'; SET statement_timeout = '{STATEMENT}'")
        conn.commit()
        try:
            _again_while_locked(conn, lambda: command.upgrade(config(conn, versions), "head"), patience)
        finally:
            conn.rollback()
            conn.exec_driver_sql("RESET lock_timeout; RESET statement_timeout")


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """One connection, of which nothing is left."""
    store = engine(url, pool_size=1)
    try:
        with store.connect() as conn:
            yield conn
    finally:
        store.dispose()


@contextmanager
def alone(conn: sa.Connection, shared: bool = False) -> Iterator[None]:
    """Nobody changes the tables' shape meanwhile but the caller; `shared`: the caller neither."""
    kind = "_shared" if shared else ""
    conn.exec_driver_sql(f"SELECT pg_advisory_lock{kind}({LOCK})")
    conn.commit()
    try:
        yield
    finally:
        conn.rollback()
        conn.exec_driver_sql(f"SELECT pg_advisory_unlock{kind}({LOCK})")
        conn.commit()


def is_current(conn: sa.Connection) -> bool:
    """Whether the tables are those of this version."""
    return revision(conn) == head()


def revision(conn: sa.Connection) -> str | None:
    """The version of the tables; None where there are none."""
    return MigrationContext.configure(conn).get_current_revision()


def head(versions: Sequence[Path] = VERSIONS) -> str | None:
    """The tables' version that this program wants."""
    return ScriptDirectory.from_config(config(versions=versions)).get_current_head()


def is_known(revision: str | None, versions: Sequence[Path] = VERSIONS) -> bool:
    """Whether this program can bring tables of a version up to its own."""
    scripts = ScriptDirectory.from_config(config(versions=versions))
    try:
        return revision is None or scripts.get_revision(revision) is not None
    except CommandError:
        return False


def check_known(conn: sa.Connection, versions: Sequence[Path] = VERSIONS) -> None:
    """Raise Conflict when the tables are newer than this program."""
    found = revision(conn)
    if not is_known(found, versions):
        raise Conflict(
            f"The data were written by a newer tellonce: their tables are of version {found}, "
            f"and this program knows them up to {head(versions)}.",
            code="newer_tables",
            hint="Start the newer version again, or restore a backup made before the upgrade into an empty place.",
        )


def _again_while_locked(conn: sa.Connection, act: Callable[[], None], patience: float) -> None:
    deadline, pause = time.monotonic() + patience, PAUSE
    while True:
        try:
            act()
            conn.commit()
            return
        except OperationalError as error:
            conn.rollback()
            if getattr(error.orig, "sqlstate", None) != NO_LOCK:
                raise
            if time.monotonic() > deadline:
                raise Unavailable(
                    "The tables could not be brought up to date, since somebody has been using one of them for long.",
                    code="tables_in_use",
                    hint="Nothing is lost. See pg_stat_activity for transactions that are open; then try again.",
                ) from error
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _literal(path: Path) -> str:
    return str(path).replace("%", "%%")
