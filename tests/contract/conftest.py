"""A fresh topic on each of the two logs, and how that log is made silent."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from tests.brokers import Broker
from tests.contract.logs import Log

Away = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=["postgres", "kafka"])
def log(request: pytest.FixtureRequest, database_url: str) -> Log:
    """A fresh topic and group."""
    address = request.getfixturevalue("kafka") if request.param == "kafka" else ""
    log = Log(request.param, address, database_url, f"events.{uuid4().hex}", f"group.{uuid4().hex}")
    log.make()
    return log


@pytest.fixture
def away(log: Log, request: pytest.FixtureRequest) -> Away:
    """Inside it the log does not answer."""
    if log.kind == "kafka":
        broker: Broker = request.getfixturevalue("broker")
        return broker.paused
    return partial(closed, request.getfixturevalue("postgres").superuser_url, sa.make_url(log.store).database)


@contextmanager
def closed(superuser_url: str, name: str | None) -> Iterator[None]:
    """A database that ends its connections and takes no new ones."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        conn.execute(allow.format(sql.Identifier(name or ""), False))
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield
        conn.execute(allow.format(sql.Identifier(name or ""), True))
