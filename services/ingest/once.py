"""What a signature was used for: one that does not cover the body must not bring other events than it first did."""

from collections import OrderedDict
from collections.abc import Sequence

from services.ingest.sources.vendor import Forged

MOST = 100_000  # uses that are remembered, the newest, by this process


class Once:
    """The uses of signatures, each with the ids of the events that it brought."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, int] = OrderedDict()

    def check(self, use: str, ids: Sequence[object]) -> None:
        """Remember a use; the same with the same ids is a retry. Raises Forged for one with others."""
        brought = hash(tuple(map(str, ids)))
        if self._known.setdefault(use, brought) != brought:
            raise Forged("signature_used", "The signature was used before, for something else.")
        if len(self._known) > MOST:
            self._known.popitem(last=False)
