"""What a batch leaves in the store."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from schemas.event import Author, Event
from services.identifiers import Rules
from services.timeline.stitch import Outcome, stitch
from tests.builders import at, event
from tests.content import customers

RULES = Rules()


def take(engine: sa.Engine, *events: Event, tx: int | None = None) -> Outcome:
    with engine.begin() as conn:
        return stitch(conn, events, RULES, b"secret", tx)


def rows(engine: sa.Engine, query: str) -> list[Any]:
    with engine.connect() as conn:
        return [tuple(row) for row in conn.exec_driver_sql(query)]


def page(*identifiers: str, minute: float) -> Event:
    return event(*identifiers, minute=minute, type="page.viewed", channel="web", data={"url": "/help"}, text=None)


def test_an_event_met_again_is_a_duplicate_and_with_other_content_a_conflict_that_is_kept(engine: sa.Engine) -> None:
    first = event(id="1", text="My parcel is lost")
    later = first.model_copy(update={"occurred_at": first.occurred_at + timedelta(seconds=1)})
    assert take(engine, first).stored == 1
    assert take(engine, first, later).duplicates == 2
    other = first.model_copy(update={"text": "My parcel is here"})
    assert take(engine, other, other).conflicts == 2
    assert rows(engine, "SELECT event->'data'->>'text' FROM conflicts") == [("My parcel is here",)]
    assert rows(engine, "SELECT event->'data'->>'text' FROM events") == [("My parcel is lost",)]


def test_the_same_identifier_in_another_spelling_is_one(engine: sa.Engine) -> None:
    take(engine, event("email:Mari@X.ee", "phone:555 12345"), event("tel:+372 5551 2345"), event("mail:mari@x.EE"))
    assert customers(engine) == {frozenset({"email:mari@x.ee", "phone:+37255512345"})}


def test_what_stands_for_nobody_joins_nobody(engine: sa.Engine) -> None:
    take(engine, event("email:a@x.ee", "account:null"), event("email:b@x.ee", "account:null"))
    assert customers(engine) == {frozenset({"email:a@x.ee"}), frozenset({"email:b@x.ee"})}


def test_ids_that_only_their_source_knows_differ_from_the_same_of_another(engine: sa.Engine) -> None:
    take(engine, event("ticket_requester:7", source="desk"), event("ticket_requester:7", source="shop"))
    assert rows(engine, "SELECT count(DISTINCT customer_id) FROM identifiers") == [(2,)]


def test_a_visit_is_one_interaction_before_and_after_login(engine: sa.Engine) -> None:
    take(engine, page("device:d1", minute=0))
    take(engine, page("device:d1", "account:A1", minute=20), page("device:d1", minute=45))
    take(engine, page("device:d1", minute=100))
    assert rows(
        engine, "SELECT count(DISTINCT interaction_id) FROM events WHERE occurred_at < '2026-05-04T10:00Z'"
    ) == [(1,)]
    assert rows(engine, "SELECT count(DISTINCT interaction_id) FROM interactions") == [(2,)]


def test_an_answer_that_names_nobody_is_with_whom_the_conversation_is_with(engine: sa.Engine) -> None:
    answer = event("email:none", minute=5, conversation="c1", type="message.sent", direction="outbound")
    take(engine, answer)
    take(engine, event("email:mari@x.ee", conversation="c1"))
    assert customers(engine) == {frozenset({"email:mari@x.ee", "conversation:c1"})}


def test_two_people_in_one_conversation_stay_two_and_an_answer_is_with_the_first(engine: sa.Engine) -> None:
    take(engine, event("email:b@x.ee", minute=1, conversation="c1"), event("email:a@x.ee", conversation="c1"))
    take(engine, event("email:none", minute=5, conversation="c1"))
    assert customers(engine) == {frozenset({"email:a@x.ee", "conversation:c1"}), frozenset({"email:b@x.ee"})}


def test_an_event_that_names_nobody_at_all_is_kept_by_itself(engine: sa.Engine) -> None:
    assert take(engine, event("email:none", conversation=None)).stored == 1
    assert len(customers(engine)) == 1


def test_every_link_says_which_event_made_it(engine: sa.Engine) -> None:
    take(engine, event("email:none", id="answer", conversation="c1", minute=9))
    take(engine, event("account:A1", "email:a@x.ee", id="first", source="shop", conversation="c1"))
    made = rows(engine, "SELECT rule, source, event_id, occurred_at FROM links ORDER BY rule")
    assert made == [("conversation", "shop", "first", at(0)), ("same event", "shop", "first", at(0))]


def test_an_interaction_knows_its_latest_transaction_whichever_comes_last(engine: sa.Engine) -> None:
    take(engine, event(conversation="c1"), tx=10)
    take(engine, event(conversation="c1"), tx=5)
    assert rows(engine, "SELECT tx FROM interactions") == [(10,)]


def test_customers_whose_words_changed_are_marked_and_others_are_not(engine: sa.Engine) -> None:
    take(engine, event("email:a@x.ee"), page("device:d1", minute=0))
    marked = rows(engine, "SELECT i.value FROM marks m JOIN identifiers i ON i.id = m.customer_id")
    assert marked == [("a@x.ee",)]


def test_a_customers_name_comes_from_their_own_words_not_an_agents(engine: sa.Engine) -> None:
    take(
        engine,
        event(author=Author(name="Mari Maasikas")),
        event(author=Author(role="agent", name="Jonas")),  # type: ignore[arg-type]
        event(type="customer.identified", data={"traits": {"name": "Mari Maasikas-Tamm"}}),
        event(type="customer.identified", data={"traits": {"name": "N" * 513}}),
    )
    names = [("Mari Maasikas",), ("Mari Maasikas-Tamm",), ("N" * 512,)]
    assert sorted(rows(engine, "SELECT name FROM names")) == names
