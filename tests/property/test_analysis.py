"""Analyse keeps the same whatever the order, beside whomever; figures are a recount of what they are of."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.event import Event
from services import tables
from tests.analysed import AGAIN, BROKEN, HOUR, added_up, analysed, found, recorded, recounted
from tests.builders import event
from tests.content import empty
from tests.house import MAIL, PHONE
from tests.property.test_laws import batches, law, take

texts = st.sampled_from([BROKEN, AGAIN, "Any news?", "Thank you!", "I want to cancel it", "Order 7731 is late", None])
named = st.sampled_from([
    (MAIL,), (PHONE,), (MAIL, PHONE), ("device:d1",), ("device:d1", MAIL), ("account:A1", PHONE), ("account:A2", PHONE),
])  # fmt: skip
times = st.one_of(st.integers(0, 40 * 24 * HOUR), st.sampled_from([0, 20, 40, 60, 90]))  # far apart, or one visit
told = st.lists(st.tuples(texts, times, named, st.sampled_from(["c1", "c2", "visit"])), max_size=8)
Told = list[tuple[str | None, int, tuple[str, ...], str]]


@law
@given(told=told, random=st.randoms(use_true_random=False))
def test_any_order_and_batching_gives_the_same_and_figures_are_a_recount(
    engine: sa.Engine, told: Told, random: Random
) -> None:
    happened, kept_then = dealings(told), []
    for _ in range(2):
        forget(engine)
        for batch in batches(happened, random):
            take(engine, batch)
            if random.random() < 0.5:
                analysed(engine)
        analysed(engine)
        kept_then.append(found(engine))
        assert recounted(engine) == added_up(engine)
    assert kept_then[0] == kept_then[1]


@settings(law, max_examples=30)
@given(told=told, random=st.randoms(use_true_random=False))
def test_several_analysers_beside_workers_find_the_same(
    engine: sa.Engine, told: Told, random: Random
) -> None:
    happened = dealings(told)
    forget(engine)
    take(engine, happened)
    analysed(engine)
    calm = found(engine)
    forget(engine)
    with ThreadPoolExecutor(6) as crew:
        work = [partial(take, engine, batch) for batch in batches(happened, random)] + 3 * [partial(analysed, engine)]
        random.shuffle(work)
        for done in [crew.submit(one) for one in work]:
            done.result()
    analysed(engine)
    assert found(engine) == calm
    assert recounted(engine) == added_up(engine)


def forget(engine: sa.Engine) -> None:
    empty(engine)
    with engine.begin() as conn:
        for table in (tables.issues, tables.contacts, tables.repeats, tables.facts, tables.figures):
            conn.execute(sa.delete(table))


def dealings(told: Told) -> list[Event]:
    """What was drawn, as events: mails, and on the site forms and pages."""
    return recorded(*(
        event(*whom, text=text, minute=minute, id=str(number), **(
            dict(type="form.submitted" if text else "page.viewed", channel="web") if where == "visit"
            else dict(conversation=where)
        ))
        for number, (text, minute, whom, where) in enumerate(told)
    ))  # fmt: skip
