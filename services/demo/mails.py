"""Mails about a matter, and the site's form, which is answered by mail."""

from datetime import datetime

from services.demo.diary import Diary
from services.demo.lines import HOUR, SYSTEM, Line, opened
from services.demo.visits import fill_in_form
from services.demo.words import Matter, sentences


def mail(diary: Diary, matter: Matter, at: datetime, cue: str) -> Line:
    """A mail, which an agent answers some hours later. `cue` says that they have explained it before."""
    rng = matter.rng
    line = opened(diary, matter, "email", at, domain=diary.person.email.partition("@")[2])
    subject = matter.words("subject")
    body = sentences(cue, matter.words("written"), matter.words("tried") if rng.random() < 0.6 else "")
    line.add(0, "message.received", matter.letter(body), line.customer, subject=subject)
    if rng.random() < 0.5:
        text = matter.phrase("auto_reply")
        line.add(20, "message.sent", text, SYSTEM, subject=f"Re: {subject}", automatic="reply")
    answer(line, matter, rng.uniform(2, 20))
    return line


def form(diary: Diary, matter: Matter, at: datetime, cue: str) -> Line:
    """The site's form; the answer opens a conversation by mail."""
    fill_in_form(diary, matter, at, sentences(cue, matter.words("written")))
    line = ours(diary, matter, at)
    answer(line, matter, matter.rng.uniform(3, 24))
    return line


def ours(diary: Diary, matter: Matter, at: datetime) -> Line:
    """A conversation by mail that we open."""
    return opened(diary, matter, "email", at, domain="tuulik.example")


def answer(line: Line, matter: Matter, hours: float, words: str = "answers") -> None:
    """The agent's mail, so many hours later."""
    text = matter.reply(matter.words(words), line.agent)
    line.add(hours * HOUR, "message.sent", text, line.answering, subject=f"Re: {matter.words('subject')}")


def chase(line: Line, matter: Matter, at: datetime) -> None:
    """A mail that only asks for news, often with the last mail of the conversation below it."""
    line.at = at
    last = next(event for event in reversed(line.diary.events) if event.conversation == line.conversation)
    text = matter.phrase("follow_ups")
    if last.text and last.author and matter.rng.random() < 0.6:
        text += "\n\n" + matter.quoted(last.text, last.author.name or "", last.occurred_at)
    line.add(0, "message.received", text, line.customer, subject=f"Re: {matter.words('subject')}")


def settle(line: Line, matter: Matter, at: datetime) -> None:
    """The agent's mail that it is mended, for some answered with a word of thanks."""
    line.at = at
    answer(line, matter, 0, "fixed")
    if matter.rng.random() < 0.25:
        text = matter.phrase("thanks")
        subject = f"Re: {matter.words('subject')}"
        line.add(matter.rng.uniform(1, 5) * HOUR, "message.received", text, line.customer, subject=subject)
