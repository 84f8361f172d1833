"""What a transaction has told the store, so that it need not say it again.

It ends with the transaction. Kept beyond, it gave the same content, spared at most 10 % of a transaction's processor
time (of 100 and of 1,000 events; the rounds differed by as much), and would be wrong once identifiers leave the store:
by a rebuild with other rules, a restore, an erasure. A worker that believes them known would then store events on the
timeline of nobody.
"""

from schemas.event import Verification
from services.identifiers import SURENESS
from services.timeline.identity import Age, Id


class Known:
    """Identifiers with how sure and how old they are, links and parties of conversations, as the store has them."""

    def __init__(self) -> None:
        self._identifiers: dict[Id, tuple[int, Age]] = {}
        self._links: dict[tuple[Id, Id, str], Age] = {}
        self._talks: dict[Id, tuple[Age | None, bool]] = {}

    def identifier(self, id: Id, sure: Verification, age: Age) -> bool:
        """Whether this would tell the store nothing; from now on it wouldn't."""
        rank, known = SURENESS.index(sure), self._identifiers.get(id)
        if known and known[0] >= rank and known[1] <= age:
            return True
        self._identifiers[id] = (max(rank, known[0]), min(age, known[1])) if known else (rank, age)
        return False

    def link(self, left: Id, right: Id, rule: str, age: Age) -> bool:
        """Whether this would tell the store nothing; from now on it wouldn't."""
        name = left, right, rule
        known = self._links.get(name)
        if known and known <= age:
            return True
        self._links[name] = age
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
        self._talks[interaction] = (named, unnamed)
        return False
