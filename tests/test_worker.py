"""The worker on a real log: exactly once, bad records aside, and when it stops."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from threading import Event as Flag
from threading import Thread
from time import monotonic

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from starlette.testclient import TestClient

from schemas.codec import encode
from schemas.event import Event
from services import embedded
from services.eventlog import DEAD, EVENTS, Batch, Draft, LogUnavailable, Record
from services.eventlog.positions import claim
from services.eventlog.postgres import PostgresAppender, ensure_topic, waited
from services.eventlog.postgres_reader import PostgresReader
from services.identifiers import Rules, keys
from services.timeline.deadletters import DeadLetters, TooManyDead
from services.timeline.measures import Measures
from services.timeline.transactions import Transactions
from services.timeline.worker import FEW, PORTION, REST, Worker, portion, rest
from tests.builders import event

RULES = Rules()
LONG = Random(1).randbytes(4000).hex()  # more than an index takes, however it is compressed


@pytest.fixture
def appender(engine: sa.Engine) -> Iterator[PostgresAppender]:
    with engine.begin() as conn:
        for topic in (EVENTS, DEAD):
            ensure_topic(conn, topic, 2)
    with closing(PostgresAppender(engine, 2)) as appender:
        yield appender


def worker(engine: sa.Engine, appender: PostgresAppender, **options: object) -> Worker:
    reader = PostgresReader(engine, "tests")
    return Worker(engine, reader, appender, RULES, b"secret", Measures(), **options)  # type: ignore[arg-type]


def post(appender: PostgresAppender, *events: Event) -> None:
    appender.append([Draft(str(keys(one, RULES)[0]), encode(one)) for one in events])


def work(one: Worker, records: int) -> None:
    """Let a worker take so many records."""
    deadline = monotonic() + 20
    while records > 0:
        assert monotonic() < deadline, f"{records} records did not come"
        records -= one.step(0.2)


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as conn:
        return int(conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_what_is_in_the_log_comes_onto_the_timeline_once(engine: sa.Engine, appender: PostgresAppender) -> None:
    first, second = event("email:a@x.ee"), event("phone:+37251234567")
    post(appender, first, second, first)
    one = worker(engine, appender)
    with one.reader:
        work(one, 3)
    assert count(engine, "events") == 2
    assert count(engine, "conflicts") == 0


def test_for_how_long_events_have_waited_is_seen_until_they_are_stitched(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    post(appender, event("email:a@x.ee"))
    one = worker(engine, appender)
    with one.reader:
        work(one, 1)
        assert seconds(engine) == 0
        post(appender, event("email:a@x.ee"), event("email:a@x.ee"))
        assert 0 < seconds(engine) < 20
        work(one, 2)
        assert seconds(engine) == 0


def seconds(engine: sa.Engine) -> float:
    with engine.connect() as conn:
        return waited(conn)


def test_an_unreadable_record_is_set_aside_once_and_those_around_it_go_through(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    good = [event("email:a@x.ee"), event("email:a@x.ee")]
    key = "email:a@x.ee"
    appender.append([Draft(key, encode(good[0])), Draft(key, b"\xff\x00 not an event"), Draft(key, encode(good[1]))])
    one = worker(engine, appender)
    with one.reader:
        work(one, 3)
    with engine.begin() as conn:
        (letter,) = conn.exec_driver_sql("SELECT reason, record FROM dead_letters").all()
        assert (letter.reason, bytes(letter.record)) == ("not_json", b"\xff\x00 not an event")
        assert conn.exec_driver_sql("SELECT count(*) FROM log_records WHERE topic = %s", (DEAD,)).scalar_one() == 1
        conn.exec_driver_sql("UPDATE positions SET position = 0")  # all is delivered again
    again = worker(engine, appender)
    with again.reader:
        work(again, 3)
    assert (count(engine, "events"), count(engine, "dead_letters")) == (2, 1)


def test_records_with_values_that_nobody_foresaw_are_set_aside_and_those_around_them_go_through(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    odd = event(source="tellonce", type="note.from.the.future", data={"about": {"type": 1, "scope": [], "value": {}}})
    pair = {end: {"type": "phone", "scope": "", "value": end} for end in ("left", "right")}
    ends = event(type="page.viewed", channel="web", occurred_at=datetime.max.replace(tzinfo=UTC))
    merge = event(source="tellonce", type="customer.merged", data=pair)
    long = event(source="tellonce", type="note.written", data={"about": {**pair["left"], "value": LONG}})
    named = event(type="customer.identified", data={"traits": {"name": LONG}})
    good = [event("email:a@x.ee") for _ in range(20)]
    appender.append([Draft("one", encode(each)) for each in (*good[:10], odd, ends, merge, long, named, *good[10:])])
    one = worker(engine, appender)
    with one.reader:
        work(one, 25)
    with engine.connect() as conn:
        letters = conn.exec_driver_sql("SELECT reason, record FROM dead_letters ORDER BY position").all()
        assert [(letter.reason, bytes(letter.record)) for letter in letters] == [
            ("unstorable", encode(bad)) for bad in (odd, long)
        ]
    assert count(engine, "events") == 23


def test_of_a_record_of_several_events_only_the_bad_lines_are_set_aside(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    """Lines that can't be read, and one that the database refuses."""
    key, good, refused = "email:a@x.ee", [event("email:a@x.ee") for _ in range(2)], event("email:a@x.ee", id="refused")
    with engine.begin() as conn:
        conn.exec_driver_sql("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF new.event_id = 'refused' THEN RAISE data_exception; END IF; RETURN new; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()""")
    lines = [encode(good[0]), b"not JSON", encode(refused), encode(good[1]), b"{}"]
    appender.append([Draft(key, line, True) for line in lines])
    one = worker(engine, appender)
    with one.reader:
        work(one, 1)
    with engine.connect() as conn:
        assert {row.id for row in conn.exec_driver_sql("SELECT event_id AS id FROM events")} == {
            event.id for event in good
        }
        (letter,) = conn.exec_driver_sql("SELECT reason, record FROM dead_letters").all()
    assert letter.reason == "not_json"
    assert sorted(bytes(letter.record).split(b"\n")) == sorted([b"not JSON", encode(refused), b"{}"])


def test_a_transaction_that_is_made_again_loses_nothing_of_what_was_decoded_meanwhile(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    with engine.begin() as conn:
        conn.exec_driver_sql("""
            CREATE SEQUENCE tries;
            CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN
                IF nextval('tries') = 1 THEN PERFORM pg_sleep(0.3); RAISE deadlock_detected; END IF;
                RETURN new;
            END $$;
            CREATE TRIGGER fail_once BEFORE INSERT ON events EXECUTE FUNCTION fail_once()""")
    post(appender, *(event("email:a@x.ee", text="My parcel " * 5_000) for _ in range(2 * PORTION // 50_000)))
    one = worker(engine, appender)
    with one.reader:
        work(one, 2 * PORTION // 50_000)
    assert count(engine, "events") == 2 * PORTION // 50_000
    assert one.measures.registry.get_sample_value("tellonce_retries_total") == 1


def test_what_could_not_be_planned_is_found_by_halves(engine: sa.Engine, appender: PostgresAppender) -> None:
    """A mistake of ours in planning, which is done while what came before is stored."""
    measures = Measures()
    dead = DeadLetters(appender, share=0.5, window=100)
    transactions = Transactions(engine, RULES, b"secret", dead, measures)
    with engine.begin() as conn:
        claims = {0: claim(conn, "log", 0)}
    records = [Record(0, at, encode(event("email:a@x.ee"))) for at in range(3)]
    taken = transactions.take("log", [Batch(0, 0, 3, records)], claims).whole()
    transactions.store(replace(taken, plan=None))
    assert count(engine, "events") == 3
    assert measures.registry.get_sample_value("tellonce_events_total", {"outcome": "stored"}) == 3


def test_a_flood_of_unreadable_records_stops_the_worker_and_sets_nothing_aside(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    appender.append([Draft("key", b"from a bad deploy")] * 11)
    one = worker(engine, appender, dead_share=0.1, dead_window=100)
    with one.reader, pytest.raises(TooManyDead, match="can't be read"):
        one.run(Flag())
    assert count(engine, "dead_letters") == 0


def test_a_worker_that_lost_its_partitions_writes_nothing_and_the_other_goes_on(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    slow, other = worker(engine, appender), worker(engine, appender)
    with slow.reader:
        post(appender, event("email:a@x.ee"))
        work(slow, 1)
        with engine.begin() as conn:  # somebody else claimed while this one was stopped
            conn.exec_driver_sql("UPDATE positions SET generation = generation + 1")
        post(appender, event("email:a@x.ee"))
        stop = Flag()
        with pytest.raises(Exception, match="claimed by another"):
            work(slow, 1)
        assert count(engine, "events") == 1
    with other.reader:
        running = Thread(target=other.run, args=[stop])
        running.start()
        wait_for(lambda: count(engine, "events") == 2)
        stop.set()
        running.join()


def test_a_database_that_is_away_is_waited_for(
    engine: sa.Engine, appender: PostgresAppender, postgres: embedded.Server
) -> None:
    stop, one = Flag(), worker(engine, appender)
    with one.reader:
        running = Thread(target=one.run, args=[stop])
        running.start()
        post(appender, event("email:a@x.ee"))
        wait_for(lambda: count(engine, "events") == 1)
        with psycopg.connect(postgres.superuser_url, autocommit=True) as conn:
            name = str(engine.url.database)
            conn.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
            with pytest.raises(LogUnavailable):
                post(appender, event("email:a@x.ee"))
            conn.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
        engine.dispose()
        post(appender, event("email:a@x.ee"))
        wait_for(lambda: count(engine, "events") == 2)
        stop.set()
        running.join()
    assert count(engine, "dead_letters") == 0


class Silent(PostgresReader):
    """A log that may fall silent: nothing more is read, as if there were nothing, and no question is answered."""

    silent = False

    def poll(self, timeout: float) -> list[Batch]:
        return [] if self.silent else super().poll(timeout)

    def ends(self) -> dict[int, int]:
        if self.silent:
            raise LogUnavailable("no answer")
        return super().ends()


def test_a_worker_whose_log_is_silent_is_not_ready_and_stays_so_until_it_answers(
    engine: sa.Engine, appender: PostgresAppender
) -> None:
    stop, reader = Flag(), Silent(engine, "tests")
    one = Worker(engine, reader, appender, RULES, b"secret", Measures())
    client = TestClient(one.measures.beat.app("The worker waits for its database or log."))

    def status() -> int:
        return int(client.get("/readyz").status_code)

    with reader, ThreadPoolExecutor(1) as thread:
        running = thread.submit(one.run, stop)
        try:
            wait_for(lambda: status() == 200)
            reader.silent = True
            wait_for(lambda: status() == 503)
            assert {status() for _ in range(300)} == {503}
            reader.silent = False
            wait_for(lambda: status() == 200)
        finally:
            stop.set()
        running.result()


def batch(partition: int, first: int, *sizes: int) -> Batch:
    records = [Record(partition, first + place, bytes(size)) for place, size in enumerate(sizes)]
    return Batch(partition, first, first + len(sizes), records)


def test_a_transaction_takes_so_many_bytes_and_the_rest_later() -> None:
    ahead = deque([batch(0, 10, 3, 3, 3), batch(1, 0), batch(2, 5, 4)])
    portions = [portion(ahead, 5) for _ in range(3)]
    assert portions == [[batch(0, 10, 3, 3)], [batch(0, 12, 3), batch(1, 0), batch(2, 5, 4)], []]


def wait_for(condition: object, seconds: float = 30) -> None:
    """Poll until a condition holds."""
    deadline, pause = monotonic() + seconds, Flag()
    while not condition():  # type: ignore[operator]
        assert monotonic() < deadline, "it did not come about"
        pause.wait(0.05)


def test_the_less_there_was_the_longer_it_waits_for_more() -> None:
    assert [rest(size) for size in (0, FEW // 2, FEW, 10 * FEW)] == [REST, REST / 2, 0, 0]
