"""How well it is found that customers explain a matter again, on labelled timelines (form: timelines.py).

Each contact's score is the best similarity with what the same customer explained in the 14 days before, nothing for
what is no explanation. A repetition is a contact whose `gold` names earlier ones (`repeat_of`)."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.ranking import at, average_precision
from benchmarks.timelines import customers, events
from services.timeline.averaging import Sentences
from services.timeline.similarity import Similarity, shipped
from services.timeline.statements import Kind, Statement, statement

WINDOW = timedelta(days=14)
KINDS = {
    "first": Kind.explanation, "repeat": Kind.explanation, "followup": Kind.followup,
    "closing": Kind.closing, "quoted_closing": Kind.closing,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact, what was found in it and what is so."""

    kind: str
    found: Kind | None
    score: float
    repeats: bool
    right: bool
    label: str  # its data and what it is about


def contacts(path: Path, by: Similarity) -> list[Contact]:
    """All contacts of the customers, after learning the rarity of their texts."""
    gold = {
        row["event_id"]: row["gold"] and {**row["gold"], "label": f"{customer.get('source')} {row['gold']['issue']}"}
        for customer in customers(path) for row in customer["events"]
    }  # fmt: skip
    told: dict[str, list[tuple[str, Statement | None]]] = defaultdict(list)
    for event in events(path):
        if gold[event.id]:
            told[event.identifiers[0].value].append((event.id, statement(event, event.id)))
    for said in (said for some in told.values() for _, said in some if said):
        by.learn(said.matter, said.language)
    return [contact for some in told.values() for contact in _of_one(some, gold, by)]


def _of_one(some: list[tuple[str, Statement | None]], gold: dict[str, dict[str, Any]], by: Similarity) -> list[Contact]:
    found, before = list[Contact](), list[tuple[Statement, Any, str]]()
    for name, said in some:
        truth = gold[name]
        best, nearest = 0.0, ""
        if said and said.kind == Kind.explanation:
            vector = by.vector(said.matter, said.language)
            near = [one for one in before if said.at - one[0].at <= WINDOW]
            scores = [(by.compare(vector, one, said.language).probability, event) for _, one, event in near]
            best, nearest = max(scores, default=(0.0, ""))
            before.append((said, vector, name))
        right = bool(nearest) and gold[nearest]["issue"] == truth["issue"]
        found.append(Contact(truth["kind"], said and said.kind, best, bool(truth["repeat_of"]), right, truth["label"]))
    return found


def measure(path: Path, said: Sentences | None = None) -> dict[str, Any]:
    """Average precision, and at the shipped threshold precision, recall, F1, right threads, false alarms by kind;
    what each kind was taken for. `said`: a sentence model that is asked too."""
    by = shipped(said)
    found, threshold = contacts(path, by), by.threshold("en")
    scored = [(one.score, one.repeats) for one in found]
    precision, recall, f1 = at(scored, threshold)
    hits = [one.right for one in found if one.repeats and one.score >= threshold]
    kinds = Counter(one.kind for one in found if not one.repeats)
    alarms = Counter(one.kind for one in found if not one.repeats and one.score >= threshold)
    taken = {kind: Counter(str(one.found) for one in found if one.kind == kind) for kind in KINDS}
    return {
        "contacts": len(found), "repetitions": sum(one.repeats for one in found),
        "average_precision": average_precision(scored), "threshold": threshold,
        "precision": precision, "recall": recall, "f1": f1, "right_thread": sum(hits) / max(1, len(hits)),
        "false_alarms": {kind: alarms[kind] / count for kind, count in kinds.items()},
        "kinds": {kind: dict(counts) for kind, counts in taken.items()},
    }  # fmt: skip
