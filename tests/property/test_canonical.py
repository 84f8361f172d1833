"""The short way of reading lines of the log gives what the long way gives, or leaves it to that."""

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.canonical import known
from schemas.codec import Malformed, to_wire
from schemas.event import CHANNELS, Event
from schemas.reading import read
from schemas.types import TYPES
from tests.examples import EXAMPLES
from tests.property.test_plain import NEARLY
from tests.property.test_wire import anything, events, texts

RECORDED = {"recordedtime": "2026-05-04T09:00:01.250000Z", "source": "shop"}
nearly = st.sampled_from([*NEARLY, *CHANNELS, "2026-05-04T09:00:00z", "2026-05-04T09:00:00+00:00"])
unhurried = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def both(document: dict[str, Any]) -> Event | None:
    try:
        line = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a surrogate pair or a huge number, which no line holds
        return None
    document = orjson.loads(line)
    short = known(document)
    assert document == orjson.loads(line), "the document is left for the long way as it was"
    if short is None:
        return None
    try:
        long = read(document, "")
    except Malformed as refusal:
        pytest.fail(f"{document} is known and refused: {refusal}")
    assert short == long
    assert list(short.__dict__) == list(long.__dict__)
    assert short.model_dump() == long.model_dump()
    return short


def line_of(name: str) -> dict[str, Any]:
    return to_wire(read(EXAMPLES[name] | RECORDED, ""))


@unhurried
@given(st.sampled_from(list(EXAMPLES)), st.data())
def test_whatever_an_attribute_holds(name: str, draw: st.DataObject) -> None:
    whole = line_of(name)
    changes = st.dictionaries(
        st.sampled_from([*whole, "conversation", "text", "traceparent"]), nearly | anything, max_size=2
    )
    left_out = draw.draw(st.sets(st.sampled_from(list(whole)), max_size=1))
    both({key: value for key, value in (whole | draw.draw(changes)).items() if key not in left_out})


@unhurried
@given(st.sampled_from(list(EXAMPLES)), st.dictionaries(texts, anything, max_size=2), st.data())
def test_whatever_the_data_hold(name: str, more: dict[str, Any], draw: st.DataObject) -> None:
    whole = line_of(name)
    data = whole["data"] | more
    held = sorted({*data, *TYPES[name].data.model_fields, "text", "identifiers", "author"} if name in TYPES else data)
    changed = draw.draw(st.dictionaries(st.sampled_from(held), nearly | anything, max_size=2))
    both(whole | {"data": data | changed})


@unhurried
@given(events)
def test_whatever_is_an_event(event: Event) -> None:
    both(to_wire(event))


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_ingest_writes_goes_the_short_way(name: str) -> None:
    assert both({key: value for key, value in line_of(name).items() if key != "traceparent"})
