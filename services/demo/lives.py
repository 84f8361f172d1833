"""What happens to whom: who buys, who gets into trouble, who has to explain it twice, who asks for news."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

from services.demo import calls, chats, mails, visits
from services.demo.diary import Diary, Look
from services.demo.lines import Line
from services.demo.words import QUESTIONS, TROUBLES, Matter, Order, matter, order, sentences, texts

DAYS = 42
CONTACTS: dict[str, Callable[[Diary, Matter, datetime, str], Line]] = {
    "email": mails.mail, "phone": calls.call, "chat": chats.chat, "web": mails.form
}  # fmt: skip
# What becomes of people, in per cent. Some are chased by "any news?", some have to be told again elsewhere.
FATES = {"nothing": 15, "question": 12, "told once": 30, "chased": 24, "told again": 19}
# Where the parcel of a trouble got to; the others are delivered.
ARRIVES = {"late": "delayed", "locker": "ready_for_pickup"}
ANYBODYS = ("router", "moving", "esim", "sign_in")  # troubles told without a number that says whose they are
# When they are back, in per cent.
BACK = {"in hours": 30, "in days": 45, "in weeks": 25}
QUIET = 0.35  # of those who shop do not give their number until all is over, so that their calls are nobody's till then
ASKS = {"phone": "screen-pop", "chat": "Tuuli"}  # who may ask for the brief as a contact begins
ASKED = 0.5
# How likely each score is, from the lowest on: where they told it for the first time, and where they were back.
SCORES = {
    "nps": (0, (2, 1, 1, 2, 2, 5, 6, 12, 20, 25, 24), (9, 5, 7, 9, 9, 12, 12, 13, 11, 8, 5)),
    "ces": (1, (2, 4, 6, 12, 20, 31, 25), (13, 17, 20, 18, 15, 11, 6)),
    "csat": (1, (4, 6, 13, 36, 41), (19, 23, 24, 21, 13)),
}
RATED = 0.4
GOOD, BAD = 0.8, 0.4  # of a scale


def live(diary: Diary, today: datetime, rng: Random) -> None:
    """Write down six weeks of an ordinary customer, up to and beyond `today`."""
    fate = rng.choices(list(FATES), list(FATES.values()))[0]
    name = rng.choice(QUESTIONS if fate == "question" else TROUBLES)
    bought = order(name, diary.person.language, rng)
    diary.gives_number = rng.random() >= QUIET
    trouble = _daytime(today, rng.uniform(1, DAYS - 12), rng)
    _shop(diary, bought, trouble, today, rng, ARRIVES.get(name, "delivered"))
    if fate == "nothing":
        return
    about = matter(name, diary.person, bought, rng)
    _before(diary, about, trouble)
    ways = rng.sample(list(CONTACTS), 3)
    lines = [_contact(diary, about, ways[0], trouble, "")]
    if fate == "chased":
        lines.append(_chase(diary, about, lines[0]))
    if fate == "told again":
        lines += _again(diary, about, ways[: rng.choice([2, 2, 3])], lines[0])
    for place, line in enumerate(lines):
        _rate(line, about, is_back=place > 0)
    if fate != "question" and rng.random() < 0.75:
        _settle(diary, about, lines[-1])
    if not diary.gives_number:
        diary.gives_number = True
        visits.browse(diary, _later(lines[-1], rng), rng, signs_in=True)


def exemplary(diary: Diary, today: datetime, rng: Random) -> None:
    """The customer to show: one fault, told by mail, on the phone and in the chat within four days."""

    def before(days: int, hours: float = 0) -> datetime:
        return today - timedelta(days=days, hours=hours)

    bought = order("router", "en", rng)
    about = matter("router", diary.person, bought, rng)
    visits.subscribe(diary, before(30, 15), rng)
    visits.buy(diary, bought, before(19, 5), rng)
    visits.browse(diary, before(6, 4), rng, signs_in=True)
    visits.look_for_help(diary, about, before(3, 5))
    letter = mails.mail(diary, about, before(3, 4), "")
    visits.use_app(diary, about, before(2, 6))
    call = calls.call(diary, about, before(1, 9), texts("en")["cues"]["email"][0])
    _annotate(call, about)
    visits.look_for_help(diary, about, before(0, 5.2))
    talk = chats.chat(diary, about, before(0, 4.9), texts("en")["cues"]["phone"][0])
    talk.add(90, "feedback.received", texts("en")["feedback_bad"][0], talk.customer, kind="csat", score=2)
    mails.chase(letter, about, before(0, 2.2))


def stranger(diary: Diary, today: datetime, rng: Random) -> None:
    """A visitor who never says who they are, though most write, by the form or in the chat, and some do so again."""
    at = _daytime(today, rng.uniform(0, DAYS), rng)
    visits.browse(diary, at, rng, signs_in=False)
    name = rng.choice((*QUESTIONS, *ANYBODYS))
    about = matter(name, diary.person, order(name, diary.person.language, rng), rng)
    ways = rng.sample(["chat", "web"], rng.choice([0, 1, 1, 2]))
    for before, way in zip(("", *ways), ways, strict=False):
        at += timedelta(hours=rng.uniform(1, 40))
        cue = about.cue(before) if before else ""
        if way == "chat":
            chats.chat(diary, about, at, cue)
        else:
            visits.fill_in_form(diary, about, at, sentences(cue, about.words("written")))


def _shop(diary: Diary, bought: Order, trouble: datetime, today: datetime, rng: Random, arrives: str) -> None:
    """What a customer does without any trouble: looks around, buys, pays for the connection."""
    bought_at = _daytime(trouble, rng.uniform(9, 11), rng)
    visits.browse(diary, bought_at - timedelta(hours=rng.uniform(2, 20)), rng, signs_in=False)
    visits.buy(diary, bought, bought_at, rng, arrives)
    if rng.random() < 0.5:
        visits.browse(diary, _daytime(today, rng.uniform(0, DAYS), rng), rng, signs_in=rng.random() < 0.7)
    if rng.random() < 0.4:
        visits.subscribe(diary, today - timedelta(days=rng.choice([3, 33]), hours=rng.uniform(12, 20)), rng)


def _before(diary: Diary, about: Matter, at: datetime) -> None:
    if about.rng.random() < 0.6:
        visits.look_for_help(diary, about, at - timedelta(minutes=about.rng.uniform(5, 50)))
    if about.name in visits.FAILURES or (not about.is_question and about.rng.random() < 0.3):
        visits.use_app(diary, about, at - timedelta(hours=about.rng.uniform(1, 3)))


def _contact(diary: Diary, about: Matter, way: str, at: datetime, cue: str) -> Line:
    if way == "phone" and about.rng.random() < 0.12:
        calls.hang_up(diary, about, at - timedelta(minutes=about.rng.uniform(20, 90)))
    line = CONTACTS[way](diary, about, at, cue)
    if way in ASKS and about.rng.random() < ASKED:
        diary.looks.append(Look(at + timedelta(seconds=1), line.named[0], ASKS[way], way))
    if line.channel != "email" and not about.is_question:
        _annotate(line, about)
    return line


def _chase(diary: Diary, about: Matter, line: Line) -> Line:
    """Back without explaining: in the same mails, or in a chat that only asks for news."""
    at = _back(line, about.rng)
    if line.channel == "email":
        mails.chase(line, about, at)
        mails.answer(line, about, about.rng.uniform(2, 9))
        return line
    return chats.ask_for_news(diary, about, at)


def _again(diary: Diary, about: Matter, ways: list[str], line: Line) -> list[Line]:
    lines = [line]
    for before, way in pairwise(ways):
        lines.append(_contact(diary, about, way, _back(lines[-1], about.rng), about.cue(before)))
    return lines[1:]


def _settle(diary: Diary, about: Matter, line: Line) -> None:
    at = _later(line, about.rng)
    if line.channel != "email":
        line = mails.ours(diary, about, at)
    mails.settle(line, about, at)


def _annotate(line: Line, about: Matter) -> None:
    """The agent's note for the next one, who as often as not will not see it."""
    line.add(60, "note.written", about.words("note"), line.answering)


def _rate(line: Line, about: Matter, is_back: bool) -> None:
    """A survey's answer after a contact, if there is one; what comes after the contact does not wait for it."""
    rng = about.rng
    if rng.random() > RATED:
        return
    kind = rng.choice(list(SCORES))
    lowest, *likely = SCORES[kind]
    weights = likely[is_back]
    step = rng.choices(range(len(weights)), weights)[0]
    share = step / (len(weights) - 1)
    words = about.phrase("feedback_good") if share >= GOOD else about.phrase("feedback_bad") if share <= BAD else ""
    told = words or None, line.customer
    replace(line).add(rng.uniform(600, 90_000), "feedback.received", *told, kind=kind, score=lowest + step)


def _back(line: Line, rng: Random) -> datetime:
    """When somebody who waited for help is back."""
    when = rng.choices(list(BACK), list(BACK.values()))[0]
    if when == "in hours":
        return line.at + timedelta(hours=rng.uniform(1, 5))
    return _daytime(line.at, -rng.uniform(8, 25), rng) if when == "in weeks" else _later(line, rng)


def _later(line: Line, rng: Random) -> datetime:
    """Some days later, in the daytime."""
    return _daytime(line.at, -rng.uniform(1, 4), rng)


def _daytime(day: datetime, days_before: float, rng: Random) -> datetime:
    """A moment in the opening hours (UTC) of the day so many days before."""
    midnight = (day - timedelta(days=days_before)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(seconds=rng.randint(6 * 3600, 17 * 3600))
