"""Demo data: six weeks of a small shop that also sells home internet, in English, Estonian and Lithuanian."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from random import Random

from schemas.event import Event
from services.demo.diary import Diary
from services.demo.lives import exemplary, live, stranger
from services.demo.people import person

CUSTOMERS = 300
STRANGERS = 12
SEED = 7


def events(now: datetime) -> Iterator[Event]:
    """What happened in the six weeks before `now`, oldest first. The same all day, but for what is to come.

    Some 300 customers on five channels; about a quarter of those with a trouble had to explain it again.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    diaries = (_diary(number, today) for number in range(CUSTOMERS + STRANGERS))
    # Received as they happened, so that it can be told what was on record when.
    happened = (_received(event) for event in chain.from_iterable(diaries) if event.occurred_at <= now)
    yield from sorted(happened, key=lambda event: event.occurred_at)


def _received(event: Event) -> Event:
    return event.model_copy(update={"received_at": event.occurred_at})


def _diary(number: int, today: datetime) -> list[Event]:
    rng = Random(SEED * 1000 + number)
    diary = Diary(person(number, rng))
    write = stranger if number >= CUSTOMERS else live if number else exemplary
    write(diary, today, rng)
    return diary.events
