"""What a crowd of customers does, as documents to post: skewed, on all channels, merging, sharing, and partly late."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
CUSTOMERS = 80
WEIGHTS = [1 / (rank + 1) for rank in range(CUSTOMERS)]  # Zipf
TYPES = {
    "email": "message.received", "phone": "call.started", "chat": "message.received", "web": "page.viewed",
    "app": "screen.viewed",
}  # fmt: skip
BAD, AGAIN, LATE, SHARED, NAMELESS = 0.01, 0.02, 0.05, 0.02, 0.03  # shares of the whole


def documents(random: Random) -> Iterator[tuple[dict[str, Any], bool]]:
    """Documents without end, each with whether it is good; some come a second time."""
    seen: list[dict[str, Any]] = []
    for number in count():
        good = random.random() >= BAD
        document = _document(random, number) if good else _bad(random, number)
        yield document, good
        if good:
            seen = [*seen[-50:], document]
        if seen and random.random() < AGAIN:
            yield random.choice(seen), True


def _document(random: Random, number: int) -> dict[str, Any]:
    (who,) = random.choices(range(CUSTOMERS), WEIGHTS)
    channel = random.choice(list(TYPES))
    happened = START + timedelta(seconds=number + random.uniform(-90, 90))
    if random.random() < LATE:
        happened -= timedelta(minutes=random.uniform(1, 40_000))
    document = {
        "id": f"e{number}",
        "type": TYPES[channel],
        "time": happened.isoformat(),
        "channel": channel,
        "text": f"Message {number}: my parcel {random.randrange(10**6)} has not arrived.",
        "identifiers": _identifiers(random, who, channel),
    }
    if channel == "app":
        document["data"] = {"name": "Orders"}
    if channel == "chat":
        document["conversation"] = f"chat-{who}-{number // 100}"
        if random.random() < NAMELESS * len(TYPES):
            document["identifiers"] = []
    return document


def _identifiers(random: Random, who: int, channel: str) -> list[dict[str, str]]:
    """By one of them the channel knows the customer, by a second it tells us who that is."""
    mails = f"c{who}@example.com", f"old{who}@example.net"
    device = "kiosk" if random.random() < SHARED else f"device-{who}-{random.randrange(2)}"
    phone = f"+3725550{who - (who % 10 == 1):04}"  # some share one with their neighbour
    account = "account", f"C-{who}"
    options = {
        "email": [("email", random.choice(mails)), ("phone", phone)],
        "chat": [("email", random.choice(mails)), account],
        "phone": [("phone", phone), account],
        "web": [("device", device), account],
        "app": [account, ("device", device)],
    }[channel]
    named = options[: random.choice((1, 1, 1, 2))]
    return [{"type": type, "value": value} for type, value in named]


def _bad(random: Random, number: int) -> dict[str, Any]:
    document = {**_document(random, number), "id": f"bad{number}"}
    return document | random.choice(({"time": "yesterday"}, {"channel": "telepathy"}, {"identifiers": "me"}))
