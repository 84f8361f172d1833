"""The short way of reading gives what the long way gives, or leaves it to that."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import encode, from_wire
from schemas.event import CHANNELS, Identifier
from schemas.plain import plain
from schemas.reading import NAMES, Malformed
from schemas.types import TYPES
from services.identifiers import Rules, conversation_key, keys, strongest
from tests.builders import event
from tests.examples import EXAMPLES
from tests.property.test_wire import anything, events, posted, texts, to_wire

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
# Values that are nearly right, where the two ways might part.
NEARLY: list[Any] = [
    None, "", " ", "\0", "\ud83d", "x" * 513, "email", "Email", "email\n", "et", "et\n", "inbound", "customer", "1.0",
    "application/json", "2026-05-04T09:00:00Z", "2026-05-04 09:00:00Z", "2026-05-04\x0009:00:00Z",
    " 2026-05-04T09:00:00Z", "2026-05-04T09:00:00", "2026-W18-1T09:00:00Z", "0001-01-01T00:00:00+10:00",
    "2026-06-02T09:30:00Z", "2026-06-02T09:30:01Z", "1989-12-31T23:59:59Z",
    "2026-05-04T11:00:00.5+02:00", 0, 1, 1.0, True, 2**70, [], {}, ["x"], "shop", "shop/x", "/x", "urn:x",
    [{"type": "email", "value": " "}], [{"type": "email\n", "value": "a@b.ee"}], [{"type": "order", "value": 1}],
    [{"type": "email", "value": "a@b.ee", "verification": None}], [{"type": "email", "value": "a@b.ee", "raw": 1}],
    [{"type": "email", "value": "a@b.ee"}, {"type": "x", "value": ""}], [{"type": "order", "value": " "}],
    [{"type": "email", "value": "a@b.ee", "verification": "verified"}], {"role": "agent"}, {"name": "Mari"},
    {"role": "agent", "id": None}, {"name": ""}, {"role": "clown"}, {"name": "x", "properties": {"a": [1, {"b": 2}]}},
    {"text": None}, {"text": ""}, {"text": "x", "language": 3},
]  # fmt: skip
nearly = st.sampled_from(NEARLY)
names = st.sampled_from([*NAMES, "traceparent", "chanel"])


unhurried = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def both(document: dict[str, Any]) -> None:
    short = plain(document, "shop", NOW, CHANNELS, "chat")
    if short is None:
        return
    try:
        event = from_wire(document, source="shop", received_at=NOW, channel="chat")
    except Malformed as refusal:
        pytest.fail(f"{document} is plain and refused: {refusal}")
    assert short.line == encode(event)
    assert (short.source, short.id, short.conversation) == (event.source, event.id, event.conversation)
    assert [(one["type"], one["value"]) for one in short.identifiers] == [
        (one.type, one.value) for one in event.identifiers
    ]


@unhurried
@given(st.sampled_from(list(EXAMPLES)), st.dictionaries(names, nearly | anything, max_size=3))
def test_whatever_the_fields_hold(name: str, changes: dict[str, Any]) -> None:
    both(EXAMPLES[name] | changes)


@unhurried
@given(st.sampled_from(list(EXAMPLES)), st.dictionaries(texts, anything, max_size=2), st.data())
def test_whatever_the_data_hold(name: str, more: dict[str, Any], draw: st.DataObject) -> None:
    data = EXAMPLES[name]["data"] | more
    known = sorted({*data, *TYPES[name].data.model_fields, "text", "identifiers", "author"} if name in TYPES else data)
    changed = draw.draw(st.dictionaries(st.sampled_from(known), nearly | anything, max_size=2))
    both(EXAMPLES[name] | {"data": data | changed})


@unhurried
@given(events)
def test_whatever_is_an_event(event: Any) -> None:
    wire = to_wire(event)
    both(wire)
    both({name: value for name, value in wire.items() if name in NAMES and name != "recordedtime"})


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_plain(name: str) -> None:
    document = {field: value for field, value in EXAMPLES[name].items() if field in NAMES and field != "recordedtime"}
    assert plain(document, "shop", NOW, CHANNELS, None)
    assert posted(document)


types = st.sampled_from(["account", "customer_id", "email", "mail", "phone", "device", "loyalty", "conversation"])
handles = st.sampled_from(
    ["8812", "17", "n/a", "Mari@Example.com", "x@y.ee", "+372 5123 4567", "5123 4568", "d-1", "0000"]
)


@given(st.lists(st.tuples(types, handles), max_size=5))
def test_the_strongest_is_the_first_of_all_that_are_named(pairs: list[tuple[str, str]]) -> None:
    happened = event(identifiers=[Identifier(type=type, value=value) for type, value in pairs], conversation="c-1")
    best = strongest(pairs, "shop", Rules()) or conversation_key(happened)
    assert best == keys(happened, Rules())[0]
