"""Small worlds of events in which everything meets: few people, few things, much confusion."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.event import Author, Direction, Event, Identifier, Role
from services.identifiers import OWN_SOURCE, Rules

START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Rules(limits={"email": 2, "phone": 2}, crowd=2)  # small, so that few events reach them
SECRET = bytes(32)
VALUES = {
    "account": ["A1", "A2", "A3"],
    "email": ["a@x.ee", "b@x.ee", "c@x.ee", "d@x.ee"],
    "phone": ["+37251111112", "+37251111113"],
    "device": ["d1", "d2"],
    "loyalty": ["L1"],
}
KINDS = [
    ("message.received", "email", Direction.inbound), ("message.sent", "chat", Direction.outbound),
    ("page.viewed", "web", Direction.inbound), ("screen.viewed", "app", Direction.inbound),
    ("call.started", "phone", Direction.inbound), ("call.ended", "phone", Direction.inbound),
]  # fmt: skip

named = st.builds(
    Identifier,
    type=st.sampled_from(list(VALUES)),
    value=st.just("?"),
    verification=st.sampled_from(["verified", "claimed", "observed", None]),
).flatmap(
    lambda one: st.sampled_from(VALUES[one.type]).map(lambda value: one.model_copy(update={"value": value}))
)  # fmt: skip


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """What happened, but for its id."""
    type, channel, direction = draw(st.sampled_from(KINDS))
    data: dict[str, Any] = {"name": "Home"} if type == "screen.viewed" else {"url": "/help"} if channel == "web" else {}
    identifiers = tuple(draw(st.lists(named, max_size=3, unique_by=lambda one: one.type)))
    if draw(st.integers(0, 9)) == 0:
        type, data = (
            "customer.identified",
            {"previous": {"type": "device", "value": draw(st.sampled_from(VALUES["account"]))}},
        )
    return dict(
        source=draw(st.sampled_from(["shop", "shop/two", "desk"])), type=type, channel=channel, direction=direction,
        occurred_at=START + timedelta(minutes=draw(st.integers(0, 120))),
        identifiers=identifiers, data=data,
        conversation=draw(st.sampled_from([None, None, "t1", "t2"])),
        text=draw(st.sampled_from([None, "My router is broken"])),
        author=draw(st.sampled_from([None, Author(name="Mari Tamm"), Author(role=Role.agent, name="Jonas")])),
    )  # fmt: skip


def reference(type: str, value: str) -> dict[str, str]:
    """An identifier as decisions name it."""
    return {"type": type, "scope": "shop" if type == "loyalty" else "", "value": value}


references = st.sampled_from([reference(type, value) for type, values in VALUES.items() for value in values])


@st.composite
def decisions(draw: st.DrawFn) -> dict[str, Any]:
    """What a person decided, but for its id; about identifiers that may never be seen."""
    left, right = draw(references), draw(references)
    verdict = draw(st.sampled_from(["customer.merged", "customer.unmerged", "identifier.barred"]))
    about = (
        {"about": left, "identifier": left}
        if verdict == "identifier.barred"
        else {"about": left, "left": left, "right": right}
    )
    at = START + timedelta(minutes=draw(st.integers(0, 120)))
    return dict(
        source=OWN_SOURCE, type=verdict, channel="other", direction=Direction.internal, occurred_at=at, data=about
    )


def numbered(happened: list[dict[str, Any]]) -> list[Event]:
    """Events with ids."""
    return [Event(id=f"e{number}", **fact) for number, fact in enumerate(happened)]


events = st.lists(st.one_of(facts(), facts(), facts(), decisions()), min_size=1, max_size=14).map(numbered)
