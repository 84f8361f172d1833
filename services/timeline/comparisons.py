"""Which of many statements agree most, found by comparing few of them in full. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from services.timeline.outlines import Outline, bound, outline
from services.timeline.similarity import Agreement, Similarity, Vector
from services.timeline.statements import Statement

FEW = 8  # pairs that are compared without more ado


class Closest(NamedTuple):
    """Two statements and how surely they tell the same."""

    score: float
    one: Statement
    two: Statement


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Compares one customer's statements; what they are compared by is made once, of those that are compared."""

    by: Similarity
    _vectors: dict[str, Vector] = field(default_factory=dict)
    _outlines: dict[str, Outline] = field(default_factory=dict)

    def threshold(self, language: str | None) -> float:
        """The probability from which two texts count as one matter."""
        return self.by.threshold(language)

    def agreement(self, one: Statement, two: Statement) -> Agreement:
        """How surely both tell the same, the later in its language, and why."""
        return self.by.compare(self._vector(one), self._vector(two), two.language)

    def meant(self, one: Statement, two: Statement) -> tuple[str, ...]:
        """The pairs of other words by which both say the same."""
        return self.by.meant(self._vector(one), self._vector(two))

    def closest(
        self, earlier: Iterable[Statement], later: Iterable[Statement], least: float = 0.0, floor: float = 0.0
    ) -> Closest | None:
        """The pair of an earlier and a later one that agrees most, of equal ones the last; none below `least`.

        Less than `floor` counts as much. Those that may agree most come first, and the others not at all where they
        can't agree as much any more.
        """
        theirs = list(later)
        pairs = [(one, two) for one in earlier for two in theirs]
        bounds = [self._bound(one, two) for one, two in pairs] if len(pairs) > FEW else [1.0] * len(pairs)
        best, rank = None, None
        for at in sorted(range(len(pairs)), key=bounds.__getitem__, reverse=True):
            if max(bounds[at], floor) < (best.score if best else least):
                break
            one, two = pairs[at]
            score = max(floor, self._probability(one, two)) if bounds[at] > floor else floor
            if score >= least and (rank is None or (score, one.at, one.event, two.event) > rank):
                best, rank = Closest(score, one, two), (score, one.at, one.event, two.event)
        return best

    def _probability(self, one: Statement, two: Statement) -> float:
        return self.by.probability(self._vector(one), self._vector(two), two.language)

    def _bound(self, one: Statement, two: Statement) -> float:
        mine, other = self._outline(one), self._outline(two)
        told = bound(self.by.model(two.language), mine, other)
        return (told + 1) / 2 if self.by.averages(mine.vector, other.vector) else told

    def _vector(self, said: Statement) -> Vector:
        vector = self._vectors.get(said.event)
        if vector is None:
            references = (f"{kind} {value}" for kind, value in said.references)
            vector = self._vectors[said.event] = self.by.vector(said.matter, said.language, references)
        return vector

    def _outline(self, said: Statement) -> Outline:
        found = self._outlines.get(said.event)
        if found is None:
            found = self._outlines[said.event] = outline(self._vector(said))
        return found
