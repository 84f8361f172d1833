"""Since when things that were joined one by one are one. Pure."""

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime

ALWAYS = datetime.min.replace(tzinfo=UTC)


class Unions:
    """Groups that grow by links in time. Each union is a node above what it joins (Kruskal's reconstruction tree)."""

    def __init__(self, links: Iterable[tuple[datetime, Hashable, Hashable]]) -> None:
        self._above: dict[Hashable, Hashable] = {}
        self._since: dict[Hashable, datetime] = {}
        for at, left, right in sorted(links, key=lambda link: link[0]):
            one, other = self._ancestors(left)[-1], self._ancestors(right)[-1]
            if one != other:
                union = object()
                self._above[one] = self._above[other] = union
                self._since[union] = at

    def since(self, one: Hashable, other: Hashable) -> datetime | None:
        """When both came together; the beginning of time for the same, None where they are apart."""
        if one == other:
            return ALWAYS
        mine = set(self._ancestors(one))
        return next((self._since[node] for node in self._ancestors(other) if node in mine), None)

    def _ancestors(self, node: Hashable) -> list[Hashable]:
        found = [node]
        while found[-1] in self._above:
            found.append(self._above[found[-1]])
        return found
