"""Two transactions at once do the same as one after the other: the second begins before the first has committed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from schemas.event import Event
from services import embedded
from services.identifiers import Key, Rules, identifier_id
from services.timeline.bulk import uuids
from services.timeline.parts import hold
from services.timeline.rebuild import rebuild
from services.timeline.stitch import stitch
from tests.builders import event
from tests.content import customers
from tests.test_orders import decided

SECRET = b"secret"


def take(conn: sa.Connection, *events: Event) -> None:
    stitch(conn, events, Rules(), SECRET)


def overlapping(
    engine: sa.Engine, first: Callable[[sa.Connection], None], second: Callable[[sa.Connection], None]
) -> None:
    """Both in a transaction of their own; the first commits once the second is ready to, or waits for it."""

    def transaction() -> None:
        with engine.begin() as conn:
            second(conn)

    with ThreadPoolExecutor(1) as other, engine.begin() as conn:
        first(conn)
        result = other.submit(transaction)
        _until_it_waits(engine, result)
        conn.commit()
        result.result()


def _until_it_waits(engine: sa.Engine, result: Future[None]) -> None:
    query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = monotonic() + 60
    with engine.connect() as conn:
        while not result.done() and not conn.exec_driver_sql(query).all():
            assert monotonic() < deadline
            conn.rollback()


@pytest.mark.parametrize("turn", [1, -1])
def test_two_accounts_become_one_while_the_third_is_taken_apart(engine: sa.Engine, turn: int) -> None:
    with engine.begin() as conn:
        take(conn, *(event(f"account:A{n}", "device:d1", minute=n) for n in (1, 2, 3)))
    merged = decided("customer.merged", 4, "account:A1", "account:A2")
    apart = decided("customer.unmerged", 5, "account:A3", "device:d1")
    overlapping(engine, *(lambda conn, one=one: take(conn, one) for one in [merged, apart][::turn]))
    assert customers(engine) == {frozenset({"account:A1", "account:A2", "device:d1"}), frozenset({"account:A3"})}


def test_whoever_waits_for_a_customer_holds_also_whom_it_has_become(engine: sa.Engine) -> None:
    held = set[bytes]()
    email, phone = (identifier_id(Key(*key), SECRET) for key in [("email", "", "a@x.ee"), ("phone", "", "+3725551234")])
    with engine.begin() as conn:
        take(conn, event("email:a@x.ee", minute=1), event("email:a@x.ee", "phone:+3725551234", minute=2))
    apart = decided("customer.unmerged", 3, "email:a@x.ee", "phone:+3725551234")

    def holding(conn: sa.Connection) -> None:
        assert hold(conn, [phone], held)
        with engine.begin() as third, pytest.raises(OperationalError, match="could not obtain lock"):
            third.exec_driver_sql("SELECT FROM identifiers WHERE id = ANY(%s) FOR UPDATE NOWAIT", (uuids([phone]),))

    overlapping(engine, lambda conn: take(conn, apart), holding)
    assert held == {email, phone}


def test_a_rebuild_that_meets_somebody_who_reads_in_another_order_waits_for_them(
    engine: sa.Engine, database_url: str, postgres: embedded.Server
) -> None:
    """Who reads has all the patience, so it is the rebuild that is told of the deadlock."""
    with engine.begin() as conn:
        take(conn, event("email:a@x.ee"), event("email:b@x.ee"))
    name = str(engine.url.database)
    with (
        ThreadPoolExecutor(1) as other,
        psycopg.connect(psycopg.conninfo.make_conninfo(postgres.superuser_url, dbname=name)) as reader,
    ):
        reader.execute("SET deadlock_timeout = '1h'")
        reader.execute("SELECT FROM identifiers")
        rebuilding = other.submit(rebuild, database_url, Rules())
        _until_it_waits(engine, rebuilding)
        assert len(reader.execute("SELECT FROM events").fetchall()) == 2
        reader.commit()
        assert rebuilding.result() == 2
