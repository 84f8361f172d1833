"""Which event log the settings mean, and topics made before anybody appends."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from services.errors import Invalid
from services.eventlog import DEAD, EVENTS, Draft
from services.eventlog.kafka import KafkaAppender
from services.eventlog.kafka_reader import KafkaReader
from services.eventlog.opening import ensure_topics, open_appender, open_reader
from services.eventlog.postgres import trim
from services.eventlog.postgres_reader import PostgresReader
from services.settings import Settings
from services.tables import log_heads, log_records
from tests.contract.logs import Work, until


@pytest.fixture
def settings() -> Settings:
    """The default log, with two partitions."""
    return Settings(log_partitions=2)


@pytest.mark.parametrize("log", ["kafka", "kafka://", "postgresql://host/db", "redis://host"])
def test_a_log_that_there_is_not_is_refused_with_what_there_is(database_url: str, log: str) -> None:
    with pytest.raises(Invalid, match=log) as refused:
        open_reader(Settings(log=log), database_url)
    assert "kafka://host:port" in refused.value.hint


def test_a_kafka_that_is_away_is_opened_all_the_same(database_url: str) -> None:
    settings = Settings(log="kafka://127.0.0.1:1,127.0.0.1:2", append_timeout=0.2)
    with closing(open_appender(settings, database_url)) as appender, open_reader(settings, database_url) as reader:
        assert isinstance(appender, KafkaAppender)
        assert isinstance(reader, KafkaReader)


def test_both_topics_are_made_and_never_lose_partitions(
    settings: Settings, database_url: str, engine: sa.Engine
) -> None:
    ensure_topics(settings, database_url)
    ensure_topics(Settings(log_partitions=1), database_url)
    with engine.connect() as conn:
        heads = conn.execute(sa.select(log_heads.c.topic, log_heads.c.partition)).all()
    assert sorted(heads) == [(EVENTS, 0), (EVENTS, 1), (DEAD, 0), (DEAD, 1)]


def test_what_one_opening_appends_the_other_reads(settings: Settings, database_url: str, engine: sa.Engine) -> None:
    with closing(open_appender(settings, database_url)) as appender, open_reader(settings, database_url) as reader:
        appender.append([Draft("a", b"1"), Draft("b", b"2")])
        work = Work(engine, reader)
        until(lambda: len(work.done) == 2, work.step)


def test_a_reader_that_is_never_idle_keeps_no_notice_of_what_it_has_read(
    settings: Settings, database_url: str, engine: sa.Engine
) -> None:
    with closing(open_appender(settings, database_url)) as appender, open_reader(settings, database_url) as reader:
        assert isinstance(reader, PostgresReader)
        appender.append([Draft("a", b"first")])
        work = Work(engine, reader)
        until(lambda: work.done, work.step)
        for _ in range(50):
            appender.append([Draft("a", b"more")])
            assert reader.poll(5)
        with reader._connected() as conn:
            listening = conn.connection.dbapi_connection
            assert isinstance(listening, psycopg.Connection)
            assert len(list(listening.notifies(timeout=0))) < 5


@pytest.fixture
def read_and_unread(settings: Settings, database_url: str, engine: sa.Engine) -> Iterator[None]:
    """Two records that a worker has committed, and then one that it has not."""
    with closing(open_appender(settings, database_url)) as appender:
        with open_reader(settings, database_url) as reader:
            appender.append([Draft("a", b"1"), Draft("a", b"2")])
            work = Work(engine, reader)
            until(lambda: len(work.done) == 2, work.step)
        appender.append([Draft("a", b"3")])
        yield


@pytest.mark.usefixtures("read_and_unread")
@pytest.mark.parametrize(("age", "left"), [(timedelta(hours=1), [b"1", b"2", b"3"]), (-timedelta(hours=1), [b"3"])])
def test_only_what_is_old_and_read_is_trimmed(engine: sa.Engine, age: timedelta, left: list[bytes]) -> None:
    with engine.begin() as conn:
        trimmed = trim(conn, datetime.now(UTC) - age)
        values = conn.scalars(sa.select(log_records.c.value).order_by(log_records.c.position)).all()
    assert (trimmed, values) == (3 - len(left), left)


@pytest.mark.usefixtures("read_and_unread")
def test_the_oldest_are_trimmed_first_some_at_a_time(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        assert [trim(conn, datetime.now(UTC) + timedelta(hours=1), most=1) for _ in range(3)] == [1, 1, 0]
        assert conn.scalars(sa.select(log_records.c.value)).all() == [b"3"]
