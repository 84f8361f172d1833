"""Turns out of transcripts, in the shapes that transcribers write them. Pure.

Lists of turns (`speaker`, `party` …; `text`, `message` …), and what holds such a list: `segments`, `utterances`,
Deepgram's `results`. Where nothing says who speaks, there are no turns, but the words as a whole.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources.fields import items, moment, number, part, text
from services.ingest.sources.vendor import Document

WORDS = ("text", "message", "content", "transcript", "body", "utterance")
LISTS = ("segments", "utterances", "turns", "conversation", "transcript", "messages", "dialog", "items")


class Turn(NamedTuple):
    """What one party said. `speaker` is a name or role, `party` an index, as the transcript has them; `at` its time,
    or `offset` the seconds since the start."""

    text: str
    speaker: str | None
    party: int | None
    offset: float | None
    at: datetime | None
    confidence: float | None


def opened(body: Any, encoding: str | None) -> Any:
    """The content of a transcript's body; JSON may come as a text."""
    if isinstance(body, str) and (encoding == "json" or body.lstrip()[:1] in ("{", "[")):
        try:
            return documents.parse(body.encode(errors="replace"))
        except Malformed:
            return body
    return body


def turns(body: Any) -> Iterator[Turn]:
    """Its turns; of a text, none."""
    for one in _list(body):
        if words := text(one, *WORDS):
            sure = number(one, "confidence", "Confidence")
            at = moment(one, "start") if isinstance(one.get("start"), str) and "-" in one["start"] else None
            yield Turn(
                words,
                text(one, "speaker", "role", "participant", "channel_label", "name"),
                _index(one, "party", "parties"),
                None if at else number(one, "start", "offset", "start_time", "begin"),
                at,
                sure if sure is not None and 0 <= sure <= 1 else None,
            )


def whole(body: Any) -> str | None:
    """All its words in one."""
    if isinstance(body, str):
        return body.strip() or None
    if isinstance(body, dict):
        heard = items(part(body, "results"), "channels") or items(body, "channels")
        best = [text(one, "transcript") for channel in heard for one in items(channel, "alternatives")[:1]]
        if words := "\n".join(filter(None, best)) or text(body, *WORDS) or text(part(body, "transcript"), *WORDS):
            return words
    return "\n".join(turn.text for turn in turns(body)) or None


def _list(body: Any) -> list[Document]:
    if isinstance(body, list):
        return [one for one in body if isinstance(one, dict)]
    if not isinstance(body, dict):
        return []
    held = next((items(body, name) for name in LISTS if items(body, name)), [])
    return held or items(part(body, "results"), "utterances")


def _index(one: Document, *names: str) -> int | None:
    for name in names:
        value = one.get(name)
        value = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
