"""Laws of the wire: what is written is read as it was, and whatever comes is read or refused, never worse."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Malformed, Unreadable, decode, encode, from_wire, to_wire
from schemas.event import Author, Direction, Event, Identifier, Reference, Role, Verification
from schemas.reading import INSIDE, NAMES
from schemas.types import TYPES
from tests.examples import EXAMPLES

storable = st.characters(codec="utf-8", exclude_characters="\0")
texts = st.text(storable, max_size=8)
shorts = texts.filter(str.strip)
names = st.text("abc_9", max_size=5).map("x{}".format)
whole = st.integers(-(2**63), 2**64 - 1)
scalars = st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)
moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
attributes = st.text("abc019", min_size=1, max_size=5)
# What anybody may send: our fields and theirs with any value, lone surrogates and NULs included.
leaves = scalars | st.text(max_size=5) | st.sampled_from(["\0", "\ud83d", "email", "2026-05-04T09:00:00Z", *TYPES])
keys = st.sampled_from(list(NAMES)) | texts
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=6
)

events = st.builds(
    Event,
    id=shorts,
    source=shorts,
    type=st.just("com.example.thing"),
    occurred_at=moments,
    received_at=st.none() | moments,
    channel=names,
    direction=st.sampled_from(Direction),
    author=st.none() | st.builds(Author, role=st.sampled_from(Role), id=st.none() | shorts, name=st.none() | shorts),
    identifiers=st.lists(
        st.builds(Identifier, type=names, value=shorts, verification=st.none() | st.sampled_from(Verification)),
        max_size=3,
    ),
    conversation=st.none() | shorts,
    text=st.none() | texts,
    language=st.sampled_from([None, "et", "lt-LT"]),
    references=st.lists(st.builds(Reference, type=names, value=shorts), max_size=2),
    data=st.dictionaries(texts.filter(lambda name: name not in INSIDE), values, max_size=4),
    extensions=st.dictionaries(attributes, st.booleans() | whole | texts, max_size=3),
)


@given(events)
def test_what_is_written_is_read_as_it_was(event: Event) -> None:
    assert decode(encode(event)) == event
    assert from_wire(to_wire(event), source="") == event


@given(st.sampled_from(list(EXAMPLES)), st.dictionaries(st.sampled_from(list(NAMES)), anything, max_size=3))
def test_whatever_is_posted_is_read_or_refused_and_what_is_read_survives(name: str, changes: dict[str, Any]) -> None:
    event = posted(EXAMPLES[name] | changes)
    assert event is None or (event.system == "shop" and decode(encode(event)) == event)


@given(st.sampled_from(list(EXAMPLES)), st.dictionaries(texts, anything, max_size=3), st.data())
def test_whatever_the_data_holds_it_is_read_or_refused(name: str, more: dict[str, Any], draw: st.DataObject) -> None:
    data = EXAMPLES[name]["data"] | more
    changed = draw.draw(st.dictionaries(st.sampled_from(sorted(data)), anything, max_size=3))
    event = posted(EXAMPLES[name] | {"data": data | changed})
    assert event is None or decode(encode(event)) == event


@given(st.binary() | st.dictionaries(st.sampled_from(list(NAMES)), values).map(orjson.dumps))
def test_whatever_is_in_the_log_is_read_or_unreadable(value: bytes) -> None:
    assert reason(value) in READABLE


@given(st.sampled_from(list(EXAMPLES)), st.integers(0, 2000), st.binary(min_size=1, max_size=3))
def test_a_damaged_record_is_read_or_unreadable(name: str, place: int, damage: bytes) -> None:
    value = encode(from_wire(EXAMPLES[name], source=""))
    place %= len(value)
    assert reason(value[:place] + damage + value[place + len(damage) :]) in READABLE


READABLE = (None, "not_json", "not_an_event", "unknown_version")


def posted(document: dict[str, Any]) -> Event | None:
    """The event, or None if it is refused as Malformed; anything else fails the test."""
    with suppress(Malformed):
        return from_wire(document, source="shop")
    return None


def reason(value: bytes) -> str | None:
    """Why a record is unreadable; None if it isn't."""
    try:
        decode(value)
    except Unreadable as error:
        return error.reason
    return None
