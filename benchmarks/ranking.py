"""How well scores rank what is so above what is not."""

from collections.abc import Sequence
from itertools import groupby

Scored = Sequence[tuple[float, bool]]


def auc(scored: Scored) -> float | None:
    """The chance that a true one scores above a false one, ties by half; nothing where one kind is missing."""
    true = sum(truth for _, truth in scored)
    false = len(scored) - true
    if not true or not false:
        return None
    below, won = 0, 0.0
    for _, group in groupby(sorted(scored), key=lambda one: one[0]):
        truths = [truth for _, truth in group]
        won += sum(truths) * (below + (len(truths) - sum(truths)) / 2)
        below += len(truths) - sum(truths)
    return won / true / false


def average_precision(scored: Scored) -> float | None:
    """Precision at each step of recall; those of equal score come at once."""
    true = sum(truth for _, truth in scored)
    hits, seen, total = 0, 0, 0.0
    for _, group in groupby(sorted(scored, key=lambda one: -one[0]), key=lambda one: one[0]):
        truths = [truth for _, truth in group]
        hits, seen = hits + sum(truths), seen + len(truths)
        total += hits / seen * sum(truths)
    return total / true if true else None


def at(scored: Scored, threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F1 of what reaches a threshold."""
    found = [truth for score, truth in scored if score >= threshold]
    true, hits = sum(truth for _, truth in scored), sum(found)
    precision, recall = hits / max(1, len(found)), hits / max(1, true)
    return precision, recall, 2 * precision * recall / ((precision + recall) or 1)
