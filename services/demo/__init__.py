"""Demo data: six weeks of a small shop that also sells home internet, in English, Estonian and Lithuanian."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from random import Random

from schemas.event import Event
from services.demo.diary import Diary, Look
from services.demo.lives import exemplary, live, stranger
from services.demo.people import person

CUSTOMERS = 300
STRANGERS = 60
SEED = 7
NIGHT = 2  # o'clock, when what comes in batches does


def events(now: datetime) -> Iterator[Event]:
    """What was accepted in the six weeks before `now`, in that order. The same all day, but for what is to come.

    Some 300 customers on five channels; about a quarter of those with a trouble had to explain it again.
    """
    happened = (_received(event) for event in chain.from_iterable(diary.events for diary in _diaries(now)))
    accepted = [(event.received_at, event) for event in happened if event.received_at and event.received_at <= now]
    yield from (event for _, event in sorted(accepted, key=lambda one: (one[0], one[1].occurred_at)))


def looks(now: datetime) -> Iterator[Look]:
    """Who asked for the brief of whom before `now`."""
    yield from (look for diary in _diaries(now) for look in diary.looks if look.at <= now)


def _received(event: Event) -> Event:
    """Accepted as it happened, so that it can be told what was on record when; but two sources post in batches:
    the site's forms every night, what was said in Vilnius' calls once it is written down, in the night to Monday."""
    at, night = event.occurred_at, event.occurred_at.replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    if event.type == "form.submitted":
        at = night + timedelta(days=1)
    if event.type == "call.turn" and event.language == "lt":
        at = night + timedelta(days=7 - night.weekday())
    return event.model_copy(update={"received_at": at})


def _diaries(now: datetime) -> Iterator[Diary]:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (_diary(number, today) for number in range(CUSTOMERS + STRANGERS))


def _diary(number: int, today: datetime) -> Diary:
    rng = Random(SEED * 1000 + number)
    diary = Diary(person(number, rng), is_known=number < CUSTOMERS)
    write = stranger if number >= CUSTOMERS else live if number else exemplary
    write(diary, today, rng)
    return diary
