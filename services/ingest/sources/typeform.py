"""Typeform's webhooks: answers to a survey, or a form that was sent. Pure.

Who answered and what about is in hidden fields (`email`, `customer_id`, `conversation`, `conversation_source`, `order`,
…), which the survey's link carries, else in its questions for a mail address or phone number.
Source: Typeform, "Example payload" and "Secure your webhooks"; `typeform-signature` is base64.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence

from services.ingest.sources import plain
from services.ingest.sources.fields import given, items, moment, name, named, number, part, text, told
from services.ingest.sources.surveys import about, scored
from services.ingest.sources.vendor import Document, Post, Vendor, check_signature

SCALES = ("nps", "opinion_scale", "rating")
SAID = ("short_text", "long_text")


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC-SHA256 over the body, in base64; without a time. Raises Forged."""
    codes = (hmac.new(secret.encode(), post.raw, hashlib.sha256).digest() for secret in secrets)
    expected = (f"sha256={base64.b64encode(code).decode()}" for code in codes)
    check_signature(expected, post.headers.get("typeform-signature"))


def translate(post: Post) -> Iterator[Document]:
    """One piece of feedback for each question with a scale; a form without any is a form. Raises Malformed."""
    response = part(post.object, "form_response")
    token = text(response, "token") or text(post.object, "event_id")
    answers, form = items(response, "answers"), part(response, "definition")
    if not token or not answers:
        return
    contact, group = about(*_conversation(part(response, "hidden")))
    questions = {text(one, "id") or "": one for one in items(form, "fields")}
    fields = {_title(one, questions): _value(one) for one in answers}
    words = "\n".join(value for one in answers if _type(one) in SAID and (value := _value(one)))
    known = {**_known(response, answers, post), **group, **given(text=words or None)}
    scales = [one for one in answers if _type(one) in SCALES and number(one, "number") is not None]
    for place, one in enumerate(scales):
        data = _score(one, questions.get(text(part(one, "field"), "id") or "", {}))
        id = token if place == 0 else f"{token}/{text(part(one, 'field'), 'ref', 'id')}"
        extra = given(survey=text(form, "title"), question=_title(one, questions))
        yield {**known, "id": id, "type": "feedback.received", "data": {**data, **extra, **contact}}
    if not scales:
        shown = {title: value for title, value in fields.items() if value is not None}
        data = {"form": text(form, "title") or text(response, "form_id"), "fields": shown}
        yield {**known, "id": token, "type": "form.submitted", "data": data}


def _known(response: Document, answers: Sequence[Document], post: Post) -> Document:
    hidden = part(response, "hidden")
    given_ = {text(one, "type"): _value(one) for one in answers}
    asked = named(email=given_.get("email"), phone=given_.get("phone_number"))
    people = plain.whom(hidden)
    shared = plain.shared(hidden, post)
    return {
        "time": told(moment(response, "submitted_at"), post.received_at),
        "channel": text(hidden, "channel") or "web",
        "identifiers": [*people, *(one for one in asked if one not in people)],
        "references": shared["references"],
        "author": {"role": "customer", **given(name=name(hidden, "name"))},
    }


def _conversation(hidden: Document) -> tuple[str | None, str | None]:
    return text(hidden, "conversation", "conversation_id"), text(hidden, "conversation_source")


def _score(answer: Document, question: Document) -> Document:
    """By the kind of question; `steps` tells how long its scale is, and words in its reference which survey it is."""
    score, kind, properties = number(answer, "number") or 0, _type(answer), part(question, "properties")
    steps = number(properties, "steps") or (11 if kind == "nps" else 5)
    from_one = kind == "rating" or properties.get("start_at_one") is True
    best, ref = (steps if from_one else steps - 1), (text(part(answer, "field"), "ref") or "").lower()
    if kind == "nps":
        return scored("nps", score, 10)
    return scored("ces" if "ces" in ref or "effort" in ref else None, score, best, 1 if from_one else 0)


def _type(answer: Document) -> str:
    return text(part(answer, "field"), "type") or text(answer, "type") or ""


def _title(answer: Document, questions: Document) -> str:
    field = part(answer, "field")
    return text(questions.get(text(field, "id") or "", {}), "title") or text(field, "ref", "id") or "answer"


def _value(answer: Document) -> str | None:
    """An answer of any kind as text."""
    kind = text(answer, "type") or ""
    labels = part(answer, "choices").get("labels")
    chosen = [str(one) for one in labels] if isinstance(labels, list) else []
    if kind == "boolean":
        return "yes" if answer.get("boolean") is True else "no"
    return text(part(answer, "choice"), "label", "other") or ", ".join(chosen) or text(answer, kind)


VENDORS = (
    Vendor(
        name="typeform",
        title="Typeform",
        channel="web",
        translate=translate,
        verify=verify,
        secret="the webhook's secret",
        reference="https://www.typeform.com/developers/webhooks/",
        setup=(
            "Your form → Connect → Webhooks: paste `{url}`, think of a secret and give it by `tellonce sources "
            "secret` as well. Send the survey with hidden fields that say who answers and what about: `email`, "
            "`phone`, `customer_id`, `order`, `conversation` with `conversation_source`, the name here of the source "
            "it was in: so the answer is shown with that call or chat. A scale whose reference has `ces` in it counts "
            "as an effort score."
        ),
        becomes={
            "NPS, opinion scale, rating": "feedback.received",
            "a form without any": "form.submitted",
        },
    ),
)
