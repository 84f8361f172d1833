"""What must never be kept of an event: card numbers, and what this deployment's own patterns find. Pure.

It is masked before the event log, in texts and in data, in names of fields too. Left as they are: what systems call
things by (the id, the conversation, values of identifiers and references), since two masked ones would be taken for
one, and one in ten of all numbers passes for a card's. Of identifiers and references, those that say that they are a
card, or are written as people write one, are left out.
"""

import re
from collections.abc import Sequence
from typing import Any

from schemas.codec import encode
from schemas.event import Event, Identifier, Reference
from services import cards
from services.identifiers import OWN_SOURCE

MASK = "****"
CARDS = re.compile(r"((credit|debit|payment|bank)_?)?card(_?(number|no))?|pan|cc(_?number)?")  # types that say so
# Names of goods' numbers, whose 13 digits pass for those of Visa's old cards.
GOODS = re.compile(r"(.*_)?(sku|ean|ean13|gtin|gtin13|barcode)", re.IGNORECASE)
EAN = re.compile(r"\d{13}")
# Data that name another event or identifier, by type.
NAMING = {
    "message.edited": {"message"}, "message.deleted": {"message"}, "customer.identified": {"previous"},
    "feedback.received": {"contact"},
}  # fmt: skip
OWN_NAMING = {"about", "left", "right", "identifier", "one", "other", "issue", "where"}  # the same in our own
LONG = 20_000  # bytes of an event in which a card's number is looked for while it is masked, and not before as well
SMALLEST = 10 ** (cards.SHORTEST - 1)


class Masking:
    """Masks card numbers, and what `patterns` find, for which each event is looked through from end to end."""

    def __init__(self, patterns: Sequence[re.Pattern[str]] = ()) -> None:
        self._patterns = patterns

    def is_needed(self, line: bytes) -> bool:
        """Whether an event, as its line, may hold something to mask; costs next to nothing where it does not."""
        if self._patterns:
            return True
        return cards.may_be_in(line) and (len(line) > LONG or next(cards.found(line.decode()), None) is not None)

    def masked(self, event: Event) -> tuple[Event, bytes]:
        """The event as it may be kept, and its line."""
        line = encode(event)
        if not self.is_needed(line):
            return event, line
        author = event.author and event.author.model_copy(update={"name": self._optional(event.author.name)})
        kept = event.model_copy(
            update={
                "author": author,
                "text": self._optional(event.text),
                "identifiers": tuple(one for one in event.identifiers if not _is_card(one)),
                "references": tuple(one for one in event.references if not _is_card(one)),
                "data": self._data(event),
                "extensions": self._value(event.extensions),
            }
        )
        return kept, encode(kept)

    def text(self, text: str) -> str:
        """A text as it may be kept."""
        text = cards.masked(text)
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text

    def _optional(self, text: str | None) -> str | None:
        return text and self.text(text)

    def _data(self, event: Event) -> dict[str, Any]:
        """The handles and passages in our own events, and what names other events, stay."""
        names = NAMING.get(event.type, OWN_NAMING if event.source == OWN_SOURCE else set())
        masked: dict[str, Any] = self._value({name: value for name, value in event.data.items() if name not in names})
        return masked | {name: event.data[name] for name in names if name in event.data}

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self.text(value)
            case dict():
                return self._object(value)
            case list():
                return [self._value(item) for item in value]
            case int() | float() if not isinstance(value, bool) and abs(value) >= SMALLEST and value == int(value):
                masked = self.text(str(int(value)))
                return masked if MASK in masked else value
        return value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, item in value.items():
            known = self.text(name)
            while known in kept:  # two names that were masked
                known += "*"
            kept[known] = item if GOODS.fullmatch(name) and _is_ean(item) else self._value(item)
        return kept


def _is_card(one: Identifier | Reference) -> bool:
    """Whether it says that it is a card's number and looks like one, or is written in groups like one."""
    span = next(cards.found(one.value), None)
    is_typed = span is not None and span.end - span.start == len(one.value.strip()) and not one.value.isalnum()
    return span is not None and (is_typed or bool(CARDS.fullmatch(one.type)))


def _is_ean(value: Any) -> bool:
    """Whether it is a product's number of 13 digits (GTIN-13, GS1's check digit)."""
    digits = str(value)
    if not EAN.fullmatch(digits):
        return False
    return sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(digits)) % 10 == 0
