"""AfterShip's webhooks: how far parcels of any carrier are. Pure.

Source: AfterShip Tracking API, webhook specifications (`tracking_update`, `edd_revise`; `aftership-hmac-sha256`).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence

from services.ingest.sources.fields import content_id, given, items, moment, name, named, part, status_of, text, told
from services.ingest.sources.vendor import Document, Post, Vendor, check_signature

STATUSES = {
    "InfoReceived": "announced", "InTransit": "in_transit", "OutForDelivery": "out_for_delivery",
    "AttemptFail": "attempted", "Delivered": "delivered", "AvailableForPickup": "ready_for_pickup",
    "Exception": "exception", "Expired": "expired", "Pending": "pending",
}  # fmt: skip


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over the body, in base64; without a time. Raises Forged."""
    codes = (hmac.new(secret.encode(), post.raw, hashlib.sha256).digest() for secret in secrets)
    said = post.headers.get("aftership-hmac-sha256") or post.headers.get("as-signature-hmac-sha256")
    check_signature((base64.b64encode(code).decode() for code in codes), said)


def translate(post: Post) -> Iterator[Document]:
    """The event of a post. Raises Malformed."""
    body, found = post.object, part(post.object, "msg") or part(post.object, "data")
    tag, tracking = text(found, "tag"), text(found, "tracking_number")
    if not tag or not tracking:
        return
    steps = items(found, "checkpoints")
    last = steps[-1] if steps else {}
    at = moment(last, "checkpoint_time") or moment(body, "ts") or moment(found, "updated_at")
    status = STATUSES.get(tag) or status_of(tag)
    latest = part(found, "latest_estimated_delivery")
    due = text(latest, "datetime", "datetime_max") or text(found, "expected_delivery", "order_promised_delivery_date")
    order = text(found, "order_number", "order_id")
    number = text(found, "id") or tracking
    yield {
        "id": text(body, "event_id") or f"{number}/{status}/{content_id(text(last, 'checkpoint_time'), due)}",
        "type": "delivery.updated",
        "channel": "other",
        "time": told(at, post.received_at),
        "references": [{"type": "order", "value": order.lstrip("#")}] if order and order.lstrip("#") else [],
        "data": {
            "status": status, "tracking": tracking,
            **given(carrier=text(found, "slug"), due=due, said=text(last, "message") or text(found, "subtag_message")),
        },
        **_whom(found),
    }  # fmt: skip


def _whom(found: Document) -> Document:
    """The receiver: an object in newer versions, lists of addresses in older ones."""
    receivers = [one for one in items(found, "customers") if one.get("role") in (None, "buyer", "receiver")]
    person = receivers[0] if receivers else {}
    lists = {field: found.get(field) for field in ("emails", "smses")}
    first = {field: value[0] for field, value in lists.items() if isinstance(value, list) and value}
    mail, phone = text(person, "email") or text(first, "emails"), text(person, "phone_number") or text(first, "smses")
    called = name(person, "name") or name(found, "customer_name")
    fields = part(found, "custom_fields")
    people = named(account=text(fields, "customer_id", "user_id"), email=mail, phone=phone)
    return {"identifiers": people, **({"author": {"role": "customer", "name": called}} if called else {})}


VENDORS = (
    Vendor(
        name="aftership",
        title="AfterShip",
        channel="other",
        translate=translate,
        verify=verify,
        secret="the webhook secret",
        reference="https://www.aftership.com/docs/tracking/webhook/webhook-specifications",
        setup=(
            "Tracking → Notifications → Webhooks: paste `{url}` and choose the shipment statuses. Give the webhook "
            "secret by `tellonce sources secret`."
        ),
        becomes={"tracking_update, edd_revise": "delivery.updated"},
    ),
)
