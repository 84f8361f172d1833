"""The analyser's loop: it says that it is well, rests for others' sake, and nobody keeps all others waiting."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import pytest
from starlette.testclient import TestClient

from services import database, tables
from services.timeline.analyser import Analyser, resting
from services.timeline.learning import Latest
from tests.analysed import BROKEN, kept, recorded
from tests.builders import event
from tests.e2e.stacks import wait_for
from tests.house import MAIL, House


def test_the_analyser_takes_what_is_marked_and_says_that_it_is_well(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN))
    one, stop = Analyser(house.engine, Latest()), Flag()
    client = TestClient(one.measures.beat.app("The analyser waits for its database."))
    assert client.get("/readyz").status_code == 503
    with ThreadPoolExecutor(1) as crew:
        running = crew.submit(one.run, stop)
        wait_for(lambda: client.get("/readyz").status_code == 200 and kept(house.engine, tables.contacts), "a contact")
        stop.set()
        running.result()
    assert "tellonce_analysed_customers_total 1.0" in client.get("/metrics").text


def test_the_analyser_rests_the_longer_the_longer_events_wait_and_never_for_good() -> None:
    assert [resting(1, behind) for behind in (0, 0.5, 3, 3600)] == [0, 0.5, 3, 9]
    assert resting(30, 3600) == 10


def test_an_analyser_that_rests_says_that_it_is_well(house: House) -> None:
    one = Analyser(house.engine, Latest(), due=0.1)
    client = TestClient(one.measures.beat.app("The analyser waits for its database."))
    one.rest(Flag())
    assert client.get("/readyz").status_code == 200


def test_those_who_together_take_longer_than_a_transaction_may_are_analysed_in_smaller_numbers(house: House) -> None:
    house.happened(*recorded(*(
        event(f"email:c{who}@example.com", text=f"My parcel {one} has not arrived.", minute=one, conversation=f"{one}")
        for who in range(20) for one in range(60)
    )))  # fmt: skip
    hasty = database.engine(house.engine.url.render_as_string(hide_password=False), 1, database.PATIENCE, idle=1)
    one, stop = Analyser(hasty, Latest()), Flag()
    with ThreadPoolExecutor(1) as crew:
        running = crew.submit(one.run, stop)
        try:
            wait_for(lambda: not kept(house.engine, tables.marks), "all to be analysed", 60)
        finally:
            stop.set()
            running.result()
    hasty.dispose()


@pytest.mark.parametrize(("failure", "waiting"), [("numeric_value_out_of_range", 0), ("query_canceled", 1)])
def test_one_whom_the_database_fails_keeps_nobody_waiting(house: House, failure: str, waiting: int) -> None:
    """What is wrong with their values stays so until something new comes; what took too long is tried again."""
    house.happened(event(MAIL, text=BROKEN, source="bad"), event("email:other@example.com", text=BROKEN))
    with house.engine.begin() as conn:
        conn.exec_driver_sql(f"""
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE {failure}; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON contacts FOR EACH ROW WHEN (new.source = 'bad')
            EXECUTE FUNCTION fail()""")
    one, stop = Analyser(house.engine, Latest()), Flag()
    with ThreadPoolExecutor(1) as crew:
        running = crew.submit(one.run, stop)
        try:
            wait_for(lambda: failures(one) and kept(house.engine, tables.contacts), "the other's contact")
            wait_for(lambda: len(kept(house.engine, tables.marks)) == waiting, "what still waits")
            with house.engine.begin() as conn:
                conn.exec_driver_sql("DROP TRIGGER fail ON contacts")
            wait_for(lambda: not kept(house.engine, tables.marks), "all to be analysed")
        finally:
            stop.set()
            running.result()
    assert len(kept(house.engine, tables.contacts)) == 1 + waiting


def failures(one: Analyser) -> float:
    return one.measures.registry.get_sample_value("tellonce_not_analysed_total") or 0


@pytest.mark.parametrize(("days", "left"), [(None, ["old", "unread", "young"]), (2, ["unread", "young"])])
def test_the_log_keeps_all_or_so_many_days_and_what_is_not_on_the_timelines(
    house: House, days: int | None, left: list[str]
) -> None:
    with house.engine.begin() as conn:
        conn.exec_driver_sql("""
            INSERT INTO positions VALUES ('timeline.events', 7, 2, 1);
            INSERT INTO log_records (topic, partition, position, value, appended_at) VALUES
            ('timeline.events', 7, 0, 'old', now() - interval '3 days'), ('timeline.events', 7, 1, 'young', now()),
            ('timeline.events', 7, 2, 'unread', now() - interval '3 days')""")
    one, stop = Analyser(house.engine, Latest(), log_days=days), Flag()
    client = TestClient(one.measures.beat.app("The analyser waits for its database."))
    with ThreadPoolExecutor(1) as crew:
        running = crew.submit(one.run, stop)
        try:
            wait_for(lambda: client.get("/readyz").status_code == 200, "a look at everything")
        finally:
            stop.set()
            running.result()
    assert sorted(row.value.decode() for row in kept(house.engine, tables.log_records)) == left
