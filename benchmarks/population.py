"""Customers with skew and what they do: Zipf, visits, conversations, late events, identifiers that merge, three
languages. By seed always the same, and any window can be made by itself, so that a filling goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

from schemas.event import Author, Direction, Event, Identifier, Reference, Role, Verification
from services.demo.words import texts

START = datetime(2024, 1, 1, tzinfo=UTC)
WINDOW = timedelta(hours=16)  # some 10,000 events; 10 million are two years
EPISODES = 2_000  # of each window
FIRST, MORE = 20_000, 400  # customers at the start, and new ones of each window
SKEW = 0.6  # exponent of Zipf; the busiest of 400,000 customers has some 0.2 % of all events
LATE, SLOW = 0.02, 0.01  # shares: episodes heard of days later, events that come hours after the others
LANGUAGES = ("en", "et", "lt")
CUSTOMER, AGENT, SYSTEM = Role.customer, Role.agent, Role.system
IN, OUT, INTERNAL = Direction
VERIFIED, CLAIMED, OBSERVED = Verification.verified, Verification.claimed, Verification.observed
GIVEN = ("Mari", "Jaan", "Katrin", "Tõnu", "Jonas", "Eglė", "Rasa", "Tomas", "Anna", "Peter", "Olga", "Ivan")
FAMILY = ("Tamm", "Saar", "Sepp", "Kask", "Rebane", "Kazlauskas", "Petrauskas", "Smith", "Brown", "Ivanova")


class Customer:
    """One customer by number: their handles, name and language."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.language = LANGUAGES[number % 3]
        self.name = f"{GIVEN[number % len(GIVEN)]} {FAMILY[number // 7 % len(FAMILY)]}"
        self.account = Identifier(type="account", value=f"C-{number}", verification=VERIFIED)
        self.phone = Identifier(type="phone", value=f"+3725{number:07}", verification=OBSERVED)

    def mail(self, which: int = 0) -> Identifier:
        """Some have two addresses."""
        value = f"{self.name.lower().replace(' ', '.')}.{self.number}@example.{('com', 'net')[which]}"
        return Identifier(type="email", value=value, verification=VERIFIED)

    def device(self, number: int) -> Identifier:
        """A browser or telephone; another every few months."""
        return Identifier(type="device", value=f"d-{self.number}-{number}", verification=OBSERVED)


class Episode:
    """Events of one customer that belong together, from one moment on."""

    def __init__(self, random: Random, who: Customer, id: str, at: datetime, window: int) -> None:
        self.random, self.who, self.id, self.at = random, who, id, at
        self.device = who.device(window // 150 * 2 + (random.random() < 0.3))
        self.author = Author(role=CUSTOMER, name=who.name)
        self.events: list[Event] = []

    def add(self, source: str, type: str, channel: str, way: Direction, *named: Identifier, **more: Any) -> None:
        """One more event, some time after the last."""
        pause = 3 if channel in ("web", "phone", "chat") else 9_000
        self.at += timedelta(seconds=self.random.uniform(1, pause * 20))
        number = len(self.events)
        self.events.append(Event(
            id=f"{self.id}-{number}", source=source, type=type, channel=channel, direction=way, occurred_at=self.at,
            received_at=self.at + timedelta(seconds=1), identifiers=named, **more,
        ))  # fmt: skip

    def words(self, least: int, most: int) -> str:
        """Some sentences in the customer's language."""
        pool = sentences(self.who.language)
        return " ".join(self.random.choice(pool) for _ in range(self.random.randint(least, most)))


def mail(one: Episode) -> None:
    """A thread of mails."""
    handle = one.who.mail(one.random.random() < 0.1)
    order = Reference(type="order", value=str(one.random.randrange(10**6)))
    for number in range(one.random.choice((1, 2, 2, 3, 4, 6))):
        theirs = number % 2 == 0
        one.add(
            "mail", "message.received" if theirs else "message.sent", "email", IN if theirs else OUT, handle,
            author=one.author if theirs else Author(role=AGENT, name="Martin"), conversation=one.id,
            text=one.words(2, 7), language=one.who.language, references=(order,),
            data={"subject": one.words(1, 1)[:60]},
        )  # fmt: skip


def call(one: Episode) -> None:
    """A call, through a menu; some callers are asked for their number as a customer."""
    named = (one.who.phone, one.who.account) if one.random.random() < 0.3 else (one.who.phone,)
    for type, way, data in (
        ("call.started", IN, {}), ("call.menu_choice", IN, {"path": ["main", "orders"], "reason": "repair"}),
        ("call.ended", INTERNAL, {"outcome": "resolved", "seconds": 240}),
    ):  # fmt: skip
        said = one.words(1, 3) if type == "call.ended" else None
        one.add("telephony", type, "phone", way, *named, conversation=one.id, data=data, text=said)


def chat(one: Episode) -> None:
    """A chat from the site; after its start some systems name nobody any more."""
    named = (one.who.mail().model_copy(update={"verification": CLAIMED}), one.device)[one.random.random() < 0.5 :]
    nameless = one.random.random() < 0.2
    one.add("chat", "chat.started", "chat", IN, *named, author=one.author, conversation=one.id, text=one.words(1, 2))
    for number in range(one.random.randint(2, 9)):
        way, author = (IN, one.author) if number % 2 else (OUT, Author(role=AGENT, name="Ieva"))
        type = "message.received" if number % 2 else "message.sent"
        by = () if nameless else named
        one.add("chat", type, "chat", way, *by, author=author, conversation=one.id, text=one.words(1, 2))
    one.add("chat", "chat.ended", "chat", INTERNAL, *named, conversation=one.id)


def visit(one: Episode) -> None:
    """Pages of the site, unknown at first; some sign in."""
    known = one.random.random() < 0.25
    for number in range(one.random.randint(2, 12)):
        page = one.random.choice(("", "invoices", "orders", "help/parcel-lockers", "help/moving", "tv", "internet"))
        data = {"url": f"https://shop.example.com/{one.who.language}/{page}", "title": page.title() or "Home"}
        named = (one.who.account, one.device) if known and number > 2 else (one.device,)
        one.add("site", "page.viewed", "web", IN, *named, data=data)
        if known and number == 2:
            traits = {"name": one.who.name, "language": one.who.language}
            one.add(
                "site", "customer.identified", "web", INTERNAL, one.who.account, one.device, data={"traits": traits}
            )


def purchase(one: Episode) -> None:
    """An order, its bill and its delivery."""
    number = str(one.random.randrange(10**7))
    order, both = (Reference(type="order", value=number),), (one.who.account, one.who.mail())
    one.add("shop", "purchase.made", "web", IN, *both, references=order, data={"amount": "49.90", "currency": "EUR"})
    paid = {"amount": "49.90", "currency": "EUR", "status": "paid"}
    one.add("billing", "billing.updated", "other", INTERNAL, one.who.account, references=order, data=paid)
    for status in ("shipped", "delivered"):
        one.add("carrier", "delivery.updated", "other", INTERNAL, one.who.mail(), references=order,
                data={"status": status})  # fmt: skip


KINDS: dict[Callable[[Episode], None], int] = {visit: 40, mail: 25, chat: 15, call: 12, purchase: 8}  # weights


def windows(seed: int, first: int = 0) -> Iterator[list[Event]]:
    """What arrives in each window, in order of arrival; without end."""
    number = first
    while True:
        yield window(seed, number)
        number += 1


def window(seed: int, number: int) -> list[Event]:
    """One window's events in order of arrival."""
    random, people = Random(f"{seed}/{number}"), FIRST + MORE * number
    arriving: list[tuple[datetime, int, Event]] = []
    for count, kind in enumerate(random.choices(list(KINDS), list(KINDS.values()), k=EPISODES)):
        begins = START + number * WINDOW + random.random() * WINDOW
        late = timedelta(days=random.uniform(1, 20)) if random.random() < LATE else timedelta()
        one = Episode(random, Customer(_zipf(random, people)), f"{number}.{count}", begins - late, number)
        kind(one)
        for event in one.events:
            slow = timedelta(hours=random.uniform(0, 3)) if random.random() < SLOW else timedelta()
            arriving.append((event.occurred_at + late + slow, len(arriving), event))
    return [event for _, _, event in sorted(arriving)]


def heavy(name: str, events: int, handles: int = 20) -> Iterator[list[Event]]:
    """One customer with many identifiers and events over two years: every episode on one of them, some on two."""
    random, account = Random(name), Identifier(type="account", value=name, verification=VERIFIED)
    kinds = ["email"] * 5 + ["phone"] * 5 + ["device"] * (handles - 11)
    named = [Identifier(type=kind, value=_value(kind, name, number)) for number, kind in enumerate(kinds)]
    who = Customer(random.randrange(10**6))
    who.account = account
    yield [
        Event(id=f"{name}-is-{number}", source="site", type="customer.identified", channel="web", direction=INTERNAL,
              occurred_at=START, identifiers=(account, one), data={"traits": {"name": f"Heavy {name}"}})
        for number, one in enumerate(named)
    ]  # fmt: skip
    made, number = handles - 1, 0
    while made < events:
        one = Episode(random, who, f"{name}.{number}", START + 1_000 * WINDOW * made / events, 0)
        random.choice((mail, chat, call, visit))(one)
        by = random.sample([account, *named], 2 if random.random() < 0.2 else 1)
        found = [_told_by(event, random.choice(by)) for event in one.events][: events - made]
        made, number = made + len(found), number + 1
        yield found


@cache
def sentences(language: str) -> Sequence[str]:
    """All that people say in a language in the demo."""
    found: list[str] = []
    _collect(texts(language), found)
    return sorted(set(found))


def _collect(value: object, found: list[str]) -> None:
    if isinstance(value, str) and len(value) > 25:
        found.append(value.replace("{", "").replace("}", ""))
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _collect(inner, found)


def _zipf(random: Random, people: int) -> int:
    """A rank from 0 by the inverse of the continuous distribution."""
    return int((1 + random.random() * (people ** (1 - SKEW) - 1)) ** (1 / (1 - SKEW))) - 1


def _value(kind: str, name: str, number: int) -> str:
    digits = sum(map(ord, name)) * 100 + number
    return {"email": f"{name}.{number}@example.org", "phone": f"+3726{digits:07}"}.get(kind, f"{name}-{number}").lower()


def _told_by(event: Event, handle: Identifier) -> Event:
    return event.model_copy(update={"identifiers": (handle,)})
