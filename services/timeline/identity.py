"""Who is one customer: a pure function from links and people's decisions to customers, refusals and reasons."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from services.identifiers import rank

Id = bytes  # the 16 bytes of a UUID: hashed and compared many times an event, at which they are several times faster

ASSERTED = frozenset({"alias"})  # rules by which a source says that two are one


class Age(NamedTuple):
    """The earliest event that named an identifier, by time, then key."""

    at: datetime
    key: Id


class Member(NamedTuple):
    """An identifier as identity sees it."""

    id: Id
    type: str
    age: Age


class Link(NamedTuple):
    """That one event named both ends, or that a source said they are one (rule `alias`)."""

    at: datetime
    key: Id
    left: Id
    right: Id
    rule: str

    @property
    def pair(self) -> tuple[Id, Id]:
        """The two ends, the same whichever way round they were named."""
        return pair(self.left, self.right)


class Decision(NamedTuple):
    """What a person decided on two identifiers (`merge`, `unmerge`), or on one with itself (`bar`)."""

    at: datetime
    key: Id
    left: Id
    right: Id
    verdict: str


@dataclass(frozen=True)
class People:
    """What `resolve` finds: each identifier's customer, refused pairs with reason, shared identifiers."""

    customer: dict[Id, Id] = field(default_factory=dict)
    refused: dict[tuple[Id, Id], str] = field(default_factory=dict)
    shared: frozenset[Id] = frozenset()


def pair(one: Id, other: Id) -> tuple[Id, Id]:
    """Two identifiers in a fixed order."""
    return (one, other) if one <= other else (other, one)


def resolve(
    members: Mapping[Id, Member],
    links: Sequence[Link],
    decisions: Iterable[Decision],
    limit: Callable[[str], int],
    known_shared: frozenset[Id] = frozenset(),
) -> People:
    """Customers of a connected part; the same for any order of `links` and `decisions`.

    Links join in order of event time, then event, then strength of what is linked, unless a person took the pair
    apart, an end is barred or shared, or a limit is passed. Upon that, what people and sources assert joins,
    whatever the limits. An identifier seen with several accounts is shared and stops linking, also backwards,
    unless assertions make those accounts one. `known_shared` are identifiers at the part's edge, whose other links
    are not given.
    """
    verdicts = {pair(d.left, d.right): d.verdict for d in sorted(decisions)}
    links, others = _of_first_parties(links)
    accounts = _accounts(members, links, verdicts)
    shared = frozenset(id for id, seen in accounts.items() if len(seen) > 1)
    while True:
        found = _join(members, links, verdicts, limit, shared | known_shared)
        still = frozenset(id for id in shared if len({found.customer[one] for one in accounts[id]}) > 1)
        if still == shared:
            return replace(found, refused=dict.fromkeys(others, "follows another") | found.refused)
        shared = still


def _join(
    members: Mapping[Id, Member],
    links: Sequence[Link],
    verdicts: Mapping[tuple[Id, Id], str],
    limit: Callable[[str], int],
    shared: frozenset[Id],
) -> People:
    groups = _Groups(members)
    barred = {one for (one, other), verdict in verdicts.items() if one == other and verdict == "bar"}
    asserted = {link.pair for link in links if link.rule in ASSERTED} | {
        one for one, verdict in verdicts.items() if verdict == "merge"
    }
    refused: dict[tuple[Id, Id], str] = {}
    for link in _first_of_each_pair((link for link in links if link.rule not in ASSERTED), members):
        if reason := _refusal(link, verdicts, barred, shared) or groups.join(link.left, link.right, limit):
            refused[link.pair] = reason
    for one in sorted(asserted):
        if verdicts.get(one) == "unmerge" or not barred.isdisjoint(one):
            refused[one] = "unmerged" if barred.isdisjoint(one) else "barred"
        else:
            groups.join(*one)
            refused.pop(one, None)
    return People(groups.heads(), refused, shared)


def _of_first_parties(links: Sequence[Link]) -> tuple[Sequence[Link], set[tuple[Id, Id]]]:
    """Links without those of conversations to other parties than their first; the pairs left out.

    Which of these there are depends on what came first, so nothing may follow from them.
    """
    first: dict[Id, Link] = {}
    for link in links:
        if link.rule == "conversation":
            first[link.right] = min(first.get(link.right, link), link)
    if not first:
        return links, set()
    kept = [link for link in links if link.rule != "conversation" or link.left == first[link.right].left]
    return kept, {link.pair for link in links} - {link.pair for link in kept}


def _refusal(link: Link, verdicts: Mapping[tuple[Id, Id], str], barred: set[Id], shared: frozenset[Id]) -> str:
    """Why a link can't join its ends, leaving limits aside; '' if it can. Of what is shared no more than that is known
    where it is an edge, so that comes before what was decided on it alone."""
    if verdicts.get(link.pair) == "unmerge":
        return "unmerged"
    if not shared.isdisjoint(link.pair):
        return "shared"
    return "" if barred.isdisjoint(link.pair) else "barred"


class _Groups:
    """Union-find over identifiers that counts types, and knows each group's oldest identifier."""

    def __init__(self, members: Mapping[Id, Member]) -> None:
        self._members = members
        self._parent = {id: id for id in members}
        self._counts = {id: {member.type: 1} for id, member in members.items()}

    def find(self, id: Id) -> Id:
        parent = self._parent
        while parent[id] != id:
            parent[id] = parent[parent[id]]
            id = parent[id]
        return id

    def join(self, left: Id, right: Id, limit: Callable[[str], int] | None = None) -> str:
        """Make two groups one; the reason if a limit forbids it, else ''."""
        one, other = self.find(left), self.find(right)
        if one == other:
            return ""
        ours, theirs = self._counts[one], self._counts[other]
        if limit:
            for type in sorted(ours.keys() & theirs.keys()):
                if ours[type] + theirs[type] > limit(type):
                    return f"limit of {type}"
        for type, count in theirs.items():
            ours[type] = ours.get(type, 0) + count
        self._parent[other] = one
        return ""

    def heads(self) -> dict[Id, Id]:
        """Each identifier's customer: the oldest identifier of its group."""
        head: dict[Id, Member] = {}
        for id, member in self._members.items():
            root = self.find(id)
            head[root] = min(head.get(root, member), member, key=lambda one: (one.age, one.id))
        return {id: head[self.find(id)].id for id in self._members}


def _accounts(
    members: Mapping[Id, Member], links: Iterable[Link], verdicts: Mapping[tuple[Id, Id], str]
) -> dict[Id, set[Id]]:
    """The accounts that each identifier other than an account was seen with."""
    accounts: dict[Id, set[Id]] = defaultdict(set)
    for link in links:
        if verdicts.get(link.pair) == "unmerge":
            continue
        for one, other in (link.pair, link.pair[::-1]):
            if members[other].type == "account" and members[one].type != "account":
                accounts[one].add(other)
    return accounts


def _first_of_each_pair(links: Iterable[Link], members: Mapping[Id, Member]) -> Sequence[Link]:
    """The earliest link of each pair, in order of event time, then event, then the strength of what is linked."""
    first: dict[tuple[Id, Id], Link] = {}
    for link in links:
        first[link.pair] = min(first.get(link.pair, link), link)
    return sorted(first.values(), key=lambda link: (link.at, link.key, rank(members[link.right].type), link))
