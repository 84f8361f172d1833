"""What has become of messages: written anew, taken back, not arrived. Pure; events themselves stay as they came."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.api.answers import Happening, Revision
from services.api.oddities import data_of

Wire = Mapping[str, Any]  # an event as canonical CloudEvents JSON

SAID = ("message.received", "message.sent", "note.written")
# About a message and none themselves: they ask nothing and answer nothing.
ABOUT = ("message.edited", "message.deleted", "message.reacted", "message.failed")
TOLD = ABOUT[:2]  # with their message
GONE = ("message.deleted", "message.failed")  # what such are about doesn't stand


def applied(items: Sequence[Happening]) -> list[Happening]:
    """The same events, each message with its revision where it has one, as far as these events tell."""
    if not (changes := _changes(items)):
        return list(items)
    return [_revised(item, changes[_name(item.event)]) if item.event["type"] in SAID else item for item in items]


def standing(items: Sequence[Happening]) -> list[Wire]:
    """The events with the words that stand: what was taken back or did not arrive is left out, as are changes of
    messages that are among these events."""
    changes = _changes(items)
    at_hand = {_name(item.event) for item in items if item.event["type"] in SAID}
    gone = {name for name, about in changes.items() if any(one.event["type"] in GONE for one in about)}
    found: list[Wire] = []
    for item in items:
        is_change = item.event["type"] in ABOUT
        if (is_change and _about(item.event) in at_hand) or (not is_change and _name(item.event) in gone):
            continue
        words = item.revision and item.revision.text
        found.append({**item.event, "data": {**data_of(item.event), "text": words}} if words else item.event)
    return found


def shown(items: Sequence[Happening]) -> list[Happening]:
    """The events without edits and deletions that their message tells."""
    revised = {_name(item.event) for item in items if item.event["type"] in SAID}
    return [item for item in items if item.event["type"] not in TOLD or _about(item.event) not in revised]


def _changes(items: Sequence[Happening]) -> defaultdict[tuple[str, str], list[Happening]]:
    """What was told about each message, oldest first."""
    changes = defaultdict[tuple[str, str], list[Happening]](list)
    about = (item for item in items if item.event["type"] in ABOUT)
    for item in sorted(about, key=lambda one: (one.event["time"], one.key)):
        changes[_about(item.event)].append(item)
    return changes


def _revised(item: Happening, changes: Sequence[Happening]) -> Happening:
    words, earlier = str(data_of(item.event).get("text") or ""), list[str]()
    last: Happening | None = None
    for change in changes:
        new = str(data_of(change.event).get("text") or "")
        if change.event["type"] == "message.edited" and new not in ("", words):
            earlier, words, last = [*earlier, words], new, change
    taken_back = next((one for one in changes if one.event["type"] == "message.deleted"), None)
    if not (decisive := taken_back or last):
        return item
    text, at = None if taken_back else words, datetime.fromisoformat(decisive.event["time"])
    if taken_back and words:
        earlier = [*earlier, words]
    revision = Revision(at=at, text=text, deleted=bool(taken_back), earlier=earlier)
    mark = "taken back" if taken_back else "edited"
    return item.model_copy(update={"revision": revision, "marks": [*item.marks, mark]})


def _name(event: Wire) -> tuple[str, str]:
    """A message by its system and id, as changes name it."""
    return str(event["source"]).partition("/")[0], str(event["id"])


def _about(event: Wire) -> tuple[str, str]:
    return _name(event)[0], str(data_of(event).get("message"))
