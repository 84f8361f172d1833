"""The laws: exactly once, any order, any batching, any repetition, any number of workers; replay gives the same."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from schemas.event import Event
from services.timeline.rebuild import rebuild
from services.timeline.stitch import stitch
from tests.content import content, difference, empty
from tests.property.worlds import RULES, SECRET, events

MANY = 200 if os.environ.get("CI") else 60
pytestmark = pytest.mark.timeout(1200)  # seconds; hundreds of small worlds each
law = settings(
    max_examples=MANY,
    deadline=None,
    derandomize=False,  # Hypothesis would draw the same worlds in each run where CI is set; a failure prints its blob
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=True,
)


def take(engine: sa.Engine, batch: Sequence[Event]) -> None:
    """What a worker does with a batch: again after a deadlock."""
    for _ in range(20):
        try:
            with engine.begin() as conn:
                stitch(conn, batch, RULES, SECRET)
            return
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in ("40001", "40P01"):
                raise
    raise AssertionError("twenty deadlocks in a row")


def batches(happened: Sequence[Event], random: Random) -> Iterator[list[Event]]:
    """The same events in random order and batches, some of them twice."""
    shuffled = [*happened, *random.sample(happened, len(happened) // 3)]
    random.shuffle(shuffled)
    while shuffled:
        size = random.randint(1, len(shuffled))
        yield shuffled[:size]
        shuffled = shuffled[size:]


@law
@given(happened=events, random=st.randoms(use_true_random=False))
def test_any_order_batching_and_repetition_gives_the_same(
    engine: sa.Engine, happened: list[Event], random: Random
) -> None:
    empty(engine)
    take(engine, happened)
    calm = content(engine)
    empty(engine)
    for batch in batches(happened, random):
        take(engine, batch)
    assert not difference(content(engine), calm)


@law
@given(happened=events, random=st.randoms(use_true_random=False))
def test_any_number_of_workers_gives_the_same(engine: sa.Engine, happened: list[Event], random: Random) -> None:
    empty(engine)
    for event in happened:
        take(engine, [event])
    calm = content(engine)
    empty(engine)
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda batch: take(engine, batch), list(batches(happened, random))))
    assert not difference(content(engine), calm)


@law
@given(happened=events)
def test_doing_everything_again_changes_nothing(engine: sa.Engine, happened: list[Event]) -> None:
    empty(engine)
    take(engine, happened)
    before = content(engine)
    take(engine, happened)
    assert not difference(content(engine), before)


@settings(law, max_examples=MANY // 10)
@given(happened=events, random=st.randoms(use_true_random=False))
def test_a_rebuild_gives_the_same(engine: sa.Engine, database_url: str, happened: list[Event], random: Random) -> None:
    empty(engine)
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE deployment SET secret = %s", (SECRET,))
    for batch in batches(happened, random):
        take(engine, batch)
    before = content(engine)
    assert rebuild(database_url, RULES) == len(happened)
    assert not difference(content(engine), before)
