"""A till or shop system: visits and purchases in a plain form of ours. Pure."""

from services.ingest.sources import plain
from services.ingest.sources.fields import currency_of, given, items, money_of, quantity, text
from services.ingest.sources.vendor import Document, Post, Vendor


@plain.translator
def translate(record: Document, post: Post) -> Document:
    """A purchase where something has a price, else a visit. Raises Malformed."""
    known = {**plain.shared(record, post), "channel": "in_person"}
    amount, place = money_of(record, "amount", "total"), text(record, "place", "shop", "store")
    lines = [
        given(name=text(one, "name", "title"), sku=text(one, "sku", "code"), amount=money_of(one, "amount", "price"),
              quantity=quantity(one))
        for one in items(record, "items")
    ]  # fmt: skip
    if amount is None and not lines:
        visit = given(place=place, reason=text(record, "reason"), outcome=text(record, "outcome"))
        return {**known, "type": "shop.visited", "data": visit}
    money = given(amount=amount, currency=currency_of(record), place=place)
    if amount and amount.startswith("-"):
        status = {"status": "refunded", **money, **given(amount=amount[1:])}
        return {**known, "type": "billing.updated", "data": status}
    return {**known, "type": "purchase.made", "data": {"items": lines, **money}}


VENDORS = (
    Vendor(
        name="point-of-sale",
        title="Tills and shops, by a plain form",
        channel="in_person",
        translate=translate,
        reference="docs/sources.md",
        setup=(
            "Let your till post JSON to `{url}?key=KEY`, one object or an array: `id`, `time`, `customer` (`id`, "
            "`email`, `phone`, `loyalty_card`, `name`), `place`, `order`, `text`; for a purchase `amount`, `currency` "
            "and `items` (`name`, `sku`, `quantity`, `amount`); for a visit `reason` and `outcome`. An urlencoded "
            "form of the plain fields (`email`, `customer_id`, …) is read as well."
        ),
        becomes={
            "a record with `amount` or `items`": "purchase.made; a negative amount: billing.updated (refunded)",
            "a record without": "shop.visited",
        },
    ),
)
