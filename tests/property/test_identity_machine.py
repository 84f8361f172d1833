"""Identity, step by step, against a small model that works everything out anew from all that was ever said."""

import os
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from schemas.event import Direction, Event, Identifier
from services.identifiers import OWN_SOURCE, event_key
from services.timeline.stitch import stitch
from tests.content import customers, empty
from tests.property.worlds import RULES, SECRET, START, VALUES, reference

NAMES = [(type, value) for type, values in VALUES.items() for value in values]
ORDER = ["account", "email", "phone", "loyalty", "device"]
Name = tuple[str, str]
names, minutes = st.sampled_from(NAMES), st.integers(0, 500)


class Model:
    """All that was ever said, as lists; who is who by going through them from the start."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, Name, Name]] = []  # age, stronger, weaker
        self.said: list[tuple[Any, str, frozenset[Name]]] = []  # age, verdict, about whom
        self.known: set[Name] = set()

    def customers(self) -> set[frozenset[str]]:
        words = {about: verdict for _, verdict, about in sorted(self.said, key=lambda one: one[0])}
        apart = {about for about, verdict in words.items() if verdict == "unmerged"}
        accounts: dict[Name, set[Name]] = {}
        for _, one, other in self.seen:
            if one[0] == "account" and frozenset((one, other)) not in apart:
                accounts.setdefault(other, set()).add(one)
        shared = {name for name, seen in accounts.items() if len(seen) > 1}
        while True:
            groups = self._groups(words, shared)
            home = {name: frozenset(group) for group in groups for name in group}
            still = {name for name in shared if len({home[one] for one in accounts[name]}) > 1}
            if still == shared:
                return {frozenset(f"{type}:{value}" for type, value in group) for group in groups}
            shared = still

    def _groups(self, words: dict[frozenset[Name], str], shared: set[Name]) -> list[set[Name]]:
        groups = [{name} for name in self.known]

        def group(name: Name) -> set[Name]:
            return next(one for one in groups if name in one)

        def join(one: Name, other: Name) -> None:
            whole = group(one) | group(other)
            groups[:] = [each for each in groups if not each <= whole] + [whole]

        for _, one, other in sorted(self.seen, key=lambda seen: (seen[0], ORDER.index(seen[2][0]))):
            dead = {one, other} & shared or any(words.get(frozenset((name,))) == "barred" for name in (one, other))
            if dead or words.get(frozenset((one, other))) == "unmerged" or group(one) is group(other):
                continue
            sizes = [[sum(name[0] == type for name in group(end)) for end in (one, other)] for type in ORDER]
            if all(sum(size) <= RULES.limit(type) for type, size in zip(ORDER, sizes, strict=True) if all(size)):
                join(one, other)
        for about, verdict in words.items():
            if verdict == "merged" and not any(words.get(frozenset((name,))) == "barred" for name in about):
                join(*sorted(about) if len(about) == 2 else 2 * tuple(about))
        return groups


class Identity(RuleBasedStateMachine):
    """What may happen to identity, in any order: seen together, late, again; merged, taken apart, barred."""

    engine: sa.Engine

    def __init__(self) -> None:
        super().__init__()
        empty(self.engine)
        self.model, self.events, self.numbers = Model(), list[Event](), count()

    def take(self, event: Event) -> None:
        with self.engine.begin() as conn:
            stitch(conn, [event], RULES, SECRET)

    def happen(self, minute: int, **fields: Any) -> Any:
        event = Event(id=f"{next(self.numbers):05}", occurred_at=START + timedelta(minutes=minute), **fields)
        self.events.append(event)
        self.take(event)
        return minute, event_key(event.source, event.id)

    @rule(whom=st.lists(names, min_size=1, max_size=3, unique_by=lambda name: name[0]), minute=minutes)
    def see(self, whom: list[Name], minute: int) -> None:
        whom = sorted(whom, key=lambda name: ORDER.index(name[0]))
        identifiers = tuple(Identifier(type=type, value=value) for type, value in whom)
        age = self.happen(minute, source="shop", type="message.sent", channel="email", identifiers=identifiers)
        self.model.known |= set(whom)
        self.model.seen += [(age, whom[0], other) for other in whom[1:]]

    @rule(left=names, right=names, minute=minutes, verdict=st.sampled_from(["merged", "unmerged", "barred"]))
    def decide(self, left: Name, right: Name, minute: int, verdict: str) -> None:
        one, other = reference(*left), reference(*left if verdict == "barred" else right)
        data = {"about": one, "left": one, "right": other, "identifier": one}
        type = "identifier.barred" if verdict == "barred" else f"customer.{verdict}"
        age = self.happen(
            minute, source=OWN_SOURCE, type=type, channel="other", direction=Direction.internal, data=data
        )
        about = frozenset((left,)) if verdict == "barred" else frozenset((left, right))
        self.model.known |= about
        if len(about) == 2 or verdict == "barred":
            self.model.said.append((age, verdict, about))

    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        if self.events:
            self.take(data.draw(st.sampled_from(self.events)))

    @invariant()
    def customers_are_those_of_the_model(self) -> None:
        assert customers(self.engine) == self.model.customers()


@pytest.mark.timeout(1800)
def test_identity_is_that_of_the_model_at_every_step(engine: sa.Engine) -> None:
    examples = 200 if os.environ.get("CI") else 20
    Identity.engine = engine
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Identity,
        settings=settings(
            max_examples=examples,
            stateful_step_count=50,
            deadline=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            print_blob=True,
        ),
    )
