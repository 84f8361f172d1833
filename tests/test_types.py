"""Each type of event: its example, and what of its data is checked."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codec import Malformed, from_wire, to_wire
from schemas.types import TYPES
from tests.builders import document
from tests.examples import EXAMPLES


def test_every_type_has_an_example_and_there_is_one_of_a_type_we_do_not_know() -> None:
    assert {*TYPES, "unknown"} == EXAMPLES.keys()
    assert all(EXAMPLES[name]["type"] == name for name in TYPES)
    assert EXAMPLES["unknown"]["type"] not in TYPES


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_every_example_is_canonical(name: str) -> None:
    assert to_wire(from_wire(EXAMPLES[name], source="")) == EXAMPLES[name]


@pytest.mark.parametrize("name", list(TYPES))
def test_every_example_goes_where_its_type_goes_when_it_does_not_say(name: str) -> None:
    silent = {key: value for key, value in EXAMPLES[name].items() if key not in ("channel", "direction")}
    event = from_wire(silent, source="")
    assert event.direction == TYPES[name].direction == EXAMPLES[name]["direction"]
    assert event.channel == (TYPES[name].channel or "other")


@pytest.mark.parametrize(
    ("kind", "low", "high", "scale"),
    [("nps", 0, 10, None), ("ces", 1, 7, None), ("csat", 1, 5, None), ("csat", 0, 100, 100)],
)
def test_a_score_stays_within_its_kind(kind: str, low: int, high: int, scale: int | None) -> None:
    feedback = TYPES["feedback.received"]
    data: dict[str, Any] = {"kind": kind} | ({"scale": scale} if scale else {})
    for score in (low, high):
        assert feedback.checked({**data, "score": score})["score"] == score
    for score in (low - 1, high + 1):
        with pytest.raises(ValidationError, match=f"{kind} goes from {low} to {high}, not {score}"):
            feedback.checked({**data, "score": score})


@pytest.mark.parametrize(("given", "kept"), [("19.90", "19.90"), (19.9, "19.9"), (20, "20"), ("1E+3", "1000")])
def test_money_is_kept_as_a_decimal_text(given: object, kept: str) -> None:
    assert TYPES["purchase.made"].checked({"amount": given, "currency": "EUR"})["amount"] == kept


def test_whole_seconds_stay_whole() -> None:
    checked = TYPES["call.ended"].checked({"talk_seconds": 312, "hold_seconds": 4.5})
    assert {name: repr(value) for name, value in checked.items()} == {"talk_seconds": "312", "hold_seconds": "4.5"}


def test_new_fields_of_a_known_type_are_kept_as_they_came() -> None:
    data = {"url": "https://shop.example.com", "scrolled": {"depth": 0.8, "marks": [None, "footer"]}}
    assert TYPES["page.viewed"].checked(data) == data


@pytest.mark.parametrize(
    ("type", "data", "field"),
    [
        ("call.turn", {"speaker": "somebody"}, "data.speaker"),
        ("call.transferred", {"to": {"queue": 5}}, "data.to.queue"),
        ("call.ended", {"talk_seconds": -1}, "data.talk_seconds"),
        ("message.received", {"attachments": [{"bytes": "many"}]}, "data.attachments.0.bytes"),
        ("search.made", {}, "data.query"),
        ("billing.updated", {"status": "paid", "currency": "euros"}, "data.currency"),
        ("purchase.made", {"amount": "12,50"}, "data.amount"),
        ("customer.merged", {"left": {"type": "email", "value": "a@b.ee"}}, "data.left.scope"),
        ("identifier.barred", {"identifier": {"type": "email", "scope": "", "value": "a@b.ee", "x": 1}}, "x"),
    ],
)
def test_a_mistake_in_the_data_is_refused_by_the_name_of_the_field(type: str, data: dict[str, Any], field: str) -> None:
    with pytest.raises(Malformed) as refusal:
        from_wire(document(type=type, data=data), source="shop")
    assert refusal.value.code == "invalid_data"
    assert field in refusal.value.message
    assert type in refusal.value.message
