"""A customer's story over the channels, and how to put events on the timeline without a log or a worker."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from schemas.event import Event
from services.identifiers import Rules
from services.tables import deployment
from services.timeline.stitch import stitch
from tests.builders import event

ANNA = {"role": "customer", "name": "Anna Kask"}
AGENT = {"role": "agent", "name": "Martin"}
PHONE, MAIL, DEVICE, ACCOUNT = (
    "phone:+37255001234", "email:anna@mail.example", "device:d-1", "account:C-1"
)  # fmt: skip


def put(engine: sa.Engine, events: Iterable[Event]) -> None:
    """Stitch events, as the worker would."""
    with engine.begin() as conn:
        stitch(conn, list(events), Rules(), conn.scalars(sa.select(deployment.c.secret)).one())


def mail(text: str, minute: float = 0, **changes: Any) -> Event:
    """A mail of Anna's about her router."""
    data = {"data": {"subject": "Internet drops"}, "conversation": "<1@mail.example>", "author": ANNA}
    return event(MAIL, minute=minute, source="mail", text=text, **data | changes)


def story() -> list[Event]:
    """Anna looks for help, writes, calls, chats: one customer, a visit, a mail with its answer, a call, a chat."""
    return [*visit(0), *mails(30), *call(200), *chat(400)]


def visit(minute: float) -> list[Event]:
    """Two pages and a search by a device that then signs in, and an error."""
    told: dict[str, Any] = {"source": "site", "channel": "web", "text": None}
    return [
        event(DEVICE, minute=minute, type="page.viewed", data={"title": "Help"}, **told),
        event(DEVICE, minute=minute + 1, type="search.made", data={"query": "red light"}, **told),
        event(DEVICE, minute=minute + 2, type="page.viewed", data={"title": "Faults"}, **told),
        event(DEVICE, ACCOUNT, MAIL, PHONE, minute=minute + 3, type="customer.identified", author=ANNA, **told),
        event(DEVICE, minute=minute + 4, type="error.shown", data={"message": "Test failed", "code": "N-7"}, **told),
    ]


def mails(minute: float) -> list[Event]:
    """A mail, its answer, and a mail below which the answer is quoted."""
    answer = {"type": "message.sent", "direction": "outbound", "author": AGENT}
    return [
        mail("Our internet drops every evening.\n\nAnna", minute),
        mail("We look into it.", minute + 60, **answer),
        mail("Any news?\n\nOn Monday Martin wrote:\n> We look into it.", minute + 120),
    ]


def call(minute: float) -> list[Event]:
    """A call through the phone menu."""
    told: dict[str, Any] = {"source": "pbx", "channel": "phone", "conversation": "call-1"}

    def turn(second: int, text: str, speaker: str) -> Event:
        author, direction = (ANNA, "inbound") if speaker == "customer" else (AGENT, "outbound")
        parts = {"author": author, "direction": direction, "data": {"speaker": speaker, "offset": second}}
        return event(PHONE, minute=minute + 2 + second / 60, type="call.turn", text=text, **parts, **told)

    menu = {"path": ["Internet", "Faults"], "reason": "Connection drops"}
    ended = {"disposition": "follow_up", "talk_seconds": 50}
    return [
        event(PHONE, minute=minute, type="call.ringing", text=None, **told),
        event(PHONE, minute=minute + 1, type="call.menu_choice", text=None, data=menu, **told),
        turn(2, "How can I help?", "agent"),
        turn(6, "It drops every evening, I wrote to you already.", "customer"),
        event(
            PHONE, minute=minute + 4, type="call.ended", text=None, direction="internal", data=ended, **told
        ),
    ]  # fmt: skip


def chat(minute: float) -> list[Event]:
    """A chat with the bot that is closed."""
    told: dict[str, Any] = {"source": "widget", "channel": "chat", "conversation": "chat-1"}
    bot = {"role": "bot", "name": "Tuuli"}
    return [
        event(DEVICE, ACCOUNT, minute=minute, type="message.received", text="red light again", author=ANNA, **told),
        event(
            DEVICE, ACCOUNT, minute=minute + 1, type="message.sent", direction="outbound",
            text="I pass you on.", author=bot, **told,
        ),
        event(DEVICE, ACCOUNT, minute=minute + 2, type="chat.ended", text=None, direction="internal", **told),
    ]  # fmt: skip


def pages(number: int) -> list[Event]:
    """So many mails of Anna's, each an interaction of its own, an hour apart."""
    return [mail(f"Mail number {n}.", n * 60, conversation=f"<n{n}@mail.example>") for n in range(number)]
