"""Sentences about events and interactions."""

import json
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.codec import from_wire, to_wire
from schemas.types import TYPES
from services.api.descriptions import SENTENCES, describe
from services.api.oddities import data_of, marks
from services.api.phrases import ago, shortened, unquoted
from services.api.summaries import describe_interaction
from tests.builders import at, event

EXAMPLES = sorted((Path(schemas.__file__).parent / "examples").glob("*.json"))
AGENT = {"role": "agent", "name": "Anna"}


def sentence(type: str, text: str | None = None, data: dict[str, Any] | None = None, **changes: Any) -> str:
    """What is said of an event of a type."""
    return describe(to_wire(event(type=type, text=text, data=data or {}, **changes)))


def test_every_known_type_has_a_sentence_of_its_own() -> None:
    assert set(TYPES) == set(SENTENCES)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_told_without_leaking_how_it_is_stored(path: Path) -> None:
    told = describe(to_wire(from_wire(json.loads(path.read_text()), source="shop")))
    assert told[0].isupper() or path.stem == "unknown"
    assert not any(sign in told for sign in ("{", "None", "[]", "  "))
    assert len(told) < 500


@pytest.mark.parametrize(
    ("told", "type", "text", "data", "changes"),
    [
        ("Customer wrote: “Where is it?”", "message.received", "Where is it?", {}, {}),
        ("Customer wrote about “Parcel”, 1 file: “Hi”", "message.received", "Hi",
         {"subject": "Parcel", "attachments": [{"name": "a.png"}]}, {}),
        ("Automatic reply: “Away”", "message.received", "Away", {"automatic": "reply"}, {}),
        ("Anna wrote: “On its way.”", "message.sent", "On its way.", {}, {"direction": "outbound", "author": AGENT}),
        ("Called, waiting in faults", "call.ringing", None, {"queue": "faults"}, {}),
        ("We called", "call.ringing", None, {}, {"direction": "outbound"}),
        ("Call answered by Anna", "call.started", None, {"agent": "Anna"}, {}),
        ("Chose Internet › Faults in the phone menu, fault", "call.menu_choice", None,
         {"path": ["Internet", "Faults"], "choice": "2", "reason": "fault"}, {}),
        ("Customer said: “It blinks.”", "call.turn", "It blinks.", {}, {}),
        ("Anna said: “Restart it.”", "call.turn", "Restart it.", {"speaker": "agent"},
         {"author": AGENT, "direction": "outbound"}),
        ("Call handed on from first line to Anna, fault", "call.transferred", None,
         {"from": {"queue": "first line"}, "to": {"agent": "Anna"}, "reason": "fault"}, {}),
        ("Put on hold for 40 s", "call.held", None, {"seconds": 40}, {}),
        ("Call recorded, 40 s", "call.recorded", None, {"seconds": 40}, {}),
        ("Call ended, resolved, 5 min of talk", "call.ended", None,
         {"disposition": "resolved", "talk_seconds": 299}, {}),
        ("Opened a chat on /returns", "chat.started", None, {"url": "https://shop.example/returns?token=1"}, {}),
        ("Chat ended, call back, after 10 min", "chat.ended", None, {"disposition": "call_back", "seconds": 600}, {}),
        ("Viewed “Returns”", "page.viewed", None, {"title": "Returns", "url": "/r"}, {}),
        ("Sent the form “Return”: “Too small”", "form.submitted", "Too small", {"form": "Return"}, {}),
        ("Searched for “router”, no results", "search.made", None, {"query": "router", "results": 0}, {}),
        ("Saw an error (502): Payment failed", "error.shown", None, {"code": 502, "message": "Payment failed"}, {}),
        ("Opened the screen “Bills”", "screen.viewed", None, {"name": "Bills"}, {}),
        ("In the app: push opened", "app.event", None, {"name": "push_opened"}, {}),
        ("Rated 3 of 10 (NPS): “Slow”", "feedback.received", "Slow", {"kind": "nps", "score": 3}, {}),
        ("Rated 80 of 100 (CSAT)", "feedback.received", None, {"kind": "csat", "score": 80, "scale": 100}, {}),
        ("Bought Router for 49.90 EUR (order 1001)", "purchase.made", None,
         {"items": [{"name": "Router"}], "amount": "49.90", "currency": "EUR"},
         {"references": [{"type": "order", "value": "1001"}]}),
        ("Parcel in transit with Omniva, due 2026-05-06", "delivery.updated", None,
         {"status": "in_transit", "carrier": "Omniva", "due": "2026-05-06T12:00:00Z"}, {}),
        ("Invoice reminded, 19.90 EUR, due 2026-05-20", "billing.updated", None,
         {"status": "reminded", "amount": "19.90", "currency": "EUR", "due": "2026-05-20"}, {}),
        ("Note by Anna: “Promised a call.”", "note.written", "Promised a call.", {}, {"author": AGENT}),
        ("Became known as Mari Maasikas", "customer.identified", None, {"traits": {"name": "Mari Maasikas"}}, {}),
        ("com.example.parcel.lost: “In the mud”", "com.example.parcel.lost", "In the mud", {}, {}),
        ("com.example.meter.read: flat no 7, reading 42", "com.example.meter.read", None, {"flat_no": 7, "reading": 42},
         {}),
    ],
)  # fmt: skip
def test_a_sentence_says_what_matters(told: str, type: str, text: str, data: Any, changes: Any) -> None:
    assert sentence(type, text, data, **changes) == told


def test_a_quoted_mail_is_not_told_again() -> None:
    assert sentence("message.received", "Thanks!\n> My parcel\n> is lost") == "Customer wrote: “Thanks!”"
    assert unquoted("> only this") == "> only this"


def test_long_words_are_cut_between_words() -> None:
    assert shortened("one two three", 10) == "one two…"
    assert shortened("a" * 30, 10) == "a" * 9 + "…"
    assert len(sentence("message.received", "word " * 1000)) < 250


def test_an_interaction_is_told_by_kind_subject_and_size() -> None:
    mails = [to_wire(event(data={"subject": "Lost parcel"})), to_wire(event(type="message.sent"))]
    assert describe_interaction("email", 2, mails) == "Mail “Lost parcel”, 2 messages"
    assert describe_interaction("email", 90, mails) == "Mail “Lost parcel”, 90 events"


def test_a_call_is_told_by_its_reason_and_outcome() -> None:
    call = [
        to_wire(event(type="call.menu_choice", text=None, data={"reason": "fault"})),
        to_wire(event(type="call.ended", text=None, data={"disposition": "resolved"})),
    ]
    assert describe_interaction("phone", 2, call) == "Call “fault”, resolved"


def test_a_visit_is_told_by_pages_and_errors() -> None:
    types = {"page.viewed": 3, "error.shown": 1}
    seen = [to_wire(event(type=type, text=None)) for type, count in types.items() for _ in range(count)]
    assert describe_interaction("web", 4, seen) == "Visit, 3 pages, 1 error"


def test_an_event_alone_is_told_as_itself() -> None:
    note = to_wire(event(type="note.written", text="Call back", author=AGENT))
    assert describe_interaction("other", 1, [note]) == "Note by Anna: “Call back”"


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(0, "just now"), (5, "5 min ago"), (180, "3 h ago"), (60 * 24 * 3, "3 days ago"), (60 * 24 * 40, "on 25 Mar")],
)
def test_times_are_told_from_now(minutes: int, told: str) -> None:
    assert ago(at(-minutes), at(0)) == told


def test_what_others_keep_under_our_names_is_left_out_of_what_is_told() -> None:
    odd = {"author": "John", "references": [1, {}], "identifiers": [1], "text": [2], "more": 3}
    document = {"id": "1", "type": "from.the.future", "time": "2026-05-04T09:00:00Z", "data": odd}
    wire = to_wire(from_wire(document, source="shop"))
    assert wire["data"] == odd
    assert data_of(wire) == {"more": 3}
    assert describe(wire) == "from.the.future: more 3"


def test_what_is_odd_about_an_event_is_said() -> None:
    document = {"id": "1", "type": "page.viewed", "time": "2100-01-01T00:00:00Z", "data": {"title": "a\0"}}
    wire = to_wire(from_wire(document, source="shop", received_at=at(0)))
    assert wire["time"] == wire["recordedtime"]
    assert marks(wire) == ["some characters could not be kept", "its clock said 2100-01-01"]
    assert marks(wire, 2)[-1] == "came again with other content (2 times)"
