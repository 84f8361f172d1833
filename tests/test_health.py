"""What `tellonce status` says of what it finds, and how it counts what is large."""

import json
from contextlib import closing

import pytest
import sqlalchemy as sa

from services import counting, database
from services.eventlog.postgres_reader import PostgresReader
from services.health import LATE, Disk, Health, judge
from services.ingest.mailboxes import Place, remember
from services.pressure import Pressure
from services.settings import Settings
from services.tables import identifiers
from tests.brokers import free_port
from tests.builders import append, event
from tests.terminal import Terminal

GB = 10**9
BUSY = {"lag": {0: 400, 1: 200}, "oldest": LATE + 10, "workers": 2}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"lag": {0: 4}, "workers": 0}, "4 records wait to be stitched, and no worker runs: start one by"),
        ({**BUSY, "lag_change": 12.0}, "for 70 s to be stitched, and 12 records a second come that are not: run more"),
        ({**BUSY, "lag_change": -20.0}, "the workers catch up, and will have in about 30 s"),
        ({**BUSY, "lag_change": 0.0}, "it does not move: see the worker's log"),
        ({"database": Pressure(GB, 88, 97)}, "88 of 97 connections to PostgreSQL are taken: raise `max_connections`"),
        ({"database": Pressure(GB, 3, 97, 70.4, 4711, "psql, idle in transaction")}, "pg_terminate_backend(4711)"),
        ({"database": Pressure(GB, 3, 97, 70.4, None, "prepared transaction x")}, "ROLLBACK PREPARED"),
        ({"disk": Disk(3 * GB, 500 * GB)}, "The disk of the data folder has 3.0 GB left of 500.0 GB"),
        ({"disk": Disk(GB // 2, 20 * GB)}, "500.0 MB left of 20.0 GB"),
    ],
)
def test_what_is_wrong_is_red_and_says_what_to_do(found: dict[str, object], words: str) -> None:
    health = Health("postgres", **found)  # type: ignore[arg-type]
    judge(health)
    (red,) = health.red
    assert words in red


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            {"dead_letters": {"not_json": 2, "unstorable": 1}},
            "3 records were set aside: see why by `tellonce dead list`",
        ),
        ({"conflicts": 9, "conflicts_today": 2}, "2 times in the last day a source sent other content"),
        ({"database": Pressure(GB, 75, 97)}, "75 of 97 connections to PostgreSQL are taken."),
    ],
)
def test_what_should_be_looked_at_is_a_warning(found: dict[str, object], words: str) -> None:
    health = Health("postgres", **found)  # type: ignore[arg-type]
    judge(health)
    assert (health.red, len(health.warnings)) == ([], 1)
    assert words in health.warnings[0]


def test_nothing_is_said_where_all_is_well() -> None:
    small = Health("postgres", disk=Disk(3 * GB, 20 * GB), conflicts=5)
    busy = Health("postgres", lag={0: 900}, oldest=1.5, workers=1, lag_change=40.0, database=Pressure(GB, 40, 97, 0.2))
    for health in (small, busy):
        judge(health)
        assert (health.red, health.warnings) == ([], [])


def test_a_session_that_holds_back_the_live_streams_is_named(tellonce: Terminal, database_url: str) -> None:
    other = database.engine(database_url)
    with other.connect() as forgotten:
        forgotten.exec_driver_sql("SELECT pg_current_xact_id()")
        said = json.loads(tellonce("status", "--json").out)
        assert said["database"]["oldest"] > 0
        assert said["database"]["pid"] == forgotten.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    other.dispose()


def test_workers_are_seen_by_their_sign_of_life(tellonce: Terminal, engine: sa.Engine, database_url: str) -> None:
    append(engine, event())
    with closing(PostgresReader(database.engine(database_url), Settings().group)) as reader:
        reader.poll(0)
        said = json.loads(tellonce("status", "--json").out)
    assert said["workers"] == 1
    assert said["lag_change"] == 0
    assert "workers" in tellonce("status").out


def test_what_is_few_is_counted_and_what_is_many_estimated(engine: sa.Engine) -> None:
    fill = """INSERT INTO identifiers (id, type, scope, value, verification, first_at, first_key, customer_id)
        SELECT id, CASE WHEN mod(n, 10) = 0 THEN 'conversation' ELSE 'email' END, '', n::text, 'claimed', now(), id,
            CASE WHEN mod(n, 3) = 0 THEN md5('0')::uuid ELSE id END
        FROM generate_series(1, %s) n, LATERAL (SELECT md5(n::text)::uuid AS id) one"""
    with engine.begin() as conn:
        conn.exec_driver_sql(fill, (3000,))
        assert counting.customers(conn) == (1800, True)
        assert counting.rows(conn, identifiers) == (3000, True)
        conn.exec_driver_sql("TRUNCATE identifiers")
        conn.exec_driver_sql(fill, (2 * counting.FEW,))
        whole, customers = counting.rows(conn, identifiers), counting.customers(conn)
    assert (whole.exact, customers.exact) == (False, False)
    assert whole.number == pytest.approx(2 * counting.FEW, rel=0.5)
    assert customers.number / whole.number == pytest.approx(0.6, rel=0.1)


def test_status_says_when_a_mailbox_was_looked_at_and_whether_mails_are_taken_in(
    tellonce: Terminal, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as conn:
        remember(conn, "help@shop.example@imap.example/INBOX", Place(1, 7))
    assert "help@shop.example@imap.example/INBOX (looked at 0 s ago)" in " ".join(tellonce("status").out.split())
    monkeypatch.setenv("TELLONCE_MAIL_PORT", str(free_port()))
    ended = tellonce("status", "--json")
    assert (ended.code, json.loads(ended.out)["mail"]) == (1, "not ready")
    assert "The mail listener is not ready" in ended.out
