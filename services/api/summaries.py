"""One interaction in a short English sentence. Pure; reads the canonical JSON of the codec."""

from collections import Counter
from collections.abc import Sequence

from services.api.descriptions import Wire, describe
from services.api.oddities import data_of
from services.api.phrases import counted, joined, plain, quoted

KINDS = {
    "email": "Mail", "phone": "Call", "chat": "Chat", "sms": "Text messages", "web": "Visit", "app": "App visit",
}  # fmt: skip
COUNTED = {
    "message": ("message.received", "message.sent"), "page": "page.viewed", "screen": "screen.viewed",
    "error": "error.shown",
}  # fmt: skip
SUBJECTS = {
    "message.received": "subject", "message.sent": "subject", "call.menu_choice": "reason", "form.submitted": "form",
}  # fmt: skip


def describe_interaction(channel: str, count: int, events: Sequence[Wire]) -> str:
    """What an interaction of `count` events was, judged by those at hand."""
    kinds, about = Counter(event["type"] for event in events), subject(events)
    sizes = [
        counted(sum(number for type, number in kinds.items() if type.startswith(start)), noun)
        for noun, start in COUNTED.items()
    ]
    if count == 1 and events and not about and not any(sizes):
        return describe(events[0])
    kind = KINDS.get(channel, plain(channel).capitalize())
    if count > len(events):
        sizes = [counted(count, "event")]
    return joined(f"{kind} {quoted(about, 80)}" if about else kind, *sizes, outcome(events))


def subject(events: Sequence[Wire]) -> str | None:
    """What an interaction is about: a mail's subject, the reason chosen in the phone menu, a form's name."""
    found = (data_of(event).get(SUBJECTS.get(event["type"], "")) for event in events)
    return next((str(value) for value in found if value), None)


def outcome(events: Sequence[Wire]) -> str | None:
    """How it ended, in the source's word."""
    ends = (data_of(event) for event in reversed(events) if event["type"] in ("call.ended", "chat.ended"))
    return next((plain(data["disposition"]) for data in ends if data.get("disposition")), None)
