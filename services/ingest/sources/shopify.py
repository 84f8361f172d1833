"""Shopify's webhooks: orders, their payment and refunds, and how far parcels are. Pure.

Shopify signs no time, and sends again for two days; ids are the webhook's subject and state, so that a replay and a
second subscription change nothing.
Source: Shopify, "Verify webhooks" and the REST resources that its topics carry (order, fulfillment, refund, customer).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from services.ingest.sources.fields import (
    content_id,
    currency_of,
    given,
    items,
    moment,
    money_of,
    name,
    named,
    part,
    quantity,
    status_of,
    text,
    told,
)
from services.ingest.sources.vendor import Document, Post, Vendor, check_signature

PAYMENTS = {"paid": "paid", "cancelled": "cancelled"}
SHIPMENTS = {
    "confirmed": "shipped", "label_printed": "prepared", "label_purchased": "prepared", "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery", "attempted_delivery": "attempted", "ready_for_pickup": "ready_for_pickup",
    "delivered": "delivered", "failure": "failed", "delayed": "delayed",
}  # fmt: skip


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over the body, in base64. Raises Forged."""
    codes = (hmac.new(secret.encode(), post.raw, hashlib.sha256).digest() for secret in secrets)
    check_signature((base64.b64encode(code).decode() for code in codes), post.headers.get("x-shopify-hmac-sha256"))


def translate(post: Post) -> Iterator[Document]:
    """The events of a post; its topic is in a header, or told by the body's form. Raises Malformed."""
    body = post.object
    topic = post.headers.get("x-shopify-topic", "").strip().lower() or _topic(body)
    at = moment(body, "updated_at") or moment(body, "created_at")
    known = {"time": told(at, post.received_at), "channel": "web", **_whom(body)}
    number = text(body, "id")
    if not number:
        return
    if topic == "orders/create":
        created = told(moment(body, "created_at"), post.received_at)
        channel = "in_person" if text(body, "source_name") == "pos" else "web"
        yield {**known, **_order(body), "id": f"order-{number}", "time": created, "channel": channel}
    elif topic in ("orders/paid", "orders/cancelled"):
        what = topic.partition("/")[2]
        ended = moment(body, "cancelled_at" if what == "cancelled" else "processed_at") or at
        amount = text(body, "total_price", "current_total_price")
        yield {**known, **_bill(body, PAYMENTS[what], amount), "id": f"order-{number}/{what}",
               "time": told(ended, post.received_at)}  # fmt: skip
    elif topic == "refunds/create":
        yield {**known, **_bill(body, "refunded", _refund(body)), "id": f"refund-{number}"}
    elif topic == "orders/updated":  # a refund by itself does not say whose it is
        for refund in items(body, "refunds"):
            if id := text(refund, "id"):
                when = told(moment(refund, "processed_at") or moment(refund, "created_at"), post.received_at)
                yield {**known, **_bill(body, "refunded", _refund(refund)), "id": f"refund-{id}", "time": when}
    elif topic.startswith("fulfillments/"):
        yield from _parcel(body, number, known)
    elif topic in ("customers/create", "customers/update"):
        traits = given(name=_name(body))
        id = f"customer-{number}/{content_id(known['identifiers'], traits)}"
        yield {**known, "id": id, "type": "customer.identified", "channel": "other", "data": {"traits": traits}}


def _topic(body: Document) -> str:
    """What a body is where no header says so: an order has lines and a total, a parcel says its order."""
    if "tracking_number" in body or "shipment_status" in body:
        return "fulfillments/update"
    if "refund_line_items" in body:
        return "refunds/create"
    if "line_items" in body and "total_price" in body:
        return "orders/cancelled" if text(body, "cancelled_at") else "orders/create"
    return "customers/update" if "email" in body and "line_items" not in body else ""


def _order(body: Document) -> Document:
    lines = [
        given(name=text(one, "title", "name"), sku=text(one, "sku"), amount=money_of(one, "price"),
              quantity=quantity(one))
        for one in items(body, "line_items")
    ]  # fmt: skip
    data = {"items": lines, **given(amount=money_of(body, "total_price"), currency=currency_of(body))}
    return {"type": "purchase.made", "references": _references(body), "data": data}


def _bill(body: Document, status: str, amount: str | None) -> Document:
    reason = text(body, "cancel_reason")
    money = given(amount=money_of({"amount": amount}, "amount"), currency=currency_of(body), reason=reason)
    data = {"status": status, **money}
    return {"type": "billing.updated", "channel": "other", "references": _references(body), "data": data}


def _refund(refund: Document) -> str | None:
    """What was given back in all: by card, as a gift card, …"""
    done = [one for one in items(refund, "transactions") if text(one, "status") in (None, "success")]
    given_back = [Decimal(amount) for one in done if (amount := money_of(one, "amount"))]
    return str(sum(given_back)) if given_back else None


def _parcel(body: Document, number: str, known: Document) -> Iterator[Document]:
    shipment, state = text(body, "shipment_status"), text(body, "status")
    status = "cancelled" if state == "cancelled" else status_of(SHIPMENTS.get(shipment or "", shipment or "shipped"))
    numbers = body.get("tracking_numbers")
    first = numbers[0] if isinstance(numbers, list) and numbers else None
    tracking = text(body, "tracking_number") or text({"first": first}, "first")
    due = moment(body, "estimated_delivery_at")
    found = given(tracking=tracking, carrier=text(body, "tracking_company"), due=due and due.date().isoformat())
    data = {"status": status, **found}
    yield {
        **known, "id": f"fulfillment-{number}/{status}", "type": "delivery.updated", "channel": "other",
        "references": _references(body), "data": data,
    }  # fmt: skip


def _references(body: Document) -> list[Document]:
    """The order by the name that customers know, `#1001`, without its sign; of a parcel it has a suffix."""
    order = text(body, "name") or text(body, "order_number") or text(body, "order_id")
    plain = order and re.sub(r"\.\d+$", "", order).lstrip("#")
    return [{"type": "order", "value": plain[:512]}] if plain and ("order_id" in body or "line_items" in body) else []


def _whom(body: Document) -> Document:
    customer, address = part(body, "customer"), part(body, "shipping_address") or part(body, "destination")
    whole = customer or (body if "orders_count" in body or "verified_email" in body else {})
    mail = text(body, "email", "contact_email") or text(whole, "email")
    phone = text(body, "phone") or text(whole, "phone") or text(address, "phone")
    person = _name(whole) or name(address, "name")
    return {
        "identifiers": named(email=mail, phone=phone, shopify=text(whole, "id")),
        **({"author": {"role": "customer", "name": person}} if person else {}),
    }


def _name(person: Document) -> str | None:
    whole = " ".join(word for field in ("first_name", "last_name") if (word := text(person, field)))
    return whole[:512] or None


VENDORS = (
    Vendor(
        name="shopify",
        title="Shopify",
        channel="web",
        translate=translate,
        verify=verify,
        secret="the webhooks' signing secret, or the app's client secret",
        reference="https://shopify.dev/docs/apps/build/webhooks",
        setup=(
            "Settings → Notifications → Webhooks: make one for each topic below, in JSON, with `{url}`. Give the "
            "secret shown below the list by `tellonce sources secret`. Of refunds choose Order update: what comes as "
            "Refund create does not say whose it is."
        ),
        becomes={
            "orders/create": "purchase.made",
            "orders/paid, orders/cancelled; refunds in orders/updated": "billing.updated",
            "refunds/create": "billing.updated, of nobody",
            "fulfillments/create, fulfillments/update": "delivery.updated",
            "customers/create, customers/update": "customer.identified",
        },
    ),
)
