"""Deliveries in a plain form of ours, for carriers and shops without a format of their own. Pure."""

from services.ingest.sources import plain
from services.ingest.sources.fields import given, status_of, text
from services.ingest.sources.vendor import Document, Post, Vendor


@plain.translator
def translate(record: Document, post: Post) -> Document:
    """A delivery's new status. Raises Malformed."""
    known, status = plain.shared(record, post), status_of(plain.required(record, "status"))
    tracking = text(record, "tracking", "tracking_number", "parcel")
    data = given(tracking=tracking, carrier=text(record, "carrier", "courier"), due=text(record, "due", "expected"))
    return {**known, "channel": "other", "type": "delivery.updated", "data": {"status": status, **data}}


VENDORS = (
    Vendor(
        name="parcels",
        title="Deliveries, by a plain form",
        channel="other",
        translate=translate,
        reference="docs/sources.md",
        setup=(
            "Post JSON to `{url}?key=KEY`, one object or an array: `id`, `time`, `status` (shipped, in_transit, "
            "delayed, delivered, lost, returned, or a word of yours), `tracking`, `carrier`, `due`, `order`, and "
            "`customer` (`id`, `email`, `phone`)."
        ),
        becomes={"a record": "delivery.updated"},
    ),
)
