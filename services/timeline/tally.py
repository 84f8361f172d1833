"""Contacts and repeats as they are kept, and the figures that they add up to. Pure.

A figure is a sum over contacts, so whatever changes a customer's contacts changes figures by a difference of sums.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from services.counts import COUNTS

OCTAVE = 2  # buckets of hours between a number and its double


class Issue(NamedTuple):
    """A row of `issues`."""

    identifier_id: UUID
    issue_id: UUID
    title: str
    state: str
    language: str
    channels: list[str]
    opened_at: datetime
    last_at: datetime
    group_id: str


class Contact(NamedTuple):
    """A row of `contacts`."""

    identifier_id: UUID
    issue_id: UUID
    interaction_id: UUID
    at: datetime
    event_source: str
    event_id: str
    day: date
    channel: str
    source: str
    queue: str
    team: str
    language: str
    agent: str
    group_id: str
    blind: bool
    asked: list[str]
    nps: float | None = None
    ces: float | None = None
    csat: float | None = None
    resolved: bool = False


class Fact(NamedTuple):
    """A row of `facts`."""

    identifier_id: UUID
    at: datetime
    event_source: str
    event_id: str
    place: int
    sort: str
    kind: str
    value: str
    sentence: str
    due: date | None


class Repeat(NamedTuple):
    """A row of `repeats`."""

    identifier_id: UUID
    issue_id: UUID
    interaction_id: UUID
    window: int
    at: datetime
    day: date
    from_channel: str
    explained: bool
    evidence: str
    context: str
    score: float
    hours: float
    earlier_source: str
    earlier_event: str
    later_source: str
    later_event: str


class Cell(NamedTuple):
    """What a figure is of: see `figures`."""

    cut: str
    day: date
    channel: str
    source: str
    queue: str
    team: str
    language: str
    label: str


Sums = dict[Cell, list[int]]  # in the order of COUNTS


def tally(contacts: Iterable[Contact], repeats: Iterable[Repeat]) -> Sums:
    """The figures of these contacts, whose repeats are among those given."""
    again: dict[tuple[UUID, UUID, UUID], list[Repeat]] = {}
    for one in repeats:
        again.setdefault(one[:3], []).append(one)
    sums: Sums = {}
    for contact in contacts:
        mine = again.get(contact[:3], [])
        for cell, counts in _counted(contact, mine):
            row = sums.setdefault(cell, [0] * len(COUNTS))
            for place, number in counts.items():
                row[place] += number
    return sums


def difference(new: Sums, old: Sums) -> Sums:
    """What is to be added to the old to make the new, where that is anything."""
    nothing = [0] * len(COUNTS)
    pairs = {cell: (new.get(cell, nothing), old.get(cell, nothing)) for cell in new.keys() | old.keys()}
    return {cell: [a - b for a, b in zip(*pair, strict=True)] for cell, pair in pairs.items() if pair[0] != pair[1]}


def bucket(hours: float) -> int:
    """The bucket of a time between, from 2^(b/2) to 2^((b+1)/2) hours; less than a minute counts as one."""
    return math.floor(OCTAVE * math.log2(max(hours, 1 / 60)))


def _counted(contact: Contact, again: Sequence[Repeat]) -> Iterator[tuple[Cell, Mapping[int, int]]]:
    """The figures that a contact is part of, with what it adds."""
    whole = {0: 1, 1: int(contact.blind)}
    for repeat in again:
        whole |= _places(repeat)
    labels = [("all", ""), ("agent", contact.agent), ("group", contact.group_id)]
    labels += [("asked", kind) for kind in contact.asked]
    scores = {"nps": contact.nps, "ces": contact.ces, "csat": contact.csat}
    labels += [("score", f"{kind} {round(score)}") for kind, score in scores.items() if score is not None]
    for cut, label in labels:
        if label or cut == "all":
            yield _cell(contact, cut, label), whole
    for repeat in again:
        way = f"{repeat.from_channel}>{contact.channel}>{bucket(repeat.hours)}"
        yield _cell(contact, "handover", way), _places(repeat)


def _cell(contact: Contact, cut: str, label: str) -> Cell:
    dimensions = contact.channel, contact.source, contact.queue, contact.team, contact.language
    return Cell(cut, contact.day, *dimensions, label)


def _places(repeat: Repeat) -> dict[int, int]:
    names = [f"back_{repeat.window}", *([f"{repeat.context}_{repeat.window}"] if repeat.explained else [])]
    return {COUNTS.index(name): 1 for name in names}
