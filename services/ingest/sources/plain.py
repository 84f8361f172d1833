"""What plain forms of tills, parcels, reviews and surveys have in common, for systems without a format of their own.

Pure. A post is a JSON object, an array of them, or an urlencoded form; names of fields are given in several spellings.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources.fields import content_id, given, moment, name, named, part, text, told
from services.ingest.sources.vendor import Document, Post

ABOUT = {"order": ("order", "order_id", "order_number", "receipt"), "invoice": ("invoice", "invoice_number"),
         "case": ("case", "case_id", "ticket", "ticket_id"), "subscription": ("subscription",)}  # fmt: skip


def translator(event: Callable[[Document, Post], Document]) -> Callable[[Post], Iterator[Document | Malformed]]:
    """A vendor's `translate` of what becomes of one record; those that are none, or lack something, are refused."""

    @wraps(event)
    def translate(post: Post) -> Iterator[Document | Malformed]:
        for record in _records(post):
            try:
                if not isinstance(record, dict):
                    words = "A record is a JSON object with the fields that docs/sources.md tells."
                    raise Malformed("not_an_object", words)
                yield event(record, post)
            except Malformed as problem:
                yield problem

    return translate


def _records(post: Post) -> list[Any]:
    if post.content.lstrip()[:1] not in (b"{", b"["):
        return [dict(post.values)]
    parsed = documents.parse(post.content)
    return parsed if isinstance(parsed, list) else [parsed]


def shared(record: Document, post: Post) -> Document:
    """Id, time, customer, references and words of a record; without an id the content is its id."""
    at = moment(record, "time") or moment(record, "timestamp") or moment(record, "created_at")
    person = part(record, "customer") or record
    conversation = text(record, "conversation", "conversation_id")
    author = name(person, "name", "customer_name") or name(part(record, "author"), "name")
    numbers = {type: text(record, *fields) for type, fields in ABOUT.items()}
    return {
        "id": text(record, "id", "event_id") or f"content-{content_id(sorted(record.items(), key=str))}",
        "time": told(at, post.received_at),
        "identifiers": whom(record),
        "references": [{"type": type, "value": value} for type, value in numbers.items() if value],
        **given(text=text(record, "text", "comment", "message", "note"), conversation=conversation),
        **({"author": {"role": "customer", "name": author}} if author else {}),
    }


def whom(record: Document) -> list[dict[str, str]]:
    """The customer, in an object of their own or in the record itself."""
    whole = part(record, "customer")
    person = whole or record
    return named(
        account=text(person, "account", "customer_id", "account_id", "user_id") or text(whole, "id"),
        email=text(person, "email", "mail", "customer_email"),
        phone=text(person, "phone", "phone_number", "customer_phone"),
        social=text(person, "social", "handle"),
        device=text(person, "device", "anonymous_id"),
        loyalty_card=text(person, "loyalty_card", "card"),
    )


def required(record: Document, field: str, *fields: str) -> str:
    """A field without which nothing can be said. Raises Malformed."""
    if (found := text(record, field, *fields)) is None:
        raise Malformed(f"missing_{field}", f'Field "{field}" is missing: see docs/sources.md for what a record has.')
    return found
