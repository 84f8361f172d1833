"""In whatever order events come, the store is the same: what the laws (`property/test_laws.py`) once found, by name."""

from collections.abc import Sequence
from itertools import permutations

import sqlalchemy as sa

from schemas.event import Event
from services.identifiers import OWN_SOURCE, Rules
from services.timeline.stitch import stitch
from tests.builders import event
from tests.content import content, customers, difference, empty

RULES = Rules()


def same_in_any_order(engine: sa.Engine, events: Sequence[Event], rules: Rules = RULES) -> set[frozenset[str]]:
    """The customers, which are the same whichever way, like all else."""
    first = None
    for order in permutations(events):
        empty(engine)
        for one in order:
            with engine.begin() as conn:
                stitch(conn, [one], rules, b"secret")
        first = first or content(engine)
        assert not difference(content(engine), first)
    return customers(engine)


def decided(verdict: str, minute: float, *identifiers: str) -> Event:
    """What a person decided, as tellonce tells it."""
    keys = [dict(zip(("type", "value"), text.split(":"), strict=True), scope="") for text in identifiers]
    ends = ("identifier",) if verdict == "identifier.barred" else ("left", "right")
    data = dict(zip(ends, keys, strict=True), about=keys[0])
    return event(
        minute=minute, source=OWN_SOURCE, type=verdict, channel="other", direction="internal", identifiers=[], data=data
    )


def test_an_answer_in_a_conversation_is_with_the_first_of_two_accounts(engine: sa.Engine) -> None:
    answer = event("email:none", minute=5, conversation="c1")
    parties = [event(f"account:A{n}", minute=n, conversation="c1") for n in (1, 2)]
    found = same_in_any_order(engine, [answer, *parties])
    assert found == {frozenset({"account:A1", "conversation:c1"}), frozenset({"account:A2"})}


def test_what_is_shared_and_barred_is_refused_as_shared(engine: sa.Engine) -> None:
    seen = [event(f"account:A{n}", "device:d1", minute=n) for n in (1, 2)]
    again = event("account:A1", "device:d2", minute=3)
    found = same_in_any_order(engine, [*seen, again, decided("identifier.barred", 4, "device:d1")])
    assert found == {frozenset({"account:A1", "device:d2"}), frozenset({"account:A2"}), frozenset({"device:d1"})}


def test_two_accounts_share_nothing_once_they_are_one_and_the_third_is_taken_apart(engine: sa.Engine) -> None:
    seen = [event(f"account:A{n}", "device:d1", minute=n) for n in (1, 2, 3)]
    merged = decided("customer.merged", 4, "account:A1", "account:A2")
    apart = decided("customer.unmerged", 5, "account:A3", "device:d1")
    found = same_in_any_order(engine, [*seen, merged, apart])
    assert found == {frozenset({"account:A1", "account:A2", "device:d1"}), frozenset({"account:A3"})}


def test_what_accounts_of_one_customer_share_is_theirs_where_a_customer_may_have_two(engine: sa.Engine) -> None:
    rules = Rules(limits={"account": 2})
    seen = [event(f"account:A{n}", "device:d1", minute=n) for n in (1, 2)]
    both = event("account:A1", "account:A2", minute=3)
    assert same_in_any_order(engine, [*seen, both], rules) == {frozenset({"account:A1", "account:A2", "device:d1"})}


def test_what_two_that_are_shared_are_linked_by_is_refused_as_shared_and_holds_once_somebody_merges_them(
    engine: sa.Engine,
) -> None:
    seen = [event(f"account:A{n}", "email:e@example.com", "device:d1", minute=n) for n in (1, 2)]
    both = event("email:e@example.com", "device:d1", minute=3)
    assert len(same_in_any_order(engine, [*seen, both])) == 4
    merged = decided("customer.merged", 4, "email:e@example.com", "device:d1")
    assert len(same_in_any_order(engine, [*seen, both, merged])) == 3
