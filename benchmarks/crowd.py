"""What a crowd of customers does on all channels, as patterns of events for load.lua to fill in.

In a pattern @who@ stands for the customer's number (seven digits), @id@ for the event's, @time@ for now, and @late@ for
some time in the last 30 days.
"""

from pathlib import Path
from random import Random
from typing import Any

import orjson

CUSTOMERS = 1_000_000
PATTERNS = 1_000
LATE, TWO = 0.05, 0.25  # shares: of events that come late, of events that name the customer in two ways
SENTENCES = (
    "My parcel has not arrived although the tracking page says that it was delivered on Tuesday.",
    "I have restarted the machine twice, as your colleague told me on the phone, and the door still does not open.",
    "The invoice names the old address; I sent you the new one in March.",
    "Could you please tell me when the technician comes, I have to take the day off.",
    "The app shows an error after I choose the card, and then the basket is empty again.",
    "I was promised a call back before noon and nobody has called.",
    "The amount was taken twice from my account on the same day, please look into it.",
    "Palun öelge, millal saate tehniku saata; ootasin eile terve päeva.",
    "Prekė atvyko be laidų, o instrukcijoje parašyta, kad jie turi būti dėžėje.",
)
Shares = dict[str, int]  # of channels; in mails and chats the customer writes four sentences, elsewhere nothing
SHARES: Shares = {"email": 20, "phone": 10, "chat": 25, "web": 30, "app": 15}  # 45 % with text
TENTH: Shares = {"email": 4, "phone": 16, "chat": 6, "web": 49, "app": 25}  # 10 %
NAMES = {
    "email": (("email", "c@who@@example.com"), ("phone", "+3725@who@")),
    "phone": (("phone", "+3725@who@"), ("account", "C-@who@")),
    "chat": (("account", "C-@who@"), ("email", "c@who@@example.com")),
    "web": (("device", "4c7d2a9e-3b0d-4e55-9a51-d0000@who@"), ("account", "C-@who@")),
    "app": (("account", "C-@who@"), ("device", "4c7d2a9e-3b0d-4e55-9a51-d0000@who@")),
}


def write(path: Path, shares: Shares = SHARES, seed: int = 1) -> Path:
    """The patterns as a file, one a line; some 700 bytes each, of pages and calls less, of mails more."""
    random = Random(seed)
    path.write_bytes(b"\n".join(orjson.dumps(pattern(random, shares)) for _ in range(PATTERNS)))
    return path


def pattern(random: Random, shares: Shares = SHARES) -> dict[str, Any]:
    """One event, on a channel by the channels' shares."""
    (channel,) = random.choices(list(shares), list(shares.values()))
    named = NAMES[channel][: 2 if random.random() < TWO else 1]
    event: dict[str, Any] = {
        "id": "@id@",
        "type": "app.event",
        "time": "@late@" if random.random() < LATE else "@time@",
        "channel": channel,
        "direction": "inbound",
        "identifiers": [{"type": type, "value": value} for type, value in named],
    }
    return event | (_written(random, channel) if channel in ("email", "chat") else _done(random, channel))


def _written(random: Random, channel: str) -> dict[str, Any]:
    order = str(random.randrange(10**6))
    return {
        "type": "message.received",
        "conversation": f"{channel}-@who@-{random.randrange(20)}",
        "author": {"role": "customer", "name": f"Mari Maasikas {random.randrange(100)}"},
        "language": "en",
        "references": [{"type": "order", "value": order}],
        "text": f"Hello, this is about order {order}. " + " ".join(random.choices(SENTENCES, k=4)),
        "data": {"subject": f"Order {order}: {random.choice(SENTENCES)[:40]}"} if channel == "email" else {},
    }


def _done(random: Random, channel: str) -> dict[str, Any]:
    order = random.randrange(10**6)
    if channel == "phone":
        own = {"number": "+3726000100", "queue": "support", "menu": random.choices(SENTENCES, k=2)}
        return {"type": "call.started", "conversation": "call-@id@", "data": own}
    words = random.choice(SENTENCES)
    more = {"width": 1280, "height": 720, "order": str(order), "experiment": "basket-b", "agent": words}
    if channel == "app":
        return {"type": "screen.viewed", "data": {"name": "Delivery status", "properties": more}}
    address = f"https://shop.example.com/orders/{order}?from=mail&campaign=spring"
    page = {"url": address, "title": f"Order {order}", "referrer": "https://shop.example.com/", "properties": more}
    return {"type": "page.viewed", "data": page}
