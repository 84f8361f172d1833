"""What a worker knows the store to hold, so that it need not say it again.

Right whatever other workers do, since the store only ever gains: identifiers are never removed, grow surer and older;
links and parties of conversations grow older. So what was once enough stays so. A transaction that fails takes back
what it said: then `forget`. Whoever removes identifiers, links or conversations must void the workers' claims.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

from schemas.event import Verification
from services.identifiers import SURENESS
from services.timeline.identity import Age, Id

MOST = 100_000  # of each kind; some 40 MB

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lately(Generic[K, V]):
    """A dictionary of what was used lately, between `most` / 2 and `most` entries once it is full."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._new: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What is known, if it is still."""
        value = self._new.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Know this from now on."""
        if len(self._new) * 2 >= self._most:
            self._old, self._new = self._new, {}
        self._new[key] = value

    def clear(self) -> None:
        """Know nothing."""
        self._new, self._old = {}, {}


class Known:
    """Identifiers with how sure and how old they are, links and parties of conversations, as the store has them."""

    def __init__(self, most: int = MOST) -> None:
        self._identifiers = Lately[Id, tuple[int, Age]](most)
        self._links = Lately[tuple[Id, Id, str], Age](most)
        self._talks = Lately[Id, tuple[Age | None, bool]](most)

    def identifier(self, id: Id, sure: Verification, age: Age) -> bool:
        """Whether this would tell the store nothing; from now on it wouldn't."""
        rank, known = SURENESS.index(sure), self._identifiers.get(id)
        if known and known[0] >= rank and known[1] <= age:
            return True
        self._identifiers.put(id, (max(rank, known[0]), min(age, known[1])) if known else (rank, age))
        return False

    def link(self, left: Id, right: Id, rule: str, age: Age) -> bool:
        """Whether this would tell the store nothing; from now on it wouldn't."""
        name = left, right, rule
        known = self._links.get(name)
        if known and known <= age:
            return True
        self._links.put(name, age)
        return False

    def talk(self, interaction: Id, named: Age | None, unnamed: bool) -> bool:
        """Whether the store knows an age as early at which a conversation's party was named, and that it has events
        that name nobody, if it has; from now on it does."""
        known = self._talks.get(interaction)
        if known:
            enough = named is None or (known[0] is not None and known[0] <= named)
            if enough and (known[1] or not unnamed):
                return True
            ages = [age for age in (named, known[0]) if age]
            named, unnamed = min(ages, default=None), unnamed or known[1]
        self._talks.put(interaction, (named, unnamed))
        return False

    def forget(self) -> None:
        """Know nothing any more: what was said may not have been stored."""
        for kind in (self._identifiers, self._links, self._talks):
            kind.clear()
