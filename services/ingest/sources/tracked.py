"""Tracked events to which Segment's specs of e-commerce, mail, live chat and mobile give a meaning. Pure."""

import re
from collections.abc import Callable
from typing import Any

from services.ingest.sources.fields import given, items, number, text

Document = dict[str, Any]
Meaning = Callable[[Document], Document]

# Properties that name a thing, written without underscores and capitals: `orderId`, `order_number` …
THINGS = {name: name for name in ("order", "invoice", "subscription", "case")} | {"ticket": "case"}
REFERENCES = {thing + end: type for thing, type in THINGS.items() for end in ("id", "number")}
CURRENCY = re.compile(r"[A-Z]{3}")


def track(name: str, properties: Document, who: str | None = None) -> Document:
    """A tracked event; what misses its meaning's essential properties is an `app.event` like any other.

    `who` the customer is to the source tells apart what several people have been sent.
    """
    meaning = MEANINGS.get(name.strip().lower())
    known = meaning(properties) if meaning else {}
    if known.get("channel") == "email" and "conversation" in known:
        known["conversation"] = " ".join(filter(None, (known["conversation"], who)))[:512]
    data = {"name": name, "properties": properties} | known.pop("data", {})
    return {"type": "app.event", "references": _references(properties), **known, "data": data}


def _references(properties: Document) -> list[Document]:
    named = ((REFERENCES.get(name.replace("_", "").lower()), text(properties, name)) for name in properties)
    return [{"type": type, "value": value} for type, value in named if type and value and len(value) <= 512]


def _purchase(properties: Document) -> Document:
    """`total` is with tax and delivery, `revenue` without."""
    known = _money(properties)
    bought = [_item(product) for product in items(properties, "products")]
    return {"type": "purchase.made", "data": known | {"items": bought}} if known else {}


def _refund(properties: Document) -> Document:
    known = _money(properties)
    return {"type": "billing.updated", "data": known | {"status": "refunded"}} if known else {}


def _money(properties: Document) -> Document:
    """The amount, if there is one, and its currency."""
    amount, currency = number(properties, "total", "revenue", "value"), (text(properties, "currency") or "").upper()
    if amount is None:
        return {}
    return {"amount": amount, **given(currency=currency if CURRENCY.fullmatch(currency) else None)}


def _item(product: Document) -> Document:
    quantity = number(product, "quantity")
    return given(
        name=text(product, "name", "item_name"),
        sku=text(product, "sku", "product_id", "item_id", "id"),
        quantity=quantity if quantity is not None and quantity >= 0 else None,
        amount=number(product, "price"),
    )


def _search(properties: Document) -> Document:
    query = text(properties, "query", "search_term")
    return {"type": "search.made", "data": {"query": query}} if query else {}


def _crash(properties: Document) -> Document:
    said = text(properties, "message", "description", "reason")
    return {"type": "error.shown", "data": given(message=said, code=text(properties, "code"), url=None)}


def _review(properties: Document) -> Document:
    return given(text=text(properties, "review_body"))


def _mail(type: str = "app.event", direction: str = "inbound", role: str = "customer") -> Meaning:
    """What became of a mail to the customer; each mail is one conversation with each who got it."""

    def meaning(properties: Document) -> Document:
        mail = text(properties, "email_id", "campaign_id")
        known = {"type": type, "channel": "email", "direction": direction} | given(conversation=mail)
        if role != "customer":
            known["author"] = {"role": role}
        sent = {"automatic": "list"} | given(subject=text(properties, "email_subject"))
        return known | ({"data": sent} if type == "message.sent" else {})

    return meaning


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
    "order refunded": _refund,
    "products searched": _search,
    "product reviewed": _review,
    "application crashed": _crash,
    "email delivered": _mail("message.sent", "outbound", "system"),
    "email bounced": _mail(direction="internal", role="system"),
    "email opened": _mail(),
    "email link clicked": _mail(),
    "email marked as spam": _mail(),
    "unsubscribed": _mail(),
    "live chat conversation started": _chat("chat.started", wordless=True),
    "live chat message sent": _chat("message.received"),
    "live chat message received": _chat("message.sent", by_agent=True),
    "live chat conversation ended": _chat("chat.ended", wordless=True),
}
