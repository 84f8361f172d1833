"""What operators see by metrics: how far behind, how long connections are waited for, how the database is."""

from collections.abc import Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.testclient import TestClient

from schemas.codec import Unreadable, decode
from services import database, pressure
from services.identifiers import Rules
from services.pools import Pools, WatchedPool
from services.timeline.arrivals import Arrival, arrival
from services.timeline.lag import Lag
from services.timeline.measures import Measures
from services.timeline.stitch import Outcome
from tests.builders import START, at, event

NOW = START.timestamp() + 600


def received(*minutes: float) -> list[Arrival]:
    return [arrival(event(received_at=at(minute)), Rules(), b"secret") for minute in minutes]


class Watching:
    """A lag at ten minutes past the start, and what is seen of it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.lag = Lag(self.registry, clock=lambda: NOW)

    def __call__(self, name: str, partition: int = 0) -> float | None:
        return self.registry.get_sample_value(f"tellonce_{name}", {"partition": str(partition)})


def test_who_has_nothing_to_do_is_not_late() -> None:
    watching = Watching()
    watching.lag.behind({0: 0})
    assert (watching("lag_records"), watching("lag_seconds")) == (0, 0)
    assert watching("oldest_unstitched_timestamp_seconds") is None


def test_lag_is_the_age_of_the_batch_at_hand() -> None:
    watching = Watching()
    watching.lag.behind({0: 2})
    assert watching("lag_seconds") is None, "nobody knows yet"
    watching.lag.reading(0, received(2, 3))
    assert watching("lag_seconds") == 480
    assert watching("oldest_unstitched_timestamp_seconds") == at(2).timestamp()


def test_what_waits_came_after_what_is_stitched() -> None:
    watching = Watching()
    watching.lag.behind({0: 7})
    watching.lag.reading(0, received(2, 3))
    assert watching.lag.stitched(0, received(2, 3)) == 480
    assert watching("lag_seconds") == 420
    watching.lag.behind({0: 0})
    assert watching("lag_seconds") == 0


def test_a_partition_that_another_worker_has_is_not_told_of() -> None:
    watching = Watching()
    watching.lag.behind({0: 1, 1: 1})
    watching.lag.reading(0, received(1))
    watching.lag.behind({1: 1})
    assert watching("lag_records") is None
    watching.lag.behind({0: 1})
    assert watching("lag_seconds") is None


def test_a_wait_for_a_connection_is_counted_and_so_is_one_in_vain(database_url: str) -> None:
    registry = CollectorRegistry()
    given = {"poolclass": WatchedPool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 0.05}
    url = sa.make_url(database_url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, **given)
    Pools(registry).watch("reading", engine)

    def seen(name: str) -> float | None:
        return registry.get_sample_value(f"tellonce_pool_{name}", {"pool": "reading"})

    with engine.connect():
        assert (seen("connections_used"), seen("connections_limit")) == (1, 1)
        with pytest.raises(NoConnection):
            engine.connect()
    assert (seen("timeouts_total"), seen("wait_seconds_count"), seen("connections_used")) == (1, 2, 0)
    assert (seen("wait_seconds_sum") or 0) > 0.05
    engine.dispose()


def test_a_pool_goes_on_telling_when_it_was_disposed_of(engine: sa.Engine) -> None:
    registry = CollectorRegistry()
    Pools(registry).watch("one", engine)
    engine.dispose()
    engine.connect().close()
    assert registry.get_sample_value("tellonce_pool_wait_seconds_count", {"pool": "one"}) == 1


def test_pressure_tells_size_connections_and_whose_transaction_is_oldest(engine: sa.Engine, database_url: str) -> None:
    other = database.engine(database_url)
    with engine.connect() as conn, other.connect() as writing:
        before = pressure.look(conn)
        assert before.size > 1_000_000
        assert 2 <= before.connections < before.limit <= 100
        writing.exec_driver_sql("SELECT pg_current_xact_id()")
        mine = writing.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        conn.rollback()
        found = pressure.look(conn)
        assert found.oldest > 0
        assert (found.pid, found.session) == (mine, "tellonce command, idle in transaction")
    other.dispose()


def test_a_worker_tells_of_itself_its_batches_and_its_store(tmp_path: Path) -> None:
    measures = Measures(data=tmp_path)
    measures.batch(Outcome(stored=3, duplicates=2, conflicts=1), ["not_json"], 6, 0.1, 0.4)
    measures.store(pressure.Pressure(1000, 12, 97, 3.5))
    measures.beat.alive()
    told = TestClient(measures.beat.app("It waits.")).get("/metrics").text.splitlines()
    for line in (
        'tellonce_events_total{outcome="stored"} 3.0',
        'tellonce_dead_letters_total{reason="not_json"} 1.0',
        "tellonce_batch_records_sum 6.0",
        "tellonce_delay_seconds_sum 0.4",
        "tellonce_database_connections 12.0",
        "tellonce_database_oldest_transaction_seconds 3.5",
    ):
        assert line in told
    assert begins(told, "process_resident_memory_bytes ", "process_open_fds ", "tellonce_data_free_bytes ")


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"specversion": "9"}', b'{"specversion": "1.0"}'])
def test_why_a_record_is_set_aside_is_told_before_one_is(line: bytes) -> None:
    with pytest.raises(Unreadable) as why:
        decode(line)
    told = Measures().registry.get_sample_value("tellonce_dead_letters_total", {"reason": why.value.reason})
    assert told == 0


def begins(lines: Iterable[str], *starts: str) -> bool:
    return all(any(line.startswith(start) for line in lines) for start in starts)
