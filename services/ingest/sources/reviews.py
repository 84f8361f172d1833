"""Reviews, and what is said about the company in public, in a plain form of ours. Pure."""

from services.ingest.sources import plain
from services.ingest.sources.fields import given, number, text
from services.ingest.sources.vendor import Document, Post, Vendor


@plain.translator
def translate(record: Document, post: Post) -> Document:
    """A review where there is a rating, else a mention, which is a message to answer. Raises Malformed."""
    known = {**plain.shared(record, post), "channel": "social"}
    rating, scale = number(record, "rating", "stars"), number(record, "scale", "best")
    place = given(site=text(record, "site", "platform"), url=text(record, "url", "link"), title=text(record, "title"))
    if rating is None:
        plain.required(record, "text", "comment", "message")
        return {**known, "type": "message.received", "data": {"attachments": [], **place}}
    whole = given(rating=rating, scale=scale if scale and scale > 0 else None)
    return {**known, "type": "review.posted", "data": {**place, **whole}}


VENDORS = (
    Vendor(
        name="reviews",
        title="Reviews and mentions, by a plain form",
        channel="social",
        translate=translate,
        reference="docs/sources.md",
        setup=(
            "Post JSON to `{url}?key=KEY`, one object or an array: `id`, `time`, `text`, `site`, `url`, `author` "
            "(`name`), `customer` (`id`, `email`, `handle`) where they are known, `order`; for a review `rating` and, "
            "if it is not 5, its best as `scale`."
        ),
        becomes={"a record with `rating`": "review.posted", "a record without": "message.received"},
    ),
)
