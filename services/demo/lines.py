"""A line: one conversation, or one visit, in which things happen one after another."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.event import Author, Direction, Identifier, Reference, Role
from services.demo.diary import Diary
from services.demo.words import AGENTS, Matter

HOUR = 3600.0
BOT = Author(role=Role.bot, id="tuuli", name="Tuuli")
SYSTEM = Author(role=Role.system, name="Tuulik")
SOURCES = {"email": "shop-mail", "phone": "phone", "chat": "chat-widget"}


@dataclass
class Line:
    """Where something goes on, who is named by it, and how far it has got (`at`)."""

    diary: Diary
    source: str
    channel: str
    conversation: str | None
    named: tuple[Identifier, ...]
    at: datetime
    references: tuple[Reference, ...] = ()
    agent: str = ""

    def add(self, after: float, type: str, text: str | None = None, author: Author | None = None, **data: Any) -> None:
        """Write down what happens `after` so many seconds. A turn of a call goes the way of who speaks."""
        self.at += timedelta(seconds=round(after))
        fields: dict[str, Any] = {
            "source": self.source, "channel": self.channel, "conversation": self.conversation,
            "identifiers": self.named, "references": self.references, "text": text, "author": author,
            "language": self.diary.person.language if text else None,
        }  # fmt: skip
        if type == "call.turn" and author != self.customer:
            fields["direction"] = Direction.outbound
        known = {name: value for name, value in data.items() if value is not None}
        self.diary.add(self.at, type, known, **fields)

    @property
    def customer(self) -> Author:
        """The customer as author."""
        return Author(role=Role.customer, name=self.diary.person.name)

    @property
    def answering(self) -> Author:
        """The agent as author."""
        return Author(role=Role.agent, id=f"agent-{self.agent.lower()}", name=self.agent)


def opened(diary: Diary, matter: Matter, channel: str, at: datetime, domain: str = "") -> Line:
    """A conversation about a matter. Mails have a Message-ID of their domain for its key."""
    person = diary.person
    key = f"{matter.rng.getrandbits(40):010x}"
    known = person.member if matter.rng.random() < 0.6 else Identifier(type="email", value=person.email)
    chatting = (person.browser, known) if diary.is_known else (person.browser,)
    named = {"email": (person.sender,), "phone": (person.caller,), "chat": chatting}
    return Line(
        diary=diary,
        source=SOURCES[channel],
        channel=channel,
        conversation=f"<{key}@{domain}>" if domain else f"{channel}-{key}",
        named=named[channel],
        at=at,
        references=matter.references,
        agent=matter.rng.choice(AGENTS[person.language]),
    )
