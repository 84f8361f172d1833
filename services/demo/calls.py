"""Calls about a matter: the IVR, the wait, what is said, how it ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.event import Author
from services.demo.diary import Diary
from services.demo.lines import Line, opened
from services.demo.words import TECHNICIANS, Matter, sentences

NUMBER = "+372 600 1000"
TECHNICAL = ("router", "moving", "esim", "app_payment")
LETTERS_A_SECOND = 15  # of unhurried speech


@dataclass
class Talk:
    """The turns of a call: each begins when the one before is over."""

    line: Line
    matter: Matter
    started: datetime
    speaking: float = 0.0

    def say(self, author: Author, text: str) -> None:
        """One party says something."""
        after = round(self.speaking + self.matter.rng.uniform(1, 3))
        self.speaking = len(text) / LETTERS_A_SECOND
        self.line.add(after, "call.turn", text, author, speaker=author.role.value, offset=self.seconds + after)

    def ask(self, phrase: str, **slots: str) -> None:
        """The agent says one of the phrases for any matter."""
        self.say(self.line.answering, self.matter.phrase(phrase, **slots))

    @property
    def seconds(self) -> int:
        """How long it has taken so far."""
        return round((self.line.at - self.started).total_seconds())


def call(diary: Diary, matter: Matter, at: datetime, cue: str) -> Line:
    """An answered call. `cue` says that they have explained it before."""
    rng, queue = matter.rng, matter.queue
    line = _ring(diary, matter, at)
    waited = rng.randint(20, 300)
    line.add(waited, "call.started", number=NUMBER, agent=line.agent, queue=queue)
    talk = Talk(line, matter, line.at)
    held = _converse(talk, cue)
    line.add(
        max(talk.speaking, 3),
        "call.ended",
        disposition="resolved" if matter.is_question else "follow_up",
        queue=queue,
        team=matter.team,
        agent=line.agent,
        ringing_seconds=waited,
        talk_seconds=talk.seconds - held,
        hold_seconds=held,
        wrap_up_seconds=rng.randint(15, 120),
    )
    return line


def hang_up(diary: Diary, matter: Matter, at: datetime) -> None:
    """A call that nobody answers in time."""
    line = _ring(diary, matter, at)
    waited, queue = matter.rng.randint(240, 700), matter.queue
    line.add(waited, "call.ended", disposition="abandoned", queue=queue, ringing_seconds=waited, talk_seconds=0)


def _ring(diary: Diary, matter: Matter, at: datetime) -> Line:
    """The call comes in and goes through the IVR; most callers are asked for their customer number there."""
    rng, menu = matter.rng, matter.menu()
    line = opened(diary, matter, "phone", at)
    line.add(0, "call.ringing", number=NUMBER)
    for depth in range(1, len(menu) + 1):
        reason = matter.words("reason") if depth == len(menu) else None
        choice = str(rng.randint(1, 4))
        line.add(rng.uniform(6, 15), "call.menu_choice", path=menu[:depth], choice=choice, reason=reason)
    return line


def _converse(talk: Talk, cue: str) -> int:
    """What is said; returns the seconds on hold. Some calls go on to the technicians, who ask again."""
    line, matter = talk.line, talk.matter
    talk.ask("call_greeting", agent=line.agent)
    _explain(talk, cue)
    if not matter.is_question:
        talk.ask("call_asks")
        talk.say(line.customer, matter.phrase("call_number", number=matter.number))
    if matter.name in TECHNICAL and matter.rng.random() < 0.5:
        _pass_on(talk)
    held = matter.rng.randint(40, 150) if matter.rng.random() < 0.3 else 0
    if held:
        talk.ask("call_hold")
        line.add(held, "call.held", seconds=held)
    talk.say(line.answering, matter.words("answers"))
    talk.say(line.customer, matter.phrase("call_thanks"))
    return held


def _explain(talk: Talk, cue: str = "") -> None:
    first, *rest = talk.matter.turns()
    for text in (sentences(first, cue), *rest):
        talk.say(talk.line.customer, text)


def _pass_on(talk: Talk) -> None:
    talk.ask("call_transfer")
    before, talk.line.agent = talk.line.agent, TECHNICIANS[talk.matter.person.language]
    desks: dict[str, Any] = {
        "from": {"agent": before},
        "to": {"queue": "technicians", "agent": talk.line.agent},
    }
    talk.line.add(15, "call.transferred", **desks)
    talk.ask("call_after_transfer", agent=talk.line.agent)
    _explain(talk)
