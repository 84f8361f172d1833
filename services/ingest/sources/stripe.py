"""Stripe's webhooks: invoices, payments and refunds. Pure.

What a customer paid or owes is told; what only Stripe does between (payment intents in progress, payouts) becomes
nothing. Amounts come in the currency's smallest unit.
Source: Stripe, "Webhook signatures" and the types of its events.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from services.ingest.sources.fields import (
    currency_of,
    given,
    items,
    moment,
    name,
    named,
    number,
    part,
    quantity,
    text,
    told,
)
from services.ingest.sources.vendor import Document, Post, Vendor, check_fresh, check_signature, signature

INVOICES = {
    "finalized": "issued", "paid": "paid", "payment_failed": "failed", "overdue": "overdue", "voided": "cancelled",
    "marked_uncollectible": "uncollectible", "upcoming": "upcoming", "sent": "sent",
    "payment_action_required": "action_required", "will_be_due": "reminded",
}  # fmt: skip
CHARGES = {"succeeded": "paid", "failed": "failed", "refunded": "refunded", "expired": "expired"}
DISPUTES = {"created": "disputed", "closed": "dispute_closed"}
SUBSCRIPTIONS = {
    "created": "subscribed", "deleted": "unsubscribed", "paused": "paused", "resumed": "resumed",
    "trial_will_end": "trial_ends",
}  # fmt: skip
# Currencies without a smaller unit, and those of a thousand.
WHOLE = ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF")
THOUSANDTHS = ("BHD", "JOD", "KWD", "OMR", "TND")


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over time and body, of which the header may carry several. Raises Forged."""
    pairs = [pair.partition("=")[::2] for pair in post.headers.get("stripe-signature", "").split(",")]
    at = next((value for name, value in pairs if name.strip() == "t"), "")
    expected = [signature(secret, at.encode(errors="replace") + b"." + post.raw) for secret in secrets]
    given = [value for name, value in pairs if name.strip() == "v1"]
    known = next((one for one in given if one.strip() in expected), given[0] if given else None)
    check_signature(expected, known)
    check_fresh(at, post.received_at)


def translate(post: Post) -> Iterator[Document]:
    """The event of a post. Raises Malformed."""
    event = post.object
    kind, _, what = (text(event, "type") or "").rpartition(".")
    found, id = part(part(event, "data"), "object"), text(event, "id")
    known = {"id": id, "time": told(moment(event, "created"), post.received_at), "channel": "other", **_whom(found)}
    if kind == "invoice" and what in INVOICES:  # "payment_succeeded" comes beside "paid"
        amount = text(found, "amount_paid") if what == "paid" else text(found, "amount_due")
        yield {**known, **_invoice(found, INVOICES[what], amount or text(found, "total"))}
    elif kind == "charge" and what in CHARGES and (what == "refunded" or not text(found, "invoice")):
        amount = _refund(event, found) if what == "refunded" else text(found, "amount")  # else the invoice tells it
        yield {**known, **_invoice(found, CHARGES[what], amount)}
    elif kind == "charge.dispute" and what in DISPUTES:
        yield {**known, **_invoice(found, DISPUTES[what], text(found, "amount"))}
    elif kind == "customer.subscription" and what in SUBSCRIPTIONS:
        yield {**known, **_invoice(found, SUBSCRIPTIONS[what], None)}
    elif kind == "checkout.session" and what == "completed":
        yield {**known, **_purchase(found)}
    elif kind == "customer" and what in ("created", "updated"):
        traits = given(name=name(found, "name"))
        yield {**known, "type": "customer.identified", "data": {"traits": traits}}


def _refund(event: Document, found: Document) -> str | None:
    """What was given back now: the charge says what was in all, the event what that was before."""
    whole = number(found, "amount_refunded")
    before = number(part(part(event, "data"), "previous_attributes"), "amount_refunded") or 0
    return None if whole is None else f"{whole - before:.0f}"


def _invoice(found: Document, status: str, cents: str | None) -> Document:
    currency, due = currency_of(found), moment(found, "due_date")
    why = text(found, "failure_message") or text(part(found, "last_finalization_error"), "message")
    amount, day = _amount(cents, currency), due and due.date().isoformat()
    data = {"status": status, **given(amount=amount, currency=currency, due=day, reason=why)}
    return {"type": "billing.updated", "references": _references(found), "data": data}


def _purchase(found: Document) -> Document:
    currency = currency_of(found)
    lines = items(part(found, "line_items"), "data")
    bought = [
        given(name=text(one, "description"), quantity=quantity(one),
              amount=_amount(text(one, "amount_total"), currency))
        for one in lines
    ]  # fmt: skip
    amount = _amount(text(found, "amount_total"), currency)
    data = {"items": bought, **given(amount=amount, currency=currency)}
    return {"type": "purchase.made", "channel": "web", "references": _references(found), "data": data}


def _amount(cents: str | None, currency: str | None) -> str | None:
    """An amount in the currency's whole units, from one in its smallest."""
    if not cents or not cents.lstrip("-").isdecimal() or len(cents) > 15:
        return None
    places = 0 if currency in WHOLE else 3 if currency in THOUSANDTHS else 2
    return format(Decimal(cents).scaleb(-places), "f")


def _references(found: Document) -> list[Document]:
    is_invoice, metadata = found.get("object") == "invoice", part(found, "metadata")
    invoice = text(found, "number", "id") if is_invoice else text(found, "invoice")
    numbers = {
        "invoice": invoice,
        "order": text(metadata, "order_id", "order", "order_number") or text(found, "client_reference_id"),
        "subscription": text(found, "id") if found.get("object") == "subscription" else text(found, "subscription"),
        "payment": text(found, "payment_intent", "id") if found.get("object") in ("charge", "dispute") else None,
    }
    return [{"type": type, "value": value} for type, value in numbers.items() if value]


def _whom(found: Document) -> Document:
    """The customer: by Stripe's id, by what they typed when they paid, and by our id where it was put into metadata."""
    details = part(found, "customer_details") or part(found, "billing_details")
    is_customer = found.get("object") == "customer"
    metadata, whole = part(found, "metadata"), part(found, "customer")
    mail = text(found, "customer_email", "receipt_email") or text(details, "email") or text(whole, "email")
    phone = text(found, "customer_phone") or text(details, "phone") or text(whole, "phone")
    return {
        "identifiers": named(
            account=text(metadata, "user_id", "customer_id", "account_id"),
            email=text(found, "email") if is_customer else mail,
            phone=text(found, "phone") if is_customer else phone,
            stripe=text(found, "id") if is_customer else text(found, "customer") or text(whole, "id"),
        )
    }


VENDORS = (
    Vendor(
        name="stripe",
        title="Stripe",
        channel="other",
        translate=translate,
        verify=verify,
        secret="the endpoint's signing secret (whsec_…)",
        reference="https://docs.stripe.com/webhooks",
        setup=(
            "Developers → Webhooks → Add endpoint: paste `{url}` and choose the events below. Give the endpoint's "
            "signing secret by `tellonce sources secret`. Put your own customer's id into `metadata.user_id` so that "
            "bills join their other dealings also without a mail address."
        ),
        becomes={
            "invoice.finalized, .paid, .payment_failed, .overdue, .will_be_due, .voided": "billing.updated",
            "charge.succeeded, .failed (without an invoice); .refunded, .dispute.created": "billing.updated",
            "customer.subscription.created, .deleted, .paused, .resumed, .trial_will_end": "billing.updated",
            "checkout.session.completed": "purchase.made",
            "customer.created, customer.updated": "customer.identified",
        },
    ),
)
