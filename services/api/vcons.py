"""A customer's history as a vCon, the IETF's container for conversations. Pure; reads the codec's canonical JSON.

Messages and calls are dialogs, what was said on a call is a transcript, and all else a report in our own words. Files
are not in it: a recording's address would need the hash of what is there.
Source: draft-ietf-vcon-vcon-core (its syntax needs no `vcon` parameter any more), and the CC extension for roles.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.types import TYPES
from services.api.answers import Customer

Wire = Mapping[str, Any]
VENDOR = {"vendor": "tellonce", "product": "timeline", "encoding": "json"}
# Why a call came to nothing, in the draft's words.
INCOMPLETE = {"abandoned": "hung-up", "no_answer": "no-answer", "busy": "busy", "failed": "failed",
              "canceled": "hung-up", "missed": "no-answer"}  # fmt: skip
MESSAGES = frozenset({"message.received", "message.sent"})
CALLS = frozenset(type for type in TYPES if type.startswith("call."))  # of others' we don't know the data


def vcon(customer: Customer, events: Sequence[Wire], subject: str | None, now: datetime) -> dict[str, Any]:
    """The vCon of these events, which are in order of time. The same events have the same uuid."""
    made = _Writing(customer)
    for event in events:
        made.add(event)
    return {
        "uuid": str(_uuid(customer, events)),
        "extensions": ["CC"],
        "created_at": now.isoformat(),
        **({"subject": subject} if subject else {}),
        "parties": made.parties,
        "dialog": made.dialogs,
        "analysis": made.analysis,
        "attachments": [],
    }


def _uuid(customer: Customer, events: Sequence[Wire]) -> UUID:
    """Version 8 (RFC 9562): of what is in it."""
    hashed = hashlib.blake2b(customer.id.bytes, digest_size=16)
    for event in events:
        hashed.update(f"{event['source']}\x1f{event['id']}\x1e".encode())
    value = int.from_bytes(hashed.digest()) & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62
    return UUID(int=value)


class _Writing:
    """A vCon that is being written: its parts, and where each call's dialog and transcript are."""

    def __init__(self, customer: Customer) -> None:
        known = {one.type: one.value for one in reversed(customer.identifiers)}
        named = {"name": customer.name, "tel": known.get("phone"), "mailto": known.get("email")}
        first = {name: value for name, value in named.items() if value}
        self.parties: list[dict[str, Any]] = [first | {"role": "customer", "uuid": str(customer.id)}]
        self.dialogs: list[dict[str, Any]] = []
        self._seats: dict[tuple[str, str], int] = {}
        self._calls: dict[str, int] = {}
        self._turns: dict[int, list[dict[str, Any]]] = {}
        self._others: list[Wire] = []

    def add(self, event: Wire) -> None:
        """Write one more event."""
        if event["type"] in MESSAGES:
            self._message(event)
        elif event["type"] in CALLS and event.get("conversation"):
            self._call(event)
        else:
            self._others.append(event)

    @property
    def analysis(self) -> list[dict[str, Any]]:
        """The transcripts of the calls, and what is neither call nor message."""
        found = [
            {"type": "transcript", "dialog": place, **VENDOR, "body": turns} for place, turns in self._turns.items()
        ]
        return [*found, *([{"type": "report", **VENDOR, "body": self._others}] if self._others else [])]

    def _message(self, event: Wire) -> None:
        data, helper = event.get("data") or {}, self._helper(event)
        seats = [0, helper] if event["type"] == "message.received" else [helper, 0]
        self.dialogs.append(
            {
                "type": "text",
                "start": event["time"],
                "parties": seats,
                "application": event["channel"],
                "message_id": event["id"],
                "mediatype": "text/plain",
                "encoding": "none",
                "body": data.get("text") or "",
            }
        )

    def _call(self, event: Wire) -> None:
        call = f"{event['source']}\x1f{event['conversation']}"
        if call not in self._calls:
            self._calls[call] = len(self.dialogs)
            helper = self._helper(event)
            seats = (
                [helper, 0] if event.get("direction") == "outbound" and event["type"] != "call.turn" else [0, helper]
            )
            self.dialogs.append({"type": "recording", "start": event["time"], "parties": seats})
        place, data = self._calls[call], event.get("data") or {}
        dialog = self.dialogs[place]
        if data.get("agent") or (data.get("author") or {}).get("role") in ("agent", "bot"):
            dialog["parties"] = list(dict.fromkeys([*dialog["parties"], self._helper(event)]))
        self._happened(event, place, dialog, data)

    def _happened(self, event: Wire, place: int, dialog: dict[str, Any], data: Mapping[str, Any]) -> None:
        if event["type"] == "call.turn":
            seat = 0 if data.get("speaker", "customer") == "customer" else self._helper(event)
            turn = {"party": seat, "start": event["time"], "text": data.get("text") or ""}
            self._turns.setdefault(place, []).append(turn)
        elif event["type"] == "call.menu_choice" and data.get("choice"):
            self._history(dialog, 0, event["time"], "keydown", button=str(data["choice"]))
        elif event["type"] == "call.held":
            seat = dialog["parties"][-1]
            self._history(dialog, seat, event["time"], "hold")
            if data.get("seconds") and (over := _later(event["time"], data["seconds"])):
                self._history(dialog, seat, over, "unhold")
        elif event["type"] == "call.ended":
            _end(dialog, event["time"], data)

    def _history(self, dialog: dict[str, Any], party: int, time: str, event: str, **more: str) -> None:
        dialog.setdefault("party_history", []).append({"party": party, "time": time, "event": event, **more})

    def _helper(self, event: Wire) -> int:
        """Who spoke for the company in an event: a party for each name."""
        data = event.get("data") or {}
        author = data.get("author") or {}
        is_helper = author.get("role") in ("agent", "bot")
        role = author["role"] if is_helper else "agent"
        name = (author.get("name") or author.get("id") if is_helper else None) or data.get("agent") or role
        if (role, name) not in self._seats:
            self._seats[role, name] = len(self.parties)
            self.parties.append({"name": name, "role": role})
        return self._seats[role, name]


def _later(time: str, seconds: float) -> str | None:
    """So many seconds later; None beyond the end of calendars."""
    try:
        return (datetime.fromisoformat(time) + timedelta(seconds=seconds)).isoformat()
    except OverflowError:
        return None


def _end(dialog: dict[str, Any], time: str, data: Mapping[str, Any]) -> None:
    seconds = (datetime.fromisoformat(time) - datetime.fromisoformat(dialog["start"])).total_seconds()
    dialog["duration"] = max(seconds, 0)
    why = INCOMPLETE.get(str(data.get("disposition")))
    if why and not data.get("talk_seconds"):
        dialog |= {"type": "incomplete", "disposition": why}
