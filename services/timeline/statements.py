"""What the customer said in an interaction, and of which kind it is. Pure.

Only the customer's own words count: not what an agent, a bot or a machine wrote, not what a mail repeats. Kinds are
told by the phrases of `cues.py`, compared by their letters so that typing errors agree; in other languages by form.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache

from schemas.event import Direction, Event, Role
from services.timeline.cues import CUES
from services.timeline.text import cleaned
from services.timeline.tokens import tokens

SAID = frozenset(
    {"message.received", "message.edited", "call.turn", "call.menu_choice", "form.submitted", "search.made"}
)
AUTOMATIC = re.compile(r"^(auto-(replied|generated)|bulk|list|junk|auto_reply)$", re.I)
DRESS = re.compile(r"(?<!\S)[@#]\w+|https?://\S+|(?<!\S)\S[^\s@]*+@\S+\.\w+")  # linear in a text's length
MOST = 5_000  # characters of what was said that are read for its matter and its facts; more is kept, not read
NAMED = re.compile(
    r"\b(?:my name is|minu nimi on|mano vardas|mani sauc|меня зовут|nimeni on|mein name ist)(?:\s+\w+){1,2}"
)
SHORT = 14  # words; more than that explain something whatever else they hold
ALIKE = 0.62  # of the letters of a text and a phrase
THANKED = 1 / 3  # of the words of a text that thanks: with more besides, it tells something
SPARE = 1  # words besides the phrase that say nothing yet
ANSWERED = 2  # the same where the text begins with an answer that goes on: "yes, that is the right one"
ROOT = 5  # letters from which a beginning of thanks is looked for within words: "nothankyou"


class Kind(StrEnum):
    """What a statement is for."""

    explanation = "explanation"
    followup = "follow-up"
    closing = "closing"
    smalltalk = "small talk"


@dataclass(frozen=True, slots=True)
class Statement:
    """What a customer said in one event, as it was (`text`) and what of it is compared (`matter`)."""

    event: str
    interaction: str
    at: datetime
    channel: str
    text: str
    matter: str
    kind: Kind
    language: str | None
    references: tuple[tuple[str, str], ...] = ()
    told: str | None = None  # the words by which they say that they explained it before


def statement(event: Event, interaction: str) -> Statement | None:
    """What the customer said in an event; nothing where somebody else spoke, or nothing was said."""
    said = words_of(event)
    if not said:
        return None
    language = (event.language or "")[:2].lower() or spoken(said)
    matter = essence(said, language)
    references = tuple((one.type, one.value) for one in event.references)
    kind = classify(matter, language, bool(references))
    key = f"{event.source} {event.id}"
    told = told_before(said, language)
    return Statement(key, interaction, event.occurred_at, event.channel, said, matter, kind, language, references, told)


def words_of(event: Event) -> str:
    """The customer's own words in an event, cleaned; of very long ones the beginning."""
    return _own_words(event)[:MOST]


def _own_words(event: Event) -> str:
    role = event.author.role if event.author else Role.customer
    if event.type not in SAID or role != Role.customer or event.direction != Direction.inbound or _automatic(event):
        return ""
    if event.type == "call.turn" and event.data.get("speaker", "customer") != "customer":
        return ""
    if event.type == "search.made":
        return event.text or str(event.data.get("query", ""))
    if event.type == "form.submitted" and not event.text:
        fields = event.data.get("fields", {})
        return "\n".join(value for value in fields.values() if isinstance(value, str) and len(value.split()) > 2)
    return cleaned(event.text or "", event.data.get("html")).statement


def _automatic(event: Event) -> bool:
    headers = event.data.get("headers") or {}
    marks = [event.data.get("automatic"), *(headers.values() if isinstance(headers, dict) else ())]
    return any(mark is True or (isinstance(mark, str) and AUTOMATIC.match(mark)) for mark in marks)


@lru_cache(maxsize=20_000)
def essence(text: str, language: str | None) -> str:
    """What is left of a text without politeness, names, handles and what speech is strewn with."""
    left = NAMED.sub(" ", DRESS.sub(" ", text.lower()).replace("’", "'"))
    frames, fillers = _phrases(language)
    left = frames.sub(" ", left) if frames else left
    left = fillers.sub(" ", left) if fillers else left
    return " ".join(left.split()).strip(" .,!;:-")


def classify(matter: str, language: str | None, refers: bool = False) -> Kind:
    """The kind of a text without its frame. Who names an order or another number explains.

    `refers`: its channel says what it is about, which makes no "any news?" and no "thanks" an explanation.
    """
    words = list(tokens(matter))
    if not words:
        return Kind.smalltalk
    if len(words) > SHORT or any(len(word) > 3 and any(map(str.isdigit, word)) for word in words):
        return Kind.explanation
    found = _nearest(matter, language) or (None if refers else _told_only(matter, language))
    if found:
        return found
    known = language in CUES
    return Kind.explanation if refers or len(words) > (1 if known else 2) or len(words[0]) > 12 else Kind.smalltalk


def told_before(text: str, language: str | None) -> str | None:
    """The words by which somebody says that they explained it before, if they do."""
    low = " ".join(text.lower().split())
    return next((phrase for name in _asked(language) for phrase in _cues(name, "told") if phrase in low), None)


@lru_cache(maxsize=20_000)
def spoken(text: str) -> str | None:
    """The language whose common words and phrases a text holds most of, if one leads."""
    counts = Counter[str]()
    for word in tokens(text):
        counts.update(_languages().get(word, ()))
    first = counts.most_common(2)
    return first[0][0] if first and (len(first) == 1 or first[0][1] > first[1][1]) else None


@cache
def _languages() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, cues in CUES.items():
        for word in {word for kind in cues.values() for word in tokens(kind)}:
            found[word] = (*found.get(word, ()), name)
    return found


def _asked(language: str | None) -> Iterable[str]:
    return (language,) if language in CUES else CUES


@cache
def _cues(language: str, kind: str) -> tuple[str, ...]:
    return tuple(sorted(CUES[language][kind].split("|"), key=len, reverse=True))


@cache
def _phrases(language: str | None) -> tuple[re.Pattern[str], re.Pattern[str]]:
    def any_of(kind: str) -> re.Pattern[str]:
        phrases = [phrase for name in _asked(language) for phrase in _cues(name, kind)]
        found = "|".join(map(re.escape, sorted(phrases, key=len, reverse=True)))
        return re.compile(rf"(?<!\w)(?:{found})(?!\w)[,.!]*")

    return any_of("frame"), any_of("filler")


def _letters(text: str) -> Counter[str]:
    padded = f" {' '.join(tokens(text))} "
    return Counter(padded[at : at + 3] for at in range(len(padded) - 2))


@cache
def _table(language: str | None) -> tuple[list[tuple[Kind, float]], dict[str, list[tuple[int, int]]]]:
    """The phrases with their lengths, and by letters which phrases hold them how often."""
    phrases, held = list[tuple[Kind, float]](), dict[str, list[tuple[int, int]]]()
    for name in _asked(language):
        for kind in (Kind.closing, Kind.followup, Kind.smalltalk):
            for phrase in _cues(name, kind.name):
                letters = _letters(essence(phrase, name) or phrase)
                for gram, count in letters.items():
                    held.setdefault(gram, []).append((len(phrases), count))
                phrases.append((kind, sum(count * count for count in letters.values()) ** 0.5))
    return phrases, held


@lru_cache(maxsize=20_000)
def _nearest(matter: str, language: str | None) -> Kind | None:
    """The kind of the phrase that a text is nearly."""
    phrases, held = _table(language)
    letters, products = _letters(matter), Counter[int]()
    for gram, count in letters.items():
        for at, times in held.get(gram, ()):
            products[at] += count * times
    length = sum(count * count for count in letters.values()) ** 0.5
    best = max(((product / length / phrases[at][1], -at) for at, product in products.items()), default=(0.0, 0))
    if best[0] >= ALIKE:
        return phrases[-best[1]][0]
    return None


@lru_cache(maxsize=20_000)
def _told_only(matter: str, language: str | None) -> Kind | None:
    """The kind of a text of hardly anything but words of closings or small talk and what says nothing."""
    ordered = list(tokens(matter))
    words = set(ordered)
    for name in _asked(language):
        closing, talk, common = _vocabulary(name)
        thanks = {word for word in words if _thanking(name).search(word)}
        closing = closing | thanks
        goes_on = ordered[0] in _cues(name, "closing") and len(ordered) > 1 and ordered[1] in common
        if words & closing and len(words - closing - common) <= (ANSWERED if goes_on else SPARE):
            return Kind.closing
        spare = len(words - closing - talk - common)
        if thanks and spare <= len(words) * THANKED:
            return Kind.closing
        if words & talk and not spare:
            return Kind.smalltalk
    return None


@cache
def _thanking(language: str) -> re.Pattern[str]:
    roots = _cues(language, "thanks")
    return re.compile("|".join(re.escape(one) if len(one) >= ROOT else rf"^{re.escape(one)}" for one in roots))


@cache
def _vocabulary(language: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    common = frozenset(CUES[language]["common"].split())
    closing, talk = (frozenset(tokens(CUES[language][kind])) - common for kind in ("closing", "smalltalk"))
    return closing, talk, common


def statements(events: Iterable[tuple[Event, str]]) -> Iterator[Statement]:
    """The statements of events with their interactions."""
    return (said for event, interaction in events if (said := statement(event, interaction)))
