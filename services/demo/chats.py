"""Chats about a matter: the bot first, then an agent."""

from datetime import datetime

from services.demo.diary import Diary
from services.demo.lines import BOT, Line, opened
from services.demo.visits import SITE, SLUGS
from services.demo.words import Matter, sentences


def chat(diary: Diary, matter: Matter, at: datetime, cue: str) -> Line:
    """A chat in which the matter is explained. `cue` says that they have explained it before."""
    rng = matter.rng
    line = opened(diary, matter, "chat", at)
    line.add(0, "chat.started", url=f"{SITE}/{diary.person.language}/help/{SLUGS[matter.name]}", queue="chat")
    line.add(2, "message.sent", matter.phrase("chat_bot"), BOT)
    line.add(rng.uniform(20, 60), "message.received", sentences(matter.words("typed"), cue), line.customer)
    line.add(4, "message.sent", matter.phrase("chat_bot_passes"), BOT)
    line.add(rng.uniform(40, 200), "message.sent", matter.phrase("chat_agent", agent=line.agent), line.answering)
    if diary.is_known and not matter.is_question:
        _give_number(line, matter)
    line.add(rng.uniform(40, 240), "message.sent", matter.words("answers"), line.answering)
    _end(line, matter)
    return line


def ask_for_news(diary: Diary, matter: Matter, at: datetime) -> Line:
    """A chat that only asks for news."""
    line = opened(diary, matter, "chat", at)
    line.add(0, "chat.started", url=f"{SITE}/{diary.person.language}/account", queue="chat")
    line.add(15, "message.received", matter.phrase("follow_ups"), line.customer)
    line.add(90, "message.sent", matter.phrase("chat_agent", agent=line.agent), line.answering)
    line.add(120, "message.sent", matter.words("answers"), line.answering)
    _end(line, matter)
    return line


def _give_number(line: Line, matter: Matter) -> None:
    rng = matter.rng
    line.add(rng.uniform(10, 30), "message.sent", matter.phrase("chat_asks"), line.answering)
    line.add(rng.uniform(10, 60), "message.received", matter.number, line.customer)
    if rng.random() < 0.4:
        line.add(rng.uniform(10, 40), "message.received", matter.words("tried"), line.customer)


def _end(line: Line, matter: Matter) -> None:
    line.add(matter.rng.uniform(10, 60), "message.received", matter.phrase("chat_thanks"), line.customer)
    line.add(30, "chat.ended", disposition="resolved" if matter.is_question else "follow_up", team=matter.team)
