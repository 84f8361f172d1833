"""How other products identify people, case by case: as they expect, or with the reason for our other choice."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.event import Event, Identifier
from services.identifiers import OWN_SOURCE, Rules
from services.timeline.arrivals import Arrival, arrival, links, verdict
from services.timeline.identity import Decision, Member, resolve

START = datetime(2026, 1, 1, tzinfo=UTC)
SLOTS = {
    "user_id": "account", "user": "account", "anonymous_id": "device", "device": "device", "email": "email",
    "ios": "ios", "android": "android",
}  # fmt: skip
# A person that a scenario gives is one whom some event showed before; here are the words they are known by with us.
SHORT = {"anon": "device", "a": "email", "b": "email", "c": "email", "master": "profile", "eventProfile": "profile"}

OTHERWISE: dict[str, tuple[list[list[str]], str]] = {
    "posthog-merge-race-source-gone": (
        [["a", "b", "c"]],
        "Old ids keep resolving, so the second merge is of the customer that P1 has become: a person's word counts.",
    ),
    "segment-user-id-limit-1": (
        [["abc123"], ["abc456"], ["jane@example1.com"]],
        "A mail address used by two accounts says nothing about either: order can't decide whose it is.",
    ),
    "unomi-user-switch-new": (
        [["master@domain.com", "event@domain.com"]],
        "People have several mail addresses. Without account ids, two on one device are one person's, until a limit.",
    ),
    "unomi-user-switch-existing": (
        [["master@domain.com", "event@domain.com"]],
        "As above: one device, two addresses, no account. With accounts the device is found to be shared.",
    ),
}
COUNT = 18


def scenarios() -> dict[str, dict[str, Any]]:
    path = Path(__file__).parents[2] / "shared/datasets/identity/scenarios.json"
    return {case["id"]: case for case in json.loads(path.read_text())} if path.exists() else {}


CASES = scenarios()


def identifier(word: str) -> Identifier:
    slot, colon, value = word.partition(":")
    if colon:
        return Identifier(type=SLOTS.get(slot, slot), value=value)
    return Identifier(type=SHORT.get(word, "account"), value=f"{word}@x.ee" if SHORT.get(word) == "email" else word)


class Story:
    """Events and decisions in the order a scenario tells them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.people: dict[str, Identifier] = {}

    def happen(self, identifiers: list[Identifier], **fields: Any) -> None:
        number = len(self.events)
        self.events.append(
            Event(
                id=f"{number:03}", source=fields.pop("source", "web"), type=fields.pop("type", "app.event"),
                channel="web", occurred_at=START + timedelta(hours=number), identifiers=tuple(identifiers), **fields,
            )
        )  # fmt: skip

    def given(self, person: dict[str, Any]) -> None:
        known = [identifier(word) for word in person["ids"]]
        self.people[person["person"]] = known[0]
        if person.get("identified") and known[0].type != "account":
            known.append(Identifier(type="account", value=f"account of {person['person']}"))
        if person["person"] in SHORT:
            known.append(identifier(person["person"]))
        self.happen(known)

    def told(self, event: dict[str, Any]) -> None:
        if "merge" in event:
            ends = (self.people[person] for person in event["merge"])
            left, right = ({"type": one.type, "scope": "", "value": one.value} for one in ends)
            data = {"about": left, "left": left, "right": right}
            return self.happen([], source=OWN_SOURCE, type="customer.merged", data=data)
        words = (
            [f"account:{event['distinct_id']}", f"device:{event['anon_distinct_id']}"] if "distinct_id" in event else []
        )
        words += [f"{slot}:{event[slot]}" for slot in SLOTS if slot in event]
        if "session_of" in event:
            self.happen([Identifier(type="device", value="browser"), self.people[event["session_of"]]])
            words.append("device:browser")
        if words:
            self.happen([identifier(word) for word in words])


def people(events: list[Event]) -> list[list[str]]:
    """Customers as lists of values, devices and the like left in."""
    rules, secret = Rules(), b"scenarios"
    arrived = [arrival(event, rules, secret) for event in events]
    members: dict[Any, Member] = {}
    values: dict[Any, str] = {}
    for one in arrived:
        for id, (key, _) in one.named.items():
            members.setdefault(id, Member(id, key.type, one.age))
            values[id] = key.value.removesuffix("@x.ee")
    by_key = {key: id for one in arrived for id, (key, _) in one.named.items()}
    joined = [link for one in arrived for link in links(one)]
    found = resolve(members, joined, [decision(one, by_key) for one in arrived if verdict(one)], rules.limit)
    groups: dict[Any, list[str]] = {}
    for id, customer in found.customer.items():
        groups.setdefault(customer, []).append(values[id])
    return list(groups.values())


def decision(one: Arrival, by_key: dict[Any, Any]) -> Decision:
    said = verdict(one)
    assert said
    word, left, right = said
    return Decision(*one.age, by_key[left], by_key[right], word)


def of_interest(found: list[list[str]], wanted: list[list[str]]) -> list[list[str]]:
    """What was found, of the identifiers that the expectation speaks of."""
    named = {value for one in wanted for value in one}
    return sorted(sorted(named & set(one)) for one in found if named & set(one))


@pytest.mark.skipif(not CASES, reason="no samples beside the repository")
def test_all_scenarios_are_here() -> None:
    assert len(CASES) == COUNT
    assert OTHERWISE.keys() <= CASES.keys()


@pytest.mark.parametrize(
    "name", list(CASES) or [pytest.param("", marks=pytest.mark.skip("no samples beside the repository"))]
)
def test_people_are_told_apart_as_expected_or_otherwise_for_a_reason(name: str) -> None:
    case, story = CASES[name], Story()
    for person in case.get("given", []):
        story.given(person)
    told = case["event"] if isinstance(case["event"], list) else [case["event"]]
    for event in told:
        story.told(event)
    expected = [[word.partition(":")[2] or word for word in one] for one in case["expect_people"]]
    wanted, reason = OTHERWISE.get(name, (expected, ""))
    assert of_interest(people(story.events), wanted) == sorted(map(sorted, wanted)), reason
    assert bool(reason) == (sorted(map(sorted, wanted)) != sorted(map(sorted, expected)))
