"""The event log in PostgreSQL where the network or a session falls silent: each says so in time and goes on later."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from threading import Event as Flag

import pytest
import sqlalchemy as sa

from schemas.codec import encode
from services import database
from services.eventlog import EVENTS, Draft, LogUnavailable
from services.eventlog.postgres import PostgresAppender, ensure_topic
from services.eventlog.postgres_reader import PostgresReader
from services.eventlog.sharing import Share
from services.identifiers import Rules
from services.tables import log_heads, log_readers
from services.timeline.measures import Measures
from services.timeline.worker import Worker
from tests.builders import event
from tests.e2e.stacks import wait_for
from tests.faults.proxy import Proxy

SOON = 1.0  # seconds of patience
DRAFT = Draft("key", b"value")


def test_an_append_ends_though_the_server_is_silent_and_the_next_goes_through(
    url: str, proxy: Proxy, engine: sa.Engine
) -> None:
    with closing(PostgresAppender(database.engine(url), timeout=SOON)) as appender:
        appender.append([DRAFT])
        proxy.fault = "half-open"
        for _ in range(2):
            with pytest.raises(LogUnavailable):
                appender.append([DRAFT])
        proxy.fault = None
        wait_for(lambda: appends(appender), "an append to go through", 30)


def test_an_appender_says_that_a_silent_one_keeps_it_out_and_puts_an_end_to_that(engine: sa.Engine) -> None:
    with closing(PostgresAppender(engine, timeout=SOON)) as appender:
        appender.append([DRAFT])
        appender.check()
        with impatient(engine.url.render_as_string(hide_password=False)).connect() as silent:
            driver = silent.connection.driver_connection
            assert driver
            driver.pgconn.enter_pipeline_mode()  # so that it does not say that the statement is all
            driver.pgconn.send_query_params(b"SELECT FROM log_heads FOR UPDATE", None)
            driver.pgconn.flush()
            wait_for(lambda: not appends(appender), "it to be kept out")
            with pytest.raises(LogUnavailable):
                appender.check()
            wait_for(lambda: appends(appender), "an append to go through", 60)
            appender.check()
            silent.invalidate()


def test_a_reader_says_that_a_silent_server_is_away_and_reads_on_later(
    url: str, proxy: Proxy, engine: sa.Engine
) -> None:
    with engine.begin() as conn:
        ensure_topic(conn, EVENTS, 1)
    with closing(PostgresAppender(engine, 1)) as appender, PostgresReader(impatient(url), "tests") as reader:
        appender.append([DRAFT])
        reader.poll(0)
        reader.seek(0, 0)
        proxy.fault = "half-open"
        with pytest.raises(LogUnavailable):
            reader.poll(0)
        proxy.fault = None
        (batch,) = reader.poll(0)
        assert [record.value for record in batch.records] == [DRAFT.value]


def test_a_worker_that_found_its_store_silent_need_not_find_out_about_its_reader_as_well(
    url: str, proxy: Proxy, engine: sa.Engine
) -> None:
    with engine.begin() as conn:
        ensure_topic(conn, EVENTS, 1)
    appender, reader = PostgresAppender(engine, 1), PostgresReader(impatient(url, 4 * SOON), "tests")
    worker, stop = Worker(impatient(url), reader, appender, Rules(), b"secret", Measures()), Flag()
    with closing(appender), reader, ThreadPoolExecutor(1) as thread:
        wait_for(lambda: worker.step() == 0 and reader.assigned()[0], "its partition")
        with engine.begin() as conn:
            conn.exec_driver_sql("LOCK TABLE positions")
            running = thread.submit(worker.run, stop)
            appender.append([Draft("key", encode(event()))])
            wait_for(lambda: kept_waiting(engine), "it to be in the middle of a statement")
            proxy.fault = "half-open"
        proxy.fault = None
        wait_for(lambda: ask(engine, "SELECT count(*) FROM events"), "what came meanwhile to be stored")
        stop.set()
        running.result()
    assert worker.measures.registry.get_sample_value("tellonce_waits_total", {"error": "OperationalError"}) == 1
    assert worker.measures.registry.get_sample_value("tellonce_waits_total", {"error": "LogUnavailable"}) is None


def test_a_reader_that_was_stopped_while_it_showed_life_keeps_nobody_waiting(
    engine: sa.Engine, database_url: str
) -> None:
    mine = {"topic": EVENTS, "group": "tests"}
    with engine.begin() as conn:
        conn.execute(log_readers.insert().values(**mine, reader="0", seen_at=sa.func.now() - sa.text("interval '1 h'")))
    with engine.connect() as stopped:
        stopped.execute(log_readers.update().values(seen_at=log_readers.c.seen_at))
        share = Share(impatient(database_url), *mine.values())
        assert share.refresh([0, 1])
        assert share.held == {0, 1}
        share.leave()


def test_an_appender_finds_partitions_that_were_added(engine: sa.Engine) -> None:
    with closing(PostgresAppender(engine, 1)) as appender:
        appender.append([DRAFT])
        with engine.begin() as conn:
            ensure_topic(conn, EVENTS, 8)

        def spread() -> bool:
            appender.append([Draft(str(number), b"value") for number in range(50)])
            with engine.connect() as conn:
                return len(conn.scalars(sa.select(log_heads.c.partition).where(log_heads.c.position > 0)).all()) == 8

        wait_for(spread, "all partitions to be used", 30)


def ask(engine: sa.Engine, what: str) -> int:
    """One number."""
    with engine.connect() as conn:
        return int(conn.exec_driver_sql(what).scalar_one())


def kept_waiting(engine: sa.Engine) -> int:
    """How many statements wait for a lock."""
    return ask(engine, "SELECT count(*) FROM pg_locks WHERE NOT granted")


def impatient(url: str, seconds: float = SOON) -> sa.Engine:
    """An engine that gives a silent server up soon."""
    return database.engine(url, patience=seconds)


def appends(appender: PostgresAppender) -> bool:
    """Whether it does."""
    with suppress(LogUnavailable):
        appender.append([DRAFT])
        return True
    return False
