"""Tracked events to which Segment's specs of e-commerce and live chat give a meaning, in our words. Pure."""

import re
from collections.abc import Callable
from typing import Any

from services.ingest.sources.fields import given, items, number, part, text

Document = dict[str, Any]
Meaning = Callable[[Document], Document]

# Properties that name a thing, written without underscores and capitals: `orderId`, `order_number` …
THINGS = {name: name for name in ("order", "invoice", "subscription", "case")} | {"ticket": "case"}
REFERENCES = {thing + end: type for thing, type in THINGS.items() for end in ("id", "number")}
CURRENCY = re.compile(r"[A-Z]{3}")


def track(call: Document) -> Document:
    """A tracked event; what misses its meaning's essential properties is an `app.event` like any other."""
    name, properties = text(call, "event", "name") or "event", part(call, "properties")
    meaning = MEANINGS.get(name.strip().lower())
    known = meaning(properties) if meaning else {}
    data = {"name": name, "properties": properties} | known.pop("data", {})
    return {"type": "app.event", "references": _references(properties), **known, "data": data}


def _references(properties: Document) -> list[Document]:
    named = ((REFERENCES.get(name.replace("_", "").lower()), text(properties, name)) for name in properties)
    return [{"type": type, "value": value} for type, value in named if type and value and len(value) <= 512]


def _purchase(properties: Document) -> Document:
    """`total` is with tax and delivery, `revenue` without."""
    amount = number(properties, "total", "revenue", "value")
    if amount is None:
        return {}
    currency = (text(properties, "currency") or "").upper()
    known = given(currency=currency if CURRENCY.fullmatch(currency) else None)
    bought = [_item(product) for product in items(properties, "products")]
    return {"type": "purchase.made", "data": {"amount": amount, "items": bought} | known}


def _item(product: Document) -> Document:
    quantity = number(product, "quantity")
    return given(
        name=text(product, "name"),
        sku=text(product, "sku", "product_id"),
        quantity=quantity if quantity is not None and quantity >= 0 else None,
        amount=number(product, "price"),
    )


def _chat(type: str, *, by_agent: bool = False, wordless: bool = False) -> Meaning:
    """The spec's point of view is the customer's: they *send*, and *receive* what the agent wrote."""

    def meaning(properties: Document) -> Document:
        conversation, words = text(properties, "conversation_id"), text(properties, "message_body")
        if not conversation or not (words or wordless):
            return {}
        known = {"type": type, "channel": "chat", "conversation": conversation} | given(text=words)
        if by_agent:
            named = given(id=text(properties, "agent_id"), name=text(properties, "agent_name"))
            known["author"] = {"role": "agent"} | named
        return known

    return meaning


MEANINGS: dict[str, Meaning] = {
    "order completed": _purchase,
    "live chat conversation started": _chat("chat.started", wordless=True),
    "live chat message sent": _chat("message.received"),
    "live chat message received": _chat("message.sent", by_agent=True),
    "live chat conversation ended": _chat("chat.ended", wordless=True),
}
