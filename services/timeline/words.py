"""What people said of issues, by events in tellonce's own name: what belongs together, and how it stands. Pure."""

from collections.abc import Mapping

from schemas.event import Event
from services.timeline.interactions import interaction_of
from services.timeline.issues import Correction, Mark, State, Word


def word(event: Event) -> Word:
    """What such an event says."""
    at, data = event.occurred_at, event.data
    if event.type == "issue.stated":
        return Mark(at, _passage(data["issue"]), State(data["state"]))
    if event.type == "issue.answered":
        return Correction(at, _place(data["where"]), _passage(data["issue"]), data["same"])
    return Correction(at, _passage(data["one"]), _passage(data["other"]), event.type == "issue.joined")


def _place(where: Mapping[str, str]) -> str:
    """A conversation's interaction, which need not be there yet, or an event."""
    if conversation := where.get("conversation"):
        return str(interaction_of(where["source"], conversation))
    return _passage(where)


def _passage(said: Mapping[str, str]) -> str:
    return f"{said['source']} {said['event']}"
