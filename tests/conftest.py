"""What tests share: one embedded PostgreSQL for the whole run, in it a migrated database for each test."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from services import database, embedded
from services.timeline import migrate
from tests.brokers import broker, free_port, kafka  # noqa: F401 (fixtures)
from tests.fakes import MemoryLog
from tests.faults.proxy import Proxy
from tests.full import full_url  # noqa: F401 (fixture)
from tests.house import house  # noqa: F401 (fixture)
from tests.terminal import Terminal

# The shared server holds nothing worth keeping, and a database per test is many files to sync.
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    """The PostgreSQL of the whole run, with a migrated template that nobody ever connects to."""
    with embedded.start(tmp_path_factory.mktemp("postgres"), FAST) as server:
        migrate.upgrade(server.url)
        with psycopg.connect(server.superuser_url, autocommit=True) as conn:
            conn.execute("CREATE DATABASE pattern TEMPLATE tellonce")
        yield server


@pytest.fixture
def database_url(postgres: embedded.Server) -> Iterator[str]:
    """A fresh, migrated database, owned by the application's role as in real life."""
    name = sql.Identifier(f"test_{uuid4().hex}")
    with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE pattern OWNER tellonce").format(name))
        yield sa.make_url(postgres.url).set(database=name.as_string().strip('"')).render_as_string(False)
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine on that database."""
    engine = database.engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def proxy(database_url: str) -> Iterator[Proxy]:
    """A network to the database, which goes wrong."""
    sockets = str(sa.make_url(database_url).query["host"])
    with Proxy(free_port(), Path(sockets) / ".s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture
def url(database_url: str, proxy: Proxy) -> str:
    """The database's by way of the proxy."""
    there = sa.make_url(database_url).set(host="127.0.0.1", port=proxy.port, query={})
    return there.render_as_string(hide_password=False)


@pytest.fixture
def tellonce(database_url: str, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command line on that database, whose event log is ready."""
    terminal = Terminal(capsys, database_url)
    assert terminal("migrate").code == 0
    return terminal


@pytest.fixture(scope="session")
def shared() -> Path:
    """The samples beside the repository, or where TELLONCE_SHARED says; without them the test is skipped."""
    folder = Path(os.environ.get("TELLONCE_SHARED") or Path(__file__).parents[2] / "shared")
    if not folder.is_dir():
        pytest.skip(f"no samples in {folder}; set TELLONCE_SHARED")
    return folder


@pytest.fixture
def log() -> MemoryLog:
    """An event log in memory."""
    return MemoryLog()
