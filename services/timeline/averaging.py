"""How a sentence model has half of the say in how alike two texts are. Pure: the model is passed in."""

import math
from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol


class Sentences(Protocol):
    """A model of what whole texts mean."""

    @property
    def languages(self) -> Container[str]:
        """Those that it knows."""

    def near(self, one: str, other: str) -> float:
        """The cosine of two texts, from -1 to 1; the same both ways and whenever it is asked."""


@dataclass(frozen=True, slots=True)
class Averaged:
    """How a cosine becomes a probability, and from which mean of it and the model's two texts are one matter."""

    weight: float
    bias: float
    threshold: float

    def with_model(self, told: float, cosine: float) -> float:
        """The mean of both."""
        return (told + logistic(self.bias + self.weight * cosine)) / 2


NEUTRAL = Averaged(0.0, 0.0, 0.5)


def logistic(value: float) -> float:
    """From any number to a probability."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
