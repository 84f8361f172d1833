"""Delighted's webhooks: answers to surveys. Pure.

The comment often comes later than the score, as an update: it adds the words, and no second score.
Source: Delighted, "Webhooks": `event_type`, `event_data`, `X-Delighted-Webhook-Signature`.
"""

from collections.abc import Iterator, Sequence

from services.ingest.sources import plain
from services.ingest.sources.fields import content_id, given, moment, name, named, number, part, text, told
from services.ingest.sources.surveys import about, scored
from services.ingest.sources.vendor import Document, Post, Vendor, check_signature, signature

# Survey: what it is of ours, and its least and best score. Employees' surveys (enps) are not customers'.
SURVEYS: dict[str, tuple[str | None, float, float]] = {
    "nps": ("nps", 0, 10), "csat": (None, 1, 5), "ces": ("ces", 1, 7), "five_star": (None, 1, 5),
    "stars_five": (None, 1, 5), "smileys": (None, 1, 5), "smileys_five": (None, 1, 5), "thumbs": (None, 0, 1),
}  # fmt: skip


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over the body; without a time. Raises Forged."""
    said = post.headers.get("x-delighted-webhook-signature", "").strip()
    bare = said.removeprefix("sha256=")
    check_signature((signature(secret, post.raw) for secret in secrets), bare)


def translate(post: Post) -> Iterator[Document]:
    """The event of a post. Raises Malformed."""
    kind, found = text(post.object, "event_type") or "", part(post.object, "event_data")
    response = part(found, "survey_response") or found
    id, score = text(response, "id"), number(response, "score")
    survey = SURVEYS.get((text(response, "survey_type") or "nps").lower())
    if not id or not survey or not kind.startswith(("survey_response", "comment")):
        return
    contact, group = about(*_conversation(part(response, "person_properties")))
    known, words = {**_known(response, post), **group}, text(response, "comment")
    if kind == "survey_response.created" and score is not None:
        named_, least, best = survey
        data = {**scored(named_, score, best, least), **contact}
        yield {**known, "id": id, "type": "feedback.received", "data": data, **given(text=words)}
    elif words and kind != "survey_response.created":
        at = told(moment(response, "updated_at"), post.received_at)
        yield {**known, "id": f"{id}/{content_id(words)}", "type": "message.edited", "time": at, "text": words,
               "data": {"message": id}}  # fmt: skip


def _known(response: Document, post: Post) -> Document:
    person, properties = part(response, "person"), part(response, "person_properties")
    people = named(email=text(person, "email"), phone=text(person, "phone_number"), delighted=text(person, "id"))
    told_too = [one for one in plain.whom(properties) if one["type"] not in ("email", "phone")]
    return {
        "time": told(moment(response, "created_at"), post.received_at),
        "channel": "other",
        "identifiers": [*told_too, *people],
        "references": plain.shared(properties, post)["references"],
        "author": {"role": "customer", **given(name=name(person, "name"))},
    }


def _conversation(properties: Document) -> tuple[str | None, str | None]:
    """Its key and source; people write properties as they like, such as “Conversation ID”."""
    found = [field for field in properties if "conversation" in field.lower()]
    sources = [field for field in found if "source" in field.lower()]
    return text(properties, *(field for field in found if field not in sources)), text(properties, *sources)


VENDORS = (
    Vendor(
        name="delighted",
        title="Delighted",
        channel="other",
        translate=translate,
        verify=verify,
        secret="the webhook's signing secret",
        reference="https://app.delighted.com/docs/webhooks",
        setup=(
            "Integrations → Webhooks: paste `{url}` with a rule for new and for updated responses. Give the signing "
            "secret by `tellonce sources secret`. Give people the properties `customer_id`, `order`, `conversation` "
            "and `conversation_source` (the name here of the source it was in) when you send a survey, so that the "
            "answer says whose it is and is shown with the call or chat that it is about."
        ),
        becomes={
            "survey_response.created": "feedback.received",
            "survey_response.updated": "message.edited (a comment)",
        },
    ),
)
