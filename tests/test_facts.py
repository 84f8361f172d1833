"""What is on record, and what answers a question."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Author, Direction, Event, Reference, Role
from services.timeline.facts import SHIPPED, Fact, Pattern, Sort, answering, due, facts
from services.timeline.statements import words_of

SAID = ("order number is", "AB-", "Invoice no.", "€", "eur", "Pikk street", "straße", "Jan", "ул.", "case", "#")
THEN = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday


def wrote(text: str, id: str = "1", **more: Any) -> Event:
    given = {"source": "desk", "type": "message.received", "occurred_at": THEN, "channel": "email"}
    return Event(**{**given, "id": id, "text": text, **more})


def answered(text: str, id: str = "2") -> Event:
    return wrote(text, id, type="message.sent", direction=Direction.outbound, author=Author(role=Role.agent))


def on_record(events: Iterable[Event], more: Sequence[Pattern] = ()) -> list[Fact]:
    return facts(((one, words_of(one)) for one in events), more)


def told(text: str) -> set[tuple[str, str]]:
    return {(one.kind, one.value) for one in on_record([wrote(text)]) if one.sort == Sort.told}


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("My order number is AB-48213.", "order", "ab-48213"),
        ("Minu tellimuse number on 48213", "order", "48213"),
        ("Užsakymo numeris 48213 neatvyko", "order", "48213"),
        ("Pasūtījuma numurs 48213 nav atnācis", "order", "48213"),
        ("Заказ № 48213 не пришёл", "order", "48213"),
        ("Tilauksen numero 48213 puuttuu", "order", "48213"),
        ("Die Bestellnummer 48213 fehlt", "order", "48213"),
        ("Invoice no. 2026/117 is wrong", "invoice", "2026/117"),
        ("Arve nr 2026117 on vale", "invoice", "2026117"),
        ("Your case #77120 is closed", "case", "77120"),
        ("Lepingu number L-5531 lõppes", "contract", "l-5531"),
        ("The serial number is SN123X99", "serial", "sn123x99"),
        ("I paid 49.90 EUR", "amount", "49.90 eur"),
        ("It cost €19,50 then", "amount", "€19,50"),
        ("It came on 12.02.2026 already", "date", "12.02.2026"),
        ("It came on 12 February", "date", "12 february"),
        ("Send it to 12 Long Street", "address", "12 long street"),
        ("Elan Pikk tänav 12-4", "address", "pikk tänav 12-4"),
        ("The model is Aurora X200", "product", "aurora x200"),
    ],
)
def test_what_customers_tell_is_found(text: str, kind: str, value: str) -> None:
    assert (kind, value) in told(text)


@pytest.mark.parametrize("text", ["In order to pay I called twice", "The order is late", "I have a case", "Thank you!"])
def test_words_without_a_number_tell_none(text: str) -> None:
    assert not told(text)


def test_a_fact_has_its_sentence_and_event() -> None:
    found = on_record([wrote("Hello!\n\nThe lamp broke. My order is 48213. Please help.")])
    assert [(one.sentence, one.event, one.at) for one in found] == [("My order is 48213.", "desk 1", THEN)]


def test_references_of_an_event_are_told() -> None:
    event = wrote("It never came", references=(Reference(type="order", value="A1"),))
    assert [(one.kind, one.value) for one in on_record([event])] == [("order", "a1")]


def test_what_others_quote_or_say_is_not_told_by_the_customer() -> None:
    quoted = wrote("Thanks!\n\nOn Mon, 2 Mar 2026 at 08:00, Ann <a@b.ee> wrote:\n> My order is 48213")
    assert not on_record([quoted, answered("Your order 48213 is here.")])


@pytest.mark.parametrize(
    "text", ["I already tried another cable.", "Proovisin teist kaablit.", "Я уже сделал: я перезагрузил роутер."]
)
def test_what_was_tried_is_found(text: str) -> None:
    assert [(one.sort, one.sentence) for one in on_record([wrote(text)])] == [(Sort.tried, text)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("We will call you back tomorrow.", date(2026, 3, 3)),
        ("We'll refund it within 5 working days.", date(2026, 3, 7)),
        ("You will receive it in 2 weeks.", date(2026, 3, 16)),
        ("Vastame teile hiljemalt homme.", date(2026, 3, 3)),
        ("Мы вернём деньги за 3 дня до 12.03.2026.", date(2026, 3, 12)),
        ("Wir werden das bis 2026-03-20 klären.", date(2026, 3, 20)),
        ("We will look into it.", None),
    ],
)
def test_promises_have_their_day(text: str, day: date | None) -> None:
    assert [(one.sort, one.due) for one in on_record([answered(text)])] == [(Sort.promised, day)]


def test_a_day_that_is_none_is_no_due_date() -> None:
    assert due("We will do it by 45.13.2026", THEN) is None


def test_what_we_asked_is_found() -> None:
    found = on_record([answered("Could you tell me your order number?")])
    assert [(one.sort, one.kind) for one in found] == [(Sort.asked, "order")]


@pytest.mark.parametrize(
    "question",
    ["What is your order number?", "Mis on teie tellimuse number?", "Koks jūsų užsakymo numeris?",
     "Kāds ir jūsu pasūtījuma numurs?", "Какой у вас номер заказа?", "Mikä on tilausnumero?",
     "Wie lautet Ihre Bestellnummer?"],
)  # fmt: skip
def test_a_question_is_answered_by_what_was_told(question: str) -> None:
    known = on_record([wrote("My order is 48213. I paid 20 EUR.")])
    assert [one.value for one in answering(question, known)] == ["48213"]


def test_what_is_not_on_record_is_not_answered() -> None:
    assert not answering("What is your address?", on_record([wrote("My order is 48213.")]))


def test_whether_it_was_tried_is_answered() -> None:
    known = on_record([wrote("I restarted the router twice.")])
    assert [one.sort for one in answering("Have you tried restarting it?", known)] == [Sort.tried]


def test_a_deployment_adds_its_own_patterns() -> None:
    own = [Pattern("meter", r"meter (\d{5})", "meter")]
    known = on_record([wrote("It is meter 55123.")], own)
    assert [(one.kind, one.value) for one in answering("Which meter is it?", known, own)] == [("meter", "55123")]


TOLD = [wrote("My order is 48213."), wrote("Invoice 99817, I tried it.", "3"), answered("We will call.")]


@given(st.permutations(TOLD))
def test_any_order_gives_the_same_facts(events: list[Event]) -> None:
    assert on_record(events) == on_record(sorted(events, key=lambda one: one.id)) == on_record([*events, *events])


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    for fact in on_record([wrote(text), answered(text)]):
        assert fact.sentence in text


@given(st.one_of(st.text(), st.lists(st.sampled_from(SAID), max_size=8).map(" ".join)))
def test_a_pattern_that_asks_for_a_digit_finds_nothing_without_one(text: str) -> None:
    tried = [replace(one, numbered=False) for one in SHIPPED if one.numbered]
    bare = "".join(letter for letter in text if not letter.isdecimal())
    assert not [one for one in on_record([wrote(bare)], tried) if one.kind != "product" and one.sort == Sort.told]
