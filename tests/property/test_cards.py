"""No card's number reaches the log, whatever the card, however it is written and wherever it stands."""

import re
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services import cards
from services.access import Source
from services.eventlog.budget import Budget
from services.identifiers import Rules
from services.ingest.acceptance import Acceptance
from services.ingest.groupcommit import GroupCommit, Threads
from tests.builders import at, document
from tests.fakes import MemoryLog

SHOP = Source("shop", "events")
# First digits and sizes as issuers publish them, written down here once more.
ISSUED = [
    ("4", 13), ("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
    ("300", 14), ("36", 14), ("38", 14), ("6011", 16), ("65", 16), ("644", 19), ("3528", 16), ("3589", 16), ("62", 16),
    ("62", 19), ("5018", 13), ("6759", 16), ("6304", 19), ("2200", 16), ("8600", 16), ("2131", 15),
]  # fmt: skip
SCRIPTS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]
BETWEEN = ["", " ", "-", ".", "\u00a0", "\u202f", "\u2009", "–", "\u2011", " - ", "  ", "\n", "\u200b"]


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A card's number, by its issuer's first digits and Luhn's check digit."""
    first, size = draw(st.sampled_from(ISSUED))
    rest = draw(st.text("0123456789", min_size=size - len(first) - 1, max_size=size - len(first) - 1))
    total = 0
    for place, digit in enumerate(reversed(first + rest)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return f"{first}{rest}{-total % 10}"


@st.composite
def written(draw: st.DrawFn, number: str) -> str:
    """The same as somebody may write it."""
    digits = draw(st.sampled_from(SCRIPTS))
    between = draw(st.sampled_from(BETWEEN))
    size = draw(st.sampled_from([1, 2, 4, 5, 19]))
    groups = [number[start : start + size] for start in range(0, len(number), size)]
    return between.join("".join(digits[int(digit)] for digit in group) for group in groups)


WORDS = ["", "my card ", "Visa", "kaart: ", "€ ", "карта ", "カード", "no 7, ", "?card=", '"', "\\", "é", "<b>"]
words = st.sampled_from(WORDS)


@st.composite
def places(draw: st.DrawFn, card: str) -> dict[str, Any]:
    """A document in which a card stands somewhere."""
    text = draw(words) + card + draw(words)
    return draw(
        st.sampled_from(
            [
                {"text": text}, {"data": {"subject": text}}, {"data": {"deep": [{"in": [text]}]}}, {"data": {text: 1}},
                {"data": {"html": f"<p>{text}</p>"}}, {"note": text, "text": "x"},
                {"author": {"name": text}}, {"data": {"attachments": [{"name": text}]}},
                {"type": "x", "data": {"a": text}},
            ]
        )
    )  # fmt: skip


def logged(posted: dict[str, Any]) -> bytes:
    """What reaches the log of a posted document, before anything is stored: its key and its line."""
    acceptance = Acceptance(GroupCommit(Threads(MemoryLog()), Budget(10**9), 5), Rules(), ("email",), 10)
    judged = acceptance.judge(SHOP, [posted], at(0))
    assert not judged.refusals
    (draft,) = judged.drafts
    return draft.key.encode() + b"\n" + draft.value


def digits(line: bytes) -> str:
    """All digits of a line, one after the other, whatever stands between."""
    text = re.sub(r"<[^<>]*>", "", "".join(walk(orjson.loads(line))))
    return "".join(str(int(sign)) for sign in text if sign.isdecimal())


def walk(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [piece for name, item in value.items() for piece in (name, *walk(item))]
    return [piece for item in value for piece in walk(item)] if isinstance(value, list) else [str(value)]


@settings(max_examples=500)
@given(st.data())
def test_no_cards_number_reaches_the_log(data: st.DataObject) -> None:
    number = data.draw(numbers())
    posted = document(id="e", data=None) | data.draw(places(data.draw(written(number))))
    key, _, line = logged(posted).partition(b"\n")
    assert number[:-4] not in digits(line)
    assert b"****" in line
    assert number.encode() not in key


@given(numbers(), st.integers(1, 9), st.data())
def test_a_number_whose_check_digit_is_wrong_stays(number: str, more: int, data: st.DataObject) -> None:
    wrong = number[:-1] + str((int(number[-1]) + more) % 10)
    text = data.draw(written(wrong))
    if not any(True for _ in cards.found(text)):  # by chance its groups may hold another
        assert text in orjson.loads(logged(document(id="e", data=None, text=text)).partition(b"\n")[2])["data"]["text"]
    assert cards.masked(wrong) == wrong


@given(st.text(st.sampled_from("4444111105 -.\u00a0\u3000٤１\nй")))
def test_the_quick_look_never_says_no_in_vain(text: str) -> None:
    if any(True for _ in cards.found(text)):
        assert cards.may_be_in(orjson.dumps(text))


def test_the_quick_look_knows_every_digit_there_is() -> None:
    for code in range(0x110000):
        if (sign := chr(code)).isdecimal():
            zero = code - int(sign)  # the digits of a script stand one after the other
            card = "".join(chr(zero + int(digit)) for digit in "4111111111111111")
            assert cards.may_be_in(orjson.dumps(card)), f"U+{code:04X}"


@settings(max_examples=50)
@given(st.text("0123456789", min_size=cards.MANY + 1, max_size=200) | st.text("045", min_size=101, max_size=140))
def test_a_long_row_of_single_digits_is_looked_at_from_each(digits: str) -> None:
    covered: list[tuple[int, int]] = []
    for start in range(len(digits)):
        for size in cards.FIRSTS.get(digits[start : start + 4].encode(), ()):
            if start + size <= len(digits) and luhn(digits[start : start + size]):
                if covered and start < covered[-1][1]:
                    covered[-1] = covered[-1][0], max(covered[-1][1], start + size)
                else:
                    covered.append((start, start + size))
    found = [(span.start // 2, (span.end + 1) // 2, span.last) for span in cards.found(" ".join(digits))]
    assert found == [(start, end, digits[end - 4 : end]) for start, end in covered]


def luhn(number: str) -> bool:
    """Whether the check digit is right, as the standard says it."""
    values = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 * (value > 9) for value in values) % 10 == 0
