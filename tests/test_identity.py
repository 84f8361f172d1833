"""Who is one customer: the rules, one sentence each."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid5

from services.identifiers import Rules
from services.timeline.identity import Age, Decision, Link, Member, People, resolve

START = datetime(2026, 1, 1, tzinfo=UTC)
SPACE = UUID(int=0)
RULES = Rules()


def id_of(name: str) -> UUID:
    return uuid5(SPACE, name)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def link(minute: int, left: str, right: str, rule: str = "same event") -> Link:
    return Link(at(minute), id_of(f"event {minute}"), id_of(left), id_of(right), rule)


def decide(minute: int, verdict: str, left: str, right: str | None = None) -> Decision:
    return Decision(at(minute), id_of(f"decision {minute}"), id_of(left), id_of(right or left), verdict)


def people(links: list[Link], decisions: list[Decision] = [], **limits: int) -> list[set[str]]:  # noqa: B006
    """Customers as sets of names; an identifier's type is its name up to the first digit."""
    names = {name for one in NAMES for name in [one] if id_of(one) in {end for link in links for end in link.pair}}
    names |= {one for one in NAMES if id_of(one) in {end for d in decisions for end in (d.left, d.right)}}
    rules = Rules(limits=limits)
    members = {id_of(name): Member(id_of(name), name.rstrip("0123456789"), age(name, links)) for name in names}
    outcome = resolve(members, links, decisions, rules.limit)
    return groups(outcome, names)


def age(name: str, links: list[Link]) -> Age:
    return min([Age(one.at, one.key) for one in links if id_of(name) in one.pair], default=Age(START, SPACE))


def groups(outcome: People, names: set[str]) -> list[set[str]]:
    found: dict[UUID, set[str]] = {}
    for name in names:
        found.setdefault(outcome.customer[id_of(name)], set()).add(name)
    return sorted(found.values(), key=sorted)


NAMES = [f"{type}{n}" for type in ("account", "email", "phone", "device", "conversation") for n in range(9)]


def test_identifiers_of_one_event_are_one_customer() -> None:
    assert people([link(1, "account1", "email1"), link(2, "email1", "device1")]) == [{"account1", "email1", "device1"}]


def test_an_identifier_seen_with_two_accounts_links_to_neither_also_backwards() -> None:
    links = [link(1, "account1", "device1"), link(2, "device1", "email1"), link(3, "account2", "device1")]
    assert people(links) == [{"account1"}, {"account2"}, {"device1"}, {"email1"}]


def test_a_link_that_would_give_a_customer_two_accounts_is_refused_and_the_earlier_one_stays() -> None:
    links = [link(1, "account1", "email1"), link(2, "account2", "device1"), link(3, "email1", "device1")]
    assert people(links) == [{"account1", "email1"}, {"account2", "device1"}]
    links = [link(1, "account1", "email1"), link(3, "account2", "device1"), link(2, "email1", "device1")]
    assert people(links) == [{"account1", "device1", "email1"}, {"account2"}]


def test_limits_are_decided_by_event_time_whatever_the_order_of_arrival() -> None:
    links = [link(minute, "account1", f"email{minute}") for minute in range(1, 6)]
    outcomes = {str(people(list(order), email=3)) for order in permutations(links)}
    assert len(outcomes) == 1
    assert {"account1", "email1", "email2", "email3"} in people(links, email=3)


def test_of_one_events_links_the_stronger_identifiers_come_first() -> None:
    links = [
        link(1, "account1", "device1"),
        link(2, "account2", "phone1"),
        link(3, "email1", "device1"),
        link(3, "email1", "phone1"),
    ]
    assert people(links) == [{"account1", "device1"}, {"account2", "email1", "phone1"}]


def test_people_may_make_one_customer_of_two_accounts() -> None:
    links = [link(1, "account1", "email1"), link(2, "account2", "email2")]
    assert people(links, [decide(3, "merge", "account1", "account2")]) == [{"account1", "account2", "email1", "email2"}]


def test_what_was_shared_by_two_accounts_belongs_to_them_once_they_are_one() -> None:
    links = [link(1, "account1", "email1"), link(2, "account2", "email1")]
    assert len(people(links)) == 3
    assert people(links, [decide(3, "merge", "account1", "account2")]) == [{"account1", "account2", "email1"}]


def test_unmerge_after_merge_restores_both() -> None:
    links = [link(1, "account1", "email1"), link(2, "account2", "email2")]
    merged = decide(3, "merge", "email1", "account2")
    assert len(people(links, [merged])) == 1
    assert people(links, [merged, decide(4, "unmerge", "email1", "account2")]) == people(links)


def test_a_pair_taken_apart_stays_apart_when_seen_again_and_the_last_word_counts() -> None:
    links = [link(1, "email1", "phone1")]
    apart = decide(2, "unmerge", "email1", "phone1")
    assert people([*links, link(9, "email1", "phone1")], [apart]) == [{"email1"}, {"phone1"}]
    assert people(links, [decide(3, "merge", "phone1", "email1"), apart]) == [{"email1", "phone1"}]


def test_a_barred_identifier_stands_alone() -> None:
    links = [link(1, "account1", "phone1"), link(2, "phone1", "email1")]
    assert people(links, [decide(3, "bar", "phone1")]) == [{"account1"}, {"email1"}, {"phone1"}]


def test_an_alias_joins_accounts_and_what_both_were_seen_with() -> None:
    links = [link(1, "account1", "device1"), link(2, "account2", "account1", "alias"), link(3, "account2", "device1")]
    assert people(links) == [{"account1", "account2", "device1"}]


def test_a_conversation_belongs_to_its_first_party_and_joins_nobody() -> None:
    links = [link(2, "email2", "conversation1", "conversation"), link(1, "email1", "conversation1", "conversation")]
    assert people(links) == [{"conversation1", "email1"}, {"email2"}]


def test_a_conversation_with_two_accounts_is_its_first_partys_as_if_the_other_were_not_known_to_be_in_it() -> None:
    first, later = (link(minute, f"account{minute}", "conversation1", "conversation") for minute in (1, 2))
    assert people([first, later]) == people([later, first]) == [{"account1", "conversation1"}, {"account2"}]


def test_a_customers_id_is_that_of_the_oldest_identifier() -> None:
    members = {
        id_of(name): Member(id_of(name), "email", Age(at(minute), SPACE))
        for name, minute in (("email1", 5), ("email2", 1))
    }
    outcome = resolve(members, [link(9, "email1", "email2")], [], RULES.limit)
    assert set(outcome.customer.values()) == {id_of("email2")}


def test_every_refusal_says_why() -> None:
    links = [link(1, "account1", "email1"), link(2, "account2", "email2"), link(3, "email1", "email2")]
    members = {id_of(n): Member(id_of(n), n[:-1], age(n, links)) for n in ("account1", "account2", "email1", "email2")}
    refused = resolve(members, links, [], RULES.limit).refused
    assert refused == {links[2].pair: "limit of account"}
