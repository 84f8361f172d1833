"""Ingest for real clients, and the clients for Node."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from services import access
from services.eventlog.opening import ensure_topics, open_appender
from services.settings import Settings
from tests.e2e.serving import KEY, Faltering, Stuttering, ingest

NODE = Path(__file__).parent / "node"


@pytest.fixture
def appender(database_url: str, engine: sa.Engine) -> Iterator[Stuttering]:
    with engine.begin() as conn:
        access.add_source(conn, "shop", "segment", KEY)
    ensure_topics(Settings(), database_url)
    with closing(Stuttering(open_appender(Settings(), database_url), away=0)) as appender:
        yield appender


@pytest.fixture
def served(database_url: str, appender: Stuttering) -> Iterator[tuple[str, Faltering]]:
    with ingest(database_url, appender) as running:
        yield running


@pytest.fixture
def address(served: tuple[str, Faltering]) -> str:
    return served[0]


@pytest.fixture
def faltering(served: tuple[str, Faltering]) -> Faltering:
    return served[1]


@pytest.fixture(scope="session")
def modules() -> Path:
    """The Node clients, installed once into the cache as the lock file says."""
    if not shutil.which("npm"):
        miss = "Node.js with npm is not here; install it to run the Node clients"
        pytest.fail(miss) if os.environ.get("CI") == "true" else pytest.skip(miss)
    folder = Path(__file__).parents[2] / ".cache/node"
    shutil.copytree(NODE, folder, dirs_exist_ok=True)
    lock, installed = (NODE / "package-lock.json").read_bytes(), folder / "installed.json"
    if not installed.is_file() or installed.read_bytes() != lock:
        quick = ["--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
        subprocess.run(["npm", "ci", *quick], cwd=folder, check=True, timeout=240)
        installed.write_bytes(lock)
    return folder
