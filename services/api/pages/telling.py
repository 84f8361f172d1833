"""An interaction as it is told on a page: what was said by whom, what happened, where they went. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, ClassVar

from services.api.answers import About, Happening, Interaction
from services.api.descriptions import describe
from services.api.oddities import data_of
from services.api.phrases import joined, plain, quoted, shortened
from services.api.revisions import shown

# Steps on a way, told in one line that opens.
WAY = ("page.viewed", "screen.viewed", "search.made", "app.event", "customer.identified")
TOLD_ABOVE = ("call.ringing", "call.menu_choice")
LABELS = {"note.written": "note", "form.submitted": "by form"}
AUTOMATIC = {"reply": "automatic reply", "bounce": "came back", "list": "mailing list"}


@dataclass(frozen=True)
class Said:
    """Something written or said. `role`: customer, agent, bot, system or note; `quote`: the earlier mail below it;
    `before`: what it said before it was edited or taken back, oldest first."""

    kind: ClassVar[str] = "said"
    role: str
    name: str
    label: str
    at: datetime
    words: str
    quote: str
    language: str | None
    before: Sequence[str] = ()
    about: About | None = None


@dataclass(frozen=True)
class Step:
    """Something that happened."""

    kind: ClassVar[str] = "step"
    summary: str
    at: datetime
    is_error: bool = False
    about: About | None = None


@dataclass(frozen=True)
class Trail:
    """Pages, screens and searches one after another."""

    kind: ClassVar[str] = "trail"
    summary: str
    steps: Sequence[Step]


@dataclass(frozen=True)
class Shown:
    """An interaction with its way through the phone menu; `left_out` so many earlier events."""

    interaction: Interaction
    title: str
    path: Sequence[str]
    reason: str | None
    pieces: Sequence[Said | Step | Trail]
    left_out: int


def tell(interaction: Interaction) -> Shown:
    """An interaction as it is told."""
    choices = [_data(item) for item in interaction.items if item.event["type"] == "call.menu_choice"]
    return Shown(
        interaction=interaction,
        title=_title(interaction),
        path=next((list(map(str, choice["path"])) for choice in reversed(choices) if choice.get("path")), []),
        reason=next((str(choice["reason"]) for choice in reversed(choices) if choice.get("reason")), None),
        pieces=_pieces(interaction.items),
        left_out=interaction.events - len(interaction.items),
    )


def split(text: str) -> tuple[str, str]:
    """A mail's own words, and the earlier mail that it quotes from its first `>` on, with the line that names it."""
    lines = text.splitlines()
    start = next((place for place, line in enumerate(lines) if line.startswith(">")), len(lines))
    if 0 < start < len(lines) and lines[start - 1].rstrip().endswith(":"):
        start -= 1
    own = "\n".join(lines[:start]).strip()
    return (own, "\n".join(lines[start:]).strip()) if own else (text.strip(), "")


def _title(interaction: Interaction) -> str:
    """Notices of several systems go by the number that they are about, such as an order's."""
    references = (one for item in interaction.items for one in _data(item).get("references") or ())
    about = [f"{one['type']} {one['value']}" for one in references]
    is_notice = interaction.channel == "other" and interaction.events > 1 and about
    return about[0][0].upper() + about[0][1:] if is_notice else interaction.summary


def _pieces(items: Sequence[Happening]) -> list[Said | Step | Trail]:
    found: list[Said | Step | Trail] = []
    told = (item for item in shown(items) if item.event["type"] not in TOLD_ABOVE)
    for is_way, group in groupby(told, key=lambda item: item.event["type"] in WAY):
        stretch = list(group)
        if is_way and len(stretch) > 1:
            found.append(Trail(_way(stretch), [_step(item) for item in stretch]))
        else:
            found += [_said(item) if _data(item).get("text") else _step(item) for item in stretch]
    return found


def _said(item: Happening) -> Said:
    event, data = item.event, _data(item)
    author = data.get("author") or {}
    role = data.get("speaker") or author.get("role") or _side(event)
    revision = item.revision
    words, quote = split(str(data["text"]) if revision is None else revision.text or "")
    return Said(
        role="note" if event["type"] == "note.written" else str(role),
        name=str(author.get("name") or str(role).capitalize()),
        label=_label(item, str(role)),
        at=_at(item),
        words=words,
        quote=quote,
        language=data.get("language"),
        before=revision.earlier if revision else (),
        about=item.about,
    )


def _label(item: Happening, role: str) -> str:
    """What the words are beside being somebody's."""
    event, data = item.event, _data(item)
    if event["type"] == "feedback.received":
        return describe({**event, "data": {**data, "text": None}}).lower()
    return joined(role, LABELS.get(event["type"]), AUTOMATIC.get(data.get("automatic", "")), *item.marks)


def _side(event: Mapping[str, Any]) -> str:
    return "customer" if event["direction"] == "inbound" else "agent"


def _step(item: Happening) -> Step:
    return Step(joined(item.summary, *item.marks), _at(item), item.event["type"] == "error.shown", item.about)


def _way(stretch: Sequence[Happening]) -> str:
    """Where they went, in one line."""
    stations = [_station(item) for item in stretch]
    return shortened(" → ".join(name for name, _ in groupby(stations)), 140)


def _station(item: Happening) -> str:
    data = _data(item)
    if item.event["type"] == "customer.identified":
        return "signed in"
    if query := data.get("query"):
        return quoted(query, 60)
    return str(data.get("title") or plain(data.get("name")) or item.summary)


def _data(item: Happening) -> Mapping[str, Any]:
    return data_of(item.event)


def _at(item: Happening) -> datetime:
    return datetime.fromisoformat(item.event["time"])
