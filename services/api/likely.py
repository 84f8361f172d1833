"""What a customer probably comes about, and a question that asks for it. Pure.

The issue last spoken of that is not done. How sure: an open issue speaks for itself, half as much for every fortnight
since, and as much as a fresh one and a half speaks for the others and for something new. On labelled timelines this
says .67 where it was so in .63 of 302 cases (one issue, less than a day), .40 for .43 (two), .29 for .35 (three).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from services.api.familiar import DOUBT, Touch, fading, routing
from services.api.hints import Known, Likely
from services.api.phrases import shortened
from services.timeline.statements import Kind, classify, essence

Row = Mapping[str, Any]  # of JSON

WINDOW = timedelta(days=30)  # what nobody spoke of for longer is no longer likely
TITLE = 80  # characters of a title in a question
MOST = 12  # facts of a brief
QUESTIONS = {
    "en": "Is it about what you told us: “{}”?",
    "et": "Kas pöördute samas asjas, millest rääkisite: „{}“?",
    "lv": "Vai jūs vēršaties par to pašu, ko mums stāstījāt: „{}”?",
    "lt": "Ar kreipiatės dėl to paties, ką mums pasakojote: „{}“?",
    "ru": "Вы обращаетесь по тому же вопросу: «{}»?",
    "fi": "Onko kyse samasta asiasta, josta kerroitte: ”{}”?",
    "de": "Geht es um das, was Sie uns geschildert haben: „{}“?",
}  # fmt: skip
# Addresses and numbers by which somebody is known; who asks may not be the customer.
PRIVATE = re.compile(
    r"(?<!\S)\S*@(?:\S*\w)?|https?://\S*|(?<!\w)[^\W\d]{0,4}[-#+(]{0,2}\d(?:[\s()./-]{0,3}\d){2,20}\w*"
)
SENTENCE = re.compile(r"(?<=[.!?])\s")


class Kept(NamedTuple):
    """What was found of a customer when they were analysed last: issues that are not done, with their contacts, the
    latest first; facts, the latest first."""

    issues: Sequence[Row] = ()
    facts: Sequence[Row] = ()


NOTHING = Kept()


def likely(kept: Kept, now: datetime) -> Likely | None:
    """The issue that the customer probably comes about."""
    weights = [(fading(_time(row["last_at"]), now), row) for row in kept.issues if _tells(row, now)]
    if not weights:
        return None
    weight, row = max(weights, key=lambda one: (one[0], str(one[1]["issue_id"])))
    sure = weight / (sum(weight for weight, _ in weights) + DOUBT)
    language = row["language"] if row["language"] in QUESTIONS else "en"
    touches = [Touch(_time(one["at"]), one["queue"], one["agent"], one["resolved"]) for one in row["contacts"] or ()]
    return Likely(
        id=row["issue_id"], title=row["title"], state=row["state"], since=row["opened_at"], last_at=row["last_at"],
        channels=row["channels"], sure=round(sure, 2), question=question(row["title"], language), language=language,
        routing=routing(touches, now),
    )  # fmt: skip


def question(title: str, language: str) -> str:
    """Whether it is about this, in a language there are words for; fit to be spoken to whoever asks."""
    return QUESTIONS[language].format(speakable(SENTENCE.split(title)[0]).rstrip(" .!,;"))


def speakable(words: str, width: int = TITLE) -> str:
    """Words without what a customer is known by, shortened."""
    return shortened(PRIVATE.sub("…", words).replace("….", "…"), width)


def known(rows: Iterable[Row]) -> list[Known]:
    """What they told and tried and we promised, each value once, the latest first."""
    latest: dict[tuple[str, str, str], Known] = {}
    for row in rows:
        latest.setdefault((row["sort"], row["kind"], row["value"]), Known.model_validate(row))
    return list(latest.values())[:MOST]


def _tells(row: Row, now: datetime) -> bool:
    """Whether an issue may be meant at all, and says what it is about."""
    language = row["language"] or None
    explains = classify(essence(row["title"], language), language) == Kind.explanation
    return row["state"] != "resolved" and _time(row["last_at"]) >= now - WINDOW and explains


def _time(words: str) -> datetime:
    return datetime.fromisoformat(words)
