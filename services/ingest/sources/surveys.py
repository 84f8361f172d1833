"""Answers to surveys (NPS, CES, CSAT) in a plain form of ours, on the timeline of the customer who answers. Pure."""

from services.ingest.sources import plain
from services.ingest.sources.fields import given, number, text
from services.ingest.sources.vendor import Document, Post, Vendor


@plain.translator
def translate(record: Document, post: Post) -> Document:
    """An answer to a survey. Raises Malformed."""
    known = plain.shared(record, post)
    kind = plain.required(record, "kind", "survey_type", "type").strip().lower()
    plain.required(record, "score")
    scale = number(record, "scale")
    data = {
        "kind": kind, "score": number(record, "score"), **given(survey=text(record, "survey", "survey_id")),
        **({"scale": int(scale)} if scale in (5, 100) else {}),
    }  # fmt: skip
    contact, fields = about(text(record, "conversation", "conversation_id"), text(record, "conversation_source"))
    channel = text(record, "channel")
    return {**known, **fields, **given(channel=channel), "type": "feedback.received", "data": {**data, **contact}}


def about(conversation: str | None, source: str | None) -> tuple[Document, Document]:
    """The contact an answer is about, for its data, and the fields that keep answers about one contact together.

    A conversation whose source isn't said is one of the survey's own. Two sources may have the same key for theirs.
    """
    if not (conversation and source):
        return {}, given(conversation=conversation)
    contact = {"source": source, "conversation": conversation}
    return {"contact": contact}, {"conversation": f"{source}/{conversation}"[:512]}


def scored(kind: str | None, score: float, best: float, least: float = 0) -> Document:
    """A score on a scale of any length as one of ours: NPS of 0 to 10, CES of 1 to 7, stars of 5; else per cent."""
    if kind == "nps" and best == 10:
        return {"kind": "nps", "score": score}
    if kind == "ces" and best == 7:
        return {"kind": "ces", "score": score}
    if kind == "ces" and best > 1:
        return {"kind": "ces", "score": round(1 + 6 * (score - 1) / (best - 1), 2)}
    if best == 5 and least:
        return {"kind": "csat", "score": score}
    return {"kind": "csat", "scale": 100, "score": round(100 * (score - least) / (best - least or 1), 2)}


VENDORS = (
    Vendor(
        name="surveys",
        title="Surveys, by a plain form",
        channel="other",
        translate=translate,
        reference="docs/sources.md",
        setup=(
            "Post JSON to `{url}?key=KEY`, one object or an array: `id`, `time`, `kind` (nps, ces, csat), `score` "
            "(nps 0 to 10, ces 1 to 7, csat 1 to 5, or 0 to 100 with `scale` 100), `text`, `channel`, and what it is "
            "about: `order` or `case`, `conversation` with `conversation_source`, the name here of the source it was "
            "in (so the answer is shown with that call or chat), and `customer` (`id`, `email`, `phone`)."
        ),
        becomes={"a record": "feedback.received"},
    ),
)
