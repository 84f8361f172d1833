"""Connections to the store: nothing is waited for without end, whatever becomes of the network or the other side."""

import asyncio
import os
from contextlib import ExitStack, closing

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from starlette.testclient import TestClient

from services import database
from services.api.app import create_app
from services.eventlog import Draft
from services.eventlog.postgres import PostgresAppender
from services.settings import Settings
from tests.e2e.stacks import wait_for
from tests.faults.proxy import Proxy

SOON = 1.0  # seconds of patience
ONE = sa.text("SELECT 1")
DRAFT = Draft("key", b"value")
# How a client may fall silent: after Parse alone, as bytes (PostgreSQL, section 55.7), and with an answer not taken.
SILENT = {
    "in the middle of a statement": b"P\0\0\0\x10\0SELECT 1\0\0\0",
    "before an answer": b"Q\0\0\0\x3dSELECT repeat('x', 1000) FROM generate_series(1, 100000)\0",
}


def test_a_server_that_is_silent_is_given_up_and_met_again(url: str, proxy: Proxy) -> None:
    with closing(Engine(url)) as store:
        store.ask()
        proxy.fault = "half-open"
        with pytest.raises(OperationalError, match="timeout expired"):  # it has looked for another connection
            store.ask()
        proxy.fault = None
        store.ask()


def test_what_was_left_on_a_silent_connection_is_ended_by_the_next_and_keeps_nobody_waiting(
    url: str, proxy: Proxy
) -> None:
    change = "UPDATE deployment SET secret = secret"
    with closing(Engine(url, idle=600)) as store:
        with store.engine.connect() as conn:
            conn.exec_driver_sql(change)
            proxy.fault = "half-open"
            with pytest.raises(OperationalError, match="no answer"):
                conn.execute(ONE)
        proxy.fault = None
        store.ask(change)


def test_so_it_is_on_the_event_loop(url: str, proxy: Proxy) -> None:
    async def ask() -> None:
        store = database.async_engine(url, patience=SOON)
        async with store.connect() as conn:
            await conn.execute(ONE)
            proxy.fault = "half-open"
            with pytest.raises(OperationalError, match="no answer"):
                await conn.execute(ONE)
        proxy.fault = None
        async with store.connect() as conn:
            await conn.execute(ONE)
        await store.dispose()

    asyncio.run(asyncio.wait_for(ask(), 60))


def test_who_asks_on_the_event_loop_never_meets_a_connection_that_the_server_has_closed(
    database_url: str, engine: sa.Engine
) -> None:
    async def ask() -> None:
        store = database.async_engine(database_url)
        async with store.connect() as one, store.connect() as two:
            pids = [await conn.scalar(sa.text("SELECT pg_backend_pid()")) for conn in (one, two)]
        with engine.connect() as conn:
            for pid in pids:
                assert conn.scalar(sa.text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
        async with store.connect() as one, store.connect() as two:
            for conn in (one, two):
                assert await conn.scalar(sa.text("SELECT pg_backend_pid()")) not in pids
        await store.dispose()

    asyncio.run(asyncio.wait_for(ask(), 60))


def test_a_statement_that_takes_too_long_is_given_up_by_the_server_too(database_url: str) -> None:
    with closing(Engine(database_url)) as store, pytest.raises(OperationalError, match="statement timeout"):
        store.ask("SELECT pg_sleep(60)")


def test_who_stops_in_a_transaction_loses_it_and_keeps_nobody_waiting(database_url: str, engine: sa.Engine) -> None:
    name = "UPDATE deployment SET secret = secret"
    with closing(Engine(database_url)) as store, store.engine.connect() as stopped:
        stopped.exec_driver_sql(name)
        with engine.begin() as other:
            other.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
            other.exec_driver_sql(name)
        with pytest.raises(DBAPIError) as met:
            stopped.exec_driver_sql(name)
        assert database.is_away(met.value)


def test_statements_are_not_compiled(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        assert conn.exec_driver_sql("SHOW jit").scalar_one() == "off"


def test_what_a_statement_says_is_wrong_is_not_for_want_of_a_database(engine: sa.Engine) -> None:
    with engine.connect() as conn, pytest.raises(DBAPIError) as met:
        conn.exec_driver_sql("SELECT 1/0")
    assert not database.is_away(met.value)


@pytest.mark.parametrize("limit", ["program_limit_exceeded", "statement_too_complex", "too_many_arguments"])
def test_a_value_that_passes_a_limit_of_the_server_is_wrong_itself(engine: sa.Engine, limit: str) -> None:
    statement = f"DO $$ BEGIN RAISE {limit}; END $$"
    with engine.connect() as conn, pytest.raises(DataError) as met:
        conn.exec_driver_sql(statement)
    assert not database.is_away(met.value)

    async def ask() -> None:
        loop = database.async_engine(engine.url.render_as_string(hide_password=False))
        async with loop.connect() as conn:
            with pytest.raises(DataError):
                await conn.exec_driver_sql(statement)
        await loop.dispose()

    asyncio.run(ask())


def test_the_api_says_in_time_that_its_database_is_silent_and_that_it_is_back(
    url: str, proxy: Proxy, engine: sa.Engine
) -> None:
    with closing(PostgresAppender(engine)) as appender, TestClient(create_app(Settings(), url, appender)) as client:
        assert client.get("/readyz").status_code == 200
        proxy.fault = "half-open"
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
        proxy.fault = None
        wait_for(lambda: client.get("/readyz").status_code == 200, "the API to be ready", 30)


class Engine:
    """An engine that is soon out of patience, and a question."""

    def __init__(self, url: str, idle: float | None = None) -> None:
        self.engine = database.engine(url, patience=SOON, idle=idle)
        self.close = self.engine.dispose

    def ask(self, what: str = "SELECT 1") -> None:
        with self.engine.connect() as conn:
            conn.exec_driver_sql(what)


@pytest.mark.parametrize("when", SILENT)
def test_a_session_is_ended_whose_client_went_silent(when: str, engine: sa.Engine, database_url: str) -> None:
    with closing(Engine(database_url)) as store, ExitStack() as stack:
        left, waiting = (stack.enter_context(store.engine.connect()) for _ in range(2))
        waiting.execute(ONE)
        left.execute(sa.text("CREATE TABLE taken ()"))
        os.write(left.connection.driver_connection.fileno(), SILENT[when])  # type: ignore[union-attr]
        wait_for(lambda: ended(engine) == 1, "the session to be ended")
        store.ask("CREATE TABLE taken ()")
        waiting.execute(ONE)
        with pytest.raises(DBAPIError):
            left.execute(ONE)


def ended(engine: sa.Engine) -> int:
    with engine.begin() as conn:
        return database.end_forgotten(conn, 0.1)


def test_while_the_server_works_something_else_is_done_and_then_its_answer_is_taken(engine: sa.Engine) -> None:
    done = list[int]()

    def little() -> bool:
        done.append(len(done))
        return len(done) < 3

    with engine.connect() as conn, database.occupied(conn, little):
        assert conn.exec_driver_sql("SELECT 7 FROM pg_sleep(0.1)").scalar_one() == 7
        assert conn.exec_driver_sql("SELECT 8 FROM pg_sleep(0.1)").scalar_one() == 8
    assert done == [0, 1, 2]
    with engine.connect() as conn, database.occupied(conn, lambda: True):  # there is always more to do
        assert conn.exec_driver_sql("SELECT 9 FROM pg_sleep(0.1)").scalar_one() == 9
