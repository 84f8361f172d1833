"""Since when things that were joined one by one are one. Pure."""

from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, datetime

ALWAYS = datetime.min.replace(tzinfo=UTC)


class Unions:
    """Groups that grow by links in time. The smaller hangs on the larger, so no way up is long, and each step later."""

    def __init__(self, links: Iterable[tuple[datetime, Hashable, Hashable]]) -> None:
        self._above: dict[Hashable, tuple[Hashable, datetime]] = {}
        size: dict[Hashable, int] = {}
        for at, left, right in sorted(links, key=lambda link: link[0]):
            tops = {top: size.get(top, 1) for top in (self._top(left), self._top(right))}
            if len(tops) > 1:
                small, large = sorted(tops, key=tops.__getitem__)
                self._above[small] = large, at
                size[large] = sum(tops.values())

    def since(self, one: Hashable, other: Hashable) -> datetime | None:
        """When both came together; the beginning of time for the same, None where they are apart."""
        mine = dict(self._way(one))
        return next((max(at, mine[node]) for node, at in self._way(other) if node in mine), None)

    def _top(self, node: Hashable) -> Hashable:
        while node in self._above:
            node, _ = self._above[node]
        return node

    def _way(self, node: Hashable) -> Iterator[tuple[Hashable, datetime]]:
        """A node and all above it, each with the time since when it is one with them."""
        at = ALWAYS
        yield node, at
        while node in self._above:
            node, at = self._above[node]
            yield node, at
