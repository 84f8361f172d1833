"""What a customer told already, as their page shows it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.api.matters import matters
from services.api.phrases import shortened
from services.timeline.facts import Fact, Sort
from services.timeline.findings import Findings, Seen
from services.timeline.issues import State
from services.timeline.statements import Kind

ISSUES, FACTS = 5, 8
LABELS = {Sort.tried: "Tried", Sort.promised: "Promised"}


@dataclass(frozen=True)
class Shown:
    """A fact on a page: what it is, in which words, and the sentence that says it."""

    label: str
    shown: str
    sentence: str


def told(found: Findings, seen: Sequence[Seen]) -> dict[str, Any]:
    """The issues last spoken of, those that are done at the end, and the newest facts, each value once."""
    issues = [one for one in matters(found, seen) if any(said.kind == Kind.explanation for said in one.members)]
    issues.sort(key=lambda one: one.state == State.resolved)
    newest = {(one.sort, one.kind, one.value): one for one in found.facts if one.sort != Sort.asked}
    facts = sorted(newest.values(), key=lambda one: (one.at, one.event), reverse=True)[:FACTS]
    return {"issues": issues[:ISSUES], "facts": [_shown(one) for one in facts]}


def _shown(fact: Fact) -> Shown:
    by = f" (by {fact.due:%-d %b})" if fact.due else ""
    words = fact.value if fact.sort == Sort.told else shortened(fact.sentence, 80)
    return Shown(LABELS.get(fact.sort, fact.kind.replace("_", " ").capitalize()), words + by, fact.sentence)
