"""Analyse: what is kept of marked customers, and the figures over all of them."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from random import Random
from threading import Event as Flag
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from schemas.event import Author, Direction, Event, Role
from services import tables
from services.counts import COUNTS
from services.timeline.analyser import Analyser
from services.timeline.analysis import analyse
from services.timeline.learning import Latest, is_due, labels, learn
from services.timeline.rebuild import rebuild
from services.timeline.tally import Contact, Repeat, bucket, tally
from tests.builders import event
from tests.content import empty
from tests.e2e.stacks import wait_for
from tests.house import MAIL, PHONE, SETTINGS, House
from tests.property.test_laws import batches, law, take

DAY = date(2026, 11, 27)
BROKEN = "My router keeps dropping the connection every evening, order 48213."
AGAIN = "The router drops the connection each evening, as I told your colleague."
HOUR = 60


def analysed(engine: sa.Engine, today: date = DAY) -> None:
    """Analyse until nothing is marked, again after a deadlock."""
    marked: Sequence[Any] = [None]
    latest = Latest()
    while marked:
        try:
            with engine.begin() as conn:
                marked = analyse(conn, latest, today).marked
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != "40P01":
                raise


def kept(engine: sa.Engine, table: sa.Table) -> list[Any]:
    with engine.connect() as conn:
        return sorted(conn.execute(sa.select(table)).all())


def figures(engine: sa.Engine, cut: str = "all") -> dict[str, int]:
    """The sums of one cut that are not zero."""
    sums = [sa.func.sum(tables.figures.c[name]).label(name) for name in COUNTS]
    with engine.connect() as conn:
        row = conn.execute(sa.select(*sums).where(tables.figures.c.cut == cut)).one()
    return {name: count for name, count in row._mapping.items() if count}


def recorded(*happened: Event) -> list[Event]:
    """As if they were accepted when they happened."""
    return [one.model_copy(update={"received_at": one.occurred_at}) for one in happened]


def both(minute: float = 0) -> Event:
    return event(MAIL, PHONE, minute=minute, type="page.viewed", channel="web", text=None)


def called(text: str, minute: float, **changes: Any) -> list[Event]:
    """A call in which the customer says this, taken by Liis of billing."""
    call = dict(channel="phone", source="calls", conversation=f"call {minute}")
    return [
        event(PHONE, text=None, minute=minute - 1, type="call.started", **call,
              data={"queue": "billing", "agent": "Liis", "team": "north"}),
        event(PHONE, text=text, minute=minute, type="call.turn", **call, **changes),
    ]  # fmt: skip


def test_what_was_told_again_is_kept_with_who_dealt_with_it_and_counted(house: House) -> None:
    house.happened(*recorded(both(), event(MAIL, text=BROKEN), *called(AGAIN, 26 * HOUR)))
    analysed(house.engine)
    [issue] = kept(house.engine, tables.issues)
    assert (issue.title, issue.state, issue.channels) == (BROKEN, "open", ["email", "phone"])
    mail, call = sorted(kept(house.engine, tables.contacts), key=lambda one: one.at)
    assert (mail.channel, mail.queue, call.channel) == ("email", "", "phone")
    assert (call.source, call.queue, call.team, call.agent) == ("calls", "billing", "north", "Liis")
    again = kept(house.engine, tables.repeats)
    assert [(one.window, one.explained, one.evidence, one.context) for one in again] == [
        (days, True, "told", "unshown") for days in (7, 14, 30)
    ]
    counted = {f"{what}_{days}": 1 for what in ("back", "unshown") for days in (7, 14, 30)}
    assert figures(house.engine) == {"contacts": 2, **counted}
    assert figures(house.engine, "agent") == {"contacts": 1, **counted}
    assert figures(house.engine, "handover") == counted


def test_only_the_window_that_reaches_back_counts(house: House) -> None:
    house.happened(*recorded(both(), event(MAIL, text=BROKEN), *called(AGAIN, 10 * 24 * HOUR)))
    analysed(house.engine)
    assert {"back_7", "back_14", "back_30"} & figures(house.engine).keys() == {"back_14", "back_30"}


def test_a_merge_makes_figures_what_they_are_for_one_customer_and_its_undoing_takes_that_back(house: House) -> None:
    house.happened(*recorded(event(MAIL, text=BROKEN), *called(AGAIN, 26 * HOUR)))
    analysed(house.engine)
    apart = figures(house.engine)
    assert apart == {"contacts": 2}
    house.post(f"/v1/customers/{house.id(MAIL)}/merge", {"with": house.id(PHONE)})
    analysed(house.engine)
    assert figures(house.engine)["back_14"] == figures(house.engine)["unlinked_14"] == 1
    other = house.get(f"/v1/customers/{house.id(MAIL)}")["identifiers"][1]
    house.post(f"/v1/customers/{house.id(MAIL)}/unmerge", {"identifiers": [{"id": other["id"]}]})
    analysed(house.engine)
    assert figures(house.engine) == apart


def test_visits_that_turn_out_to_be_one_are_one_contact(house: House) -> None:
    asked = dict(type="form.submitted", channel="web")
    house.happened(event("device:d-1", text=BROKEN, **asked), event("device:d-1", text=BROKEN, minute=40, **asked))
    analysed(house.engine)
    assert figures(house.engine)["contacts"] == 2
    house.happened(event("device:d-1", text=None, minute=20, type="page.viewed", channel="web"))
    analysed(house.engine)
    assert figures(house.engine)["contacts"] == 1


def test_an_agents_word_is_analysed(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN, id="one"), event(MAIL, text="My invoice is wrong.", minute=9, id="two"))
    analysed(house.engine)
    assert len(kept(house.engine, tables.issues)) == 2
    names = [{"source": "shop", "event": name} for name in ("one", "two")]
    answer = house.post(f"/v1/customers/{house.id(MAIL)}/issues/join", {"passages": names[1:], "with": names[0]})
    assert answer.status_code == 200, answer.text
    analysed(house.engine)
    assert len(kept(house.engine, tables.issues)) == 1


def test_whose_contact_is_not_known_counts_as_blind(house: House) -> None:
    form = dict(type="form.submitted", channel="web", text="The page does not load my basket at all.")
    house.happened(event("device:d-1", **form), event(MAIL, text=BROKEN))
    analysed(house.engine)
    assert figures(house.engine) == {"contacts": 2, "blind": 1}


def test_dealings_of_a_shared_phone_are_contacts_of_nobody(house: House) -> None:
    house.happened(event("account:A-1", PHONE, text=BROKEN), event("account:B-1", PHONE, text=BROKEN, minute=HOUR))
    house.happened(*called(BROKEN, 2 * HOUR), *called(BROKEN, 30 * HOUR))
    analysed(house.engine)
    assert figures(house.engine) == {"contacts": 4, "blind": 2}


def test_a_phone_that_turns_out_to_be_shared_makes_its_dealings_those_of_nobody(house: House) -> None:
    house.happened(*recorded(*called(BROKEN, 2 * HOUR), *called(AGAIN, 30 * HOUR)))
    analysed(house.engine)
    assert figures(house.engine)["back_7"] == 1
    seen = dict(type="page.viewed", channel="web", text=None)
    house.happened(event("account:A-1", PHONE, minute=0, **seen), event("account:B-1", PHONE, minute=1, **seen))
    analysed(house.engine)
    assert figures(house.engine) == {"contacts": 2, "blind": 2}


def test_how_they_liked_it_stands_at_the_contact(house: House) -> None:
    asked = dict(type="feedback.received", channel="phone", source="calls", conversation=f"call {26 * HOUR}")
    house.happened(both(), event(MAIL, text=BROKEN), *called(AGAIN, 26 * HOUR))
    house.happened(event(PHONE, text=None, minute=27 * HOUR, data={"kind": "csat", "score": 2}, **asked))
    analysed(house.engine)
    assert sorted((one.channel, one.csat) for one in kept(house.engine, tables.contacts)) == [
        ("email", None), ("phone", 25.0),
    ]  # fmt: skip


def test_what_was_asked_though_it_was_on_record_is_counted_by_its_kind(house: House) -> None:
    ours = dict(type="message.sent", channel="chat", direction=Direction.outbound, conversation="c1")
    house.happened(
        event(MAIL, text=BROKEN),
        event(MAIL, text="What is your order number?", minute=26 * HOUR, author=Author(role=Role.agent), **ours),
        event(MAIL, text="My router keeps dropping it every evening.", minute=26 * HOUR + 1, conversation="c1"),
    )
    analysed(house.engine)
    assert [one.label for one in kept(house.engine, tables.figures) if one.cut == "asked"] == ["order"]


def test_what_became_known_later_is_told_by_its_day(house: House) -> None:
    house.happened(*recorded(both(), event(MAIL, text=BROKEN)))
    analysed(house.engine, date(2026, 11, 1))
    house.happened(*recorded(*called(AGAIN, 26 * HOUR)))
    analysed(house.engine, date(2026, 11, 2))
    rows = [one for one in kept(house.engine, tables.figures) if one.cut == "all"]
    assert {(one.known_on.day, one.channel): one.contacts for one in rows} == {(1, "email"): 1, (2, "phone"): 1}


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


def test_one_whose_texts_can_not_be_analysed_keeps_nobody_waiting(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN), event("email:other@example.com", text=BROKEN))
    with house.engine.begin() as conn:  # as no event could be that was accepted
        conn.exec_driver_sql("UPDATE events SET event = '{}' WHERE event->>'subject' IS NULL AND event_id = ("
                             "SELECT min(event_id) FROM events)")  # fmt: skip
    analysed(house.engine)
    assert len(kept(house.engine, tables.contacts)) == 1


def test_what_is_learned_is_known_to_whoever_looks_and_all_is_found_by_it_anew(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN), event(MAIL, text=AGAIN, minute=26 * HOUR))
    analysed(house.engine)
    latest = Latest()
    with house.engine.begin() as conn:
        before = latest.of(conn).similarity.rarities["en"].texts
        assert not is_due(conn)
        assert learn(conn) == 2
    with house.engine.connect() as conn:
        assert latest.of(conn).similarity.rarities["en"].texts == before + 2
    assert len(kept(house.engine, tables.marks)) == 1
    analysed(house.engine)
    assert figures(house.engine)["back_7"] == 1


def test_what_people_come_about_is_learned_and_contacts_are_counted_by_it(house: House) -> None:
    parcel, money = "My parcel has still not arrived.", "You charged my card twice, I want the money back."
    for number in range(40):
        house.happened(event(f"email:c{number}@example.com", text=(parcel, money)[number % 2] + f" {number} days."))
    analysed(house.engine)
    with house.engine.begin() as conn:
        learn(conn)
    analysed(house.engine)
    with house.engine.connect() as conn:
        called = labels(conn)
    groups = Counter(called.get(one.group_id) for one in kept(house.engine, tables.contacts))
    assert sorted(groups.values()) == [20, 20]
    assert all(any(word in (label or "") for word in ("parcel", "money", "card", "charged")) for label in groups)
    assert figures(house.engine, "group") == {"contacts": 40}


@pytest.mark.parametrize(("hours", "place"), [(1, 0), (2, 2), (1.5, 1), (0, -12), (720, 18)])
def test_times_between_fall_into_buckets_of_half_an_octave(hours: float, place: int) -> None:
    assert bucket(hours) == place


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


def test_peoples_words_survive_a_rebuild_and_so_do_figures_as_they_were_known(
    house: House, database_url: str
) -> None:
    house.happened(event(MAIL, text=BROKEN, id="one"), event(MAIL, text="My invoice is wrong.", minute=9, id="two"))
    names = [{"source": "shop", "event": name} for name in ("one", "two")]
    house.post(f"/v1/customers/{house.id(MAIL)}/issues/join", {"passages": names[1:], "with": names[0]})
    analysed(house.engine, date(2026, 11, 1))
    before, sums = found(house.engine), kept(house.engine, tables.figures)
    rebuild(database_url, SETTINGS.rules())
    analysed(house.engine, date(2026, 11, 9))
    assert len(before[0]) == 1
    assert (found(house.engine), kept(house.engine, tables.figures)) == (before, sums)


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


def found(engine: sa.Engine) -> list[list[Any]]:
    """All that is kept but figures."""
    return [kept(engine, table) for table in (tables.issues, tables.contacts, tables.repeats, tables.facts)]


def recounted(engine: sa.Engine) -> dict[Any, list[int]]:
    """Figures from the rows that they are of."""
    contacts = [Contact(*row) for row in kept(engine, tables.contacts)]
    return dict(tally(contacts, [Repeat(*row) for row in kept(engine, tables.repeats)]))


def added_up(engine: sa.Engine) -> dict[Any, list[int]]:
    """Figures as they were added to."""
    sums: dict[Any, list[int]] = {}
    for row in kept(engine, tables.figures):
        counts = sums.setdefault(row[:8], [0] * len(COUNTS))
        sums[row[:8]] = [a + b for a, b in zip(counts, row[9:], strict=True)]
    return {cell: counts for cell, counts in sums.items() if any(counts)}

