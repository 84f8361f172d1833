"""Analyse: what is kept of marked customers, and the figures over all of them."""

from collections import Counter
from datetime import date
from random import Random

import pytest
import sqlalchemy as sa

from schemas.event import Author, Direction, Role
from services import tables
from services.timeline.analysis import analyse, put_off, take
from services.timeline.learning import Latest, is_due, labels, learn
from services.timeline.outcomes import NAME
from services.timeline.rebuild import rebuild
from services.timeline.tally import bucket
from tests.analysed import AGAIN, BROKEN, HOUR, analysed, both, called, figures, found, kept, recorded
from tests.builders import event
from tests.house import MAIL, PHONE, SETTINGS, House

NUMBER = sa.text("SELECT pg_current_xact_id_if_assigned()::text::bigint")


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


def test_a_survey_of_another_source_scores_the_contact_that_it_names(house: House) -> None:
    about = {"source": "calls/branch", "conversation": f"call {26 * HOUR}"}  # with the emitter behind the source
    answer = {"kind": "nps", "score": 3, "contact": about}
    house.happened(both(), event(MAIL, text=BROKEN), *called(AGAIN, 26 * HOUR))
    house.happened(event(PHONE, text=None, minute=27 * HOUR, type="feedback.received", channel="other", data=answer))
    analysed(house.engine)
    assert {one.channel: one.nps for one in kept(house.engine, tables.contacts)} == {"email": None, "phone": 3.0}


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


def test_an_analyser_that_works_at_many_customers_says_so_after_each(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN), event("email:other@example.com", text=BROKEN))
    told = list[None]()
    with house.engine.begin() as conn:
        analyse(conn, take(conn), Latest(), date(2026, 11, 1), alive=lambda: told.append(None))
    assert len(told) == 2


def test_an_analyser_that_thinks_keeps_no_live_stream_waiting(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN))
    numbers = list[int | None]()
    with house.engine.begin() as conn:
        analyse(conn, take(conn), Latest(), date(2026, 11, 1), alive=lambda: numbers.append(conn.scalar(NUMBER)))
        assert numbers == [None]
        assert conn.scalar(NUMBER)


def test_who_is_at_hand_of_one_analyser_is_left_alone_by_others_and_stays_marked_until_it_is_done(
    house: House,
) -> None:
    house.happened(event(MAIL, text=BROKEN), event("email:other@example.com", text=BROKEN))
    with house.engine.begin() as conn, house.engine.begin() as other:
        mine, theirs = take(conn, 1), take(other)
        assert {one.customer_id for one in mine}.isdisjoint({one.customer_id for one in theirs})
        assert (len(mine), len(theirs)) == (1, 1)
    with house.engine.begin() as conn:
        assert len(take(conn)) == 2


def test_who_is_put_off_takes_no_mark_of_another_that_a_rebuild_gave_their_number(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN), event("email:other@example.com", text=BROKEN))
    with house.engine.begin() as conn:
        mine = take(conn, 1)
        other = "SELECT customer_id FROM marks other WHERE other.customer_id <> marks.customer_id"
        conn.exec_driver_sql(f"UPDATE marks SET customer_id = ({other})")
        put_off(conn, mine, again=False)
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.marks)) == 2


def test_one_whose_texts_can_not_be_analysed_keeps_nobody_waiting(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN), event("email:other@example.com", text=BROKEN))
    with house.engine.begin() as conn:  # as no event could be that was accepted
        conn.exec_driver_sql("UPDATE events SET event = '{}' WHERE event->>'subject' IS NULL AND event_id = ("
                             "SELECT min(event_id) FROM events)")  # fmt: skip
    analysed(house.engine)
    assert len(kept(house.engine, tables.contacts)) == 1


def test_names_of_queues_teams_and_agents_are_kept_as_long_as_an_index_takes(house: House) -> None:
    long = {name: Random(name).randbytes(4000).hex() for name in ("queue", "team", "agent")}
    call = dict(channel="phone", source="calls", conversation="one")
    house.happened(event(PHONE, text=None, type="call.started", data=long, **call),
                   event(PHONE, text=BROKEN, type="call.turn", minute=1, **call))  # fmt: skip
    analysed(house.engine)
    [contact] = kept(house.engine, tables.contacts)
    assert [contact.queue, contact.team, contact.agent] == [name[:NAME] for name in long.values()]


def test_one_with_more_identifiers_than_a_statement_takes_values_is_analysed(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN))
    with house.engine.begin() as conn:
        conn.exec_driver_sql("""
            INSERT INTO identifiers (id, type, scope, value, verification, first_at, first_key, customer_id)
            SELECT gen_random_uuid(), 'device', '', n::text, 'observed', first_at, first_key, customer_id
            FROM identifiers, generate_series(1, 66000) n""")
    analysed(house.engine)
    assert len(kept(house.engine, tables.contacts)) == 1


def test_more_that_is_no_longer_so_than_a_statement_takes_is_taken_away(house: House) -> None:
    house.happened(event(MAIL, text=BROKEN))
    analysed(house.engine)
    before = kept(house.engine, tables.contacts)
    names = ", ".join(f'"{column.name}"' for column in tables.contacts.c)
    with house.engine.begin() as conn:
        conn.exec_driver_sql(f"""
            INSERT INTO contacts ({names}) SELECT {names.replace('"interaction_id"', "gen_random_uuid()")}
            FROM contacts, generate_series(1, 23000);
            INSERT INTO marks (customer_id) SELECT customer_id FROM identifiers""")
    analysed(house.engine)
    assert kept(house.engine, tables.contacts) == before


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
