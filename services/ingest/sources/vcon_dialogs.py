"""The dialogs of a vCon: recordings, messages, transfers and calls that came to nothing. Pure."""

import base64
import binascii
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from schemas.codec import Malformed
from services import hypertext
from services.ingest.sources.calls import between, happening, later, party
from services.ingest.sources.fields import given, items, moment, number, part, text
from services.ingest.sources.vendor import Document

CUSTOMERS = frozenset({"customer", "caller", "client", "contact", "consumer", "end_user", "user", "visitor", "patient"})
BOTS = frozenset({"bot", "ivr", "virtual_agent", "assistant", "automated"})
AGENTS = BOTS | {"agent", "employee", "representative", "supervisor", "operator", "expert", "csr", "advisor"}
PRIOR = ("amended", "amended_from", "appended", "redacted", "redacted_from")


class Conversation:
    """A vCon, read leniently. `id` is that of the first of its versions. Raises Malformed."""

    def __init__(self, body: Document) -> None:
        self.body = body
        prior = (text(part(body, name), "uuid") for name in PRIOR)
        found = next(filter(None, prior), None) or text(body, "uuid")
        if not found:
            raise Malformed("no_uuid", "The vCon has no uuid, so that it can't be known again.")
        self.id = found
        self.parties = items(body, "parties")
        self.dialogs = items(body, "dialog")

    @cached_property
    def is_inbound(self) -> bool | None:
        """Which way it went, where older drafts say so."""
        said = [part(one, "meta") for one in (self.body, *items(self.body, "dialog"))]
        word = next(filter(None, (text(one, "direction") for one in said)), "").lower()
        return word.startswith("in") if word.startswith(("in", "out")) else None

    def role_of(self, speaker: str | None) -> str | None:
        """The role of who is named in a transcript, by role or by name."""
        said = (speaker or "").strip().lower()
        if found := _role({"role": said}):
            return found
        place = self._names.get(said) if said else None
        return None if place is None else self.roles[place]

    @cached_property
    def _names(self) -> dict[str, int]:
        """The first party of each name."""
        return {(text(one, "name") or "").lower(): place for place, one in reversed(list(enumerate(self.parties)))}

    @cached_property
    def roles(self) -> list[str]:
        """`customer`, `agent` or `bot` for each party: as it says, or else who began is the customer."""
        named = [_role(one) for one in self.parties]
        if "customer" in named or not named:
            return [role or "agent" for role in named]
        if any(named):
            return [role or "customer" for role in named]
        first = next((seats[0] for one in items(self.body, "dialog") if (seats := self.seats(one))), 0)
        began, others = ("agent", "customer") if self.is_inbound is False else ("customer", "agent")
        return [began if index == first else others for index in range(len(named))]

    def seats(self, dialog: Document) -> list[int]:
        """The parties of a dialog that there are, whoever began it first."""
        return [one for one in dict.fromkeys(_named(dialog)) if 0 <= one < len(self.parties)]

    def customer(self, seats: Sequence[int]) -> list[Document]:
        """Whom a dialog is with. One of them: what an event names together is one customer."""
        which = [one for one in seats if self.roles[one] == "customer"] or (
            [self.roles.index("customer")] if "customer" in self.roles and not seats else []
        )
        return _identifiers(self.parties[which[0]]) if which else []

    def name(self, index: Any) -> str | None:
        """What a party is called."""
        is_there = isinstance(index, int) and 0 <= index < len(self.parties)
        return text(self.parties[index], "name", "tel", "mailto", "sip", "uuid") if is_there else None

    def at(self, dialog: Document) -> datetime | None:
        """When a dialog began, or else the vCon."""
        return moment(dialog, "start") or moment(self.body, "created_at") or moment(self.body, "updated_at")


def events(vcon: Conversation, index: int, dialog: Document) -> Iterator[Document | Malformed]:
    """What a dialog tells."""
    at = vcon.at(dialog)
    if at is None:
        yield Malformed("no_time", f"Dialog {index} has no start, and the vCon no time of its own.")
    elif _named(dialog) and not vcon.seats(dialog):
        yield Malformed("no_such_party", f"Dialog {index} is of parties none of which is among the vCon's.")
    elif dialog.get("type") == "text":
        yield _message(vcon, index, dialog, at)
    elif dialog.get("type") in ("recording", "incomplete"):
        yield from _call(vcon, index, dialog, at)
    elif dialog.get("type") == "transfer":
        target = dialog.get("transfer_target", dialog.get("transfer-target"))
        desks: dict[str, Any] = {
            "from": given(agent=vcon.name(dialog.get("transferor"))),
            "to": given(agent=vcon.name(target)),
        }
        whom = vcon.customer(vcon.seats({"parties": dialog.get("transferee")}))
        yield happening("call.transferred", f"{vcon.id}/{index}/transferred", vcon.id, at, whom, **desks)


def _call(vcon: Conversation, index: int, dialog: Document, at: datetime) -> Iterator[Document]:
    seats, id = vcon.seats(dialog), f"{vcon.id}/{index}"
    customer, helped = vcon.customer(seats), [one for one in seats if vcon.roles[one] != "customer"]
    out = bool(seats) and vcon.roles[seats[0]] != "customer"
    known: Document = given(agent=vcon.name(helped[0]) if helped else None)
    number_ = given(number=text(vcon.parties[helped[0]], "tel") if helped else None)
    direction = "outbound" if out or vcon.is_inbound is False else "inbound"
    meta = part(dialog, "meta") or part(vcon.body, "meta")
    seconds = number(dialog, "duration")
    seconds = seconds if seconds is not None and seconds >= 0 else None
    said = (text(dialog, "disposition") or text(meta, "disposition") or "").lower().replace("-", "_").replace(" ", "_")
    if dialog.get("type") == "recording":
        called = [one for one in seats if vcon.roles[one] == "customer" and direction == "inbound"]
        author = {"role": "customer"} | given(name=vcon.name(called[0])) if called else None
        started = known | number_ | {"author": author}
        yield happening("call.started", f"{id}/started", vcon.id, at, customer, direction, **started)
        yield from _history(vcon, id, dialog, customer)
        if url := text(dialog, "url"):
            yield happening("call.recorded", f"{id}/recorded", vcon.id, at, customer, recording=url, seconds=seconds)
    else:
        yield happening("call.ringing", f"{id}/ringing", vcon.id, at, customer, direction, **number_)
    talked = seconds if dialog.get("type") == "recording" else None
    ended: Document = {"disposition": said or None, "talk_seconds": talked} | known
    yield happening("call.ended", f"{id}/ended", vcon.id, later(at, seconds or 0), customer, **ended)


def _history(vcon: Conversation, id: str, dialog: Document, customer: list[Document]) -> Iterator[Document]:
    """Keys that were pressed, and stretches on hold."""
    held: dict[Any, datetime] = {}
    for index, one in enumerate(items(dialog, "party_history")):
        at, event, who = moment(one, "time"), text(one, "event"), text(one, "party")
        if at is None:
            continue
        if event == "keydown" and (button := text(one, "button")):
            author = {"role": "customer"}
            yield happening(
                "call.menu_choice", f"{id}/key/{index}", vcon.id, at, customer, choice=button, author=author
            )
        elif event == "hold":
            held[who] = at
        elif event == "unhold" and who in held:
            start = held.pop(who)
            yield happening("call.held", f"{id}/hold/{index}", vcon.id, start, customer, seconds=between(start, at))


def _message(vcon: Conversation, index: int, dialog: Document, at: datetime) -> Document | Malformed:
    seats, body = vcon.seats(dialog), dialog.get("body")
    if dialog.get("encoding") == "base64url":
        body = decoded(body).decode("utf-8", "replace")
    if not isinstance(body, str):
        return Malformed("no_text", f"Dialog {index} is a text without its words.")
    role = vcon.roles[seats[0]] if seats else "customer"
    author = {"role": role} | given(name=vcon.name(seats[0]) if seats else None)
    is_html = "html" in (text(dialog, "mediatype", "mimetype") or "")
    return {
        "id": f"{vcon.id}/{index}/message",
        "type": "message.received" if role == "customer" else "message.sent",
        "time": at.isoformat(),
        "channel": _channel(vcon, dialog, seats),
        "direction": "inbound" if role == "customer" else "outbound",
        "conversation": vcon.id,
        "author": author,
        "identifiers": vcon.customer(seats),
        "data": given(subject=text(vcon.body, "subject"), html=body if is_html else None),
        "text": hypertext.text(body) if is_html else body,
    }


def _channel(vcon: Conversation, dialog: Document, seats: Sequence[int]) -> str:
    kind = (text(dialog, "application") or text(dialog, "mediatype", "mimetype") or "").lower()
    if "rfc822" in kind or "mail" in kind:
        return "email"
    if "sms" in kind or "mms" in kind:
        return "sms"
    has_mail = all(text(vcon.parties[one], "mailto", "email") for one in seats)
    has_phone = all(text(vcon.parties[one], "tel") for one in seats)
    if not seats or has_mail == has_phone:
        return "chat"
    return "email" if has_mail else "sms"


def decoded(body: Any) -> bytes:
    """What is in base64url, with or without its padding (RFC 7515, appendix C). Raises Malformed."""
    try:
        raw = body.encode("ascii")
        return base64.urlsafe_b64decode(raw.rstrip(b"=") + b"=" * (-len(raw.rstrip(b"=")) % 4))
    except (AttributeError, UnicodeEncodeError, binascii.Error, ValueError):
        raise Malformed("bad_encoding", "What should be base64url in the vCon is not.") from None


def _named(dialog: Document) -> list[int]:
    """The parties that a dialog says it is of, by their places, whoever began it first."""
    found = dialog.get("parties")
    flat = [found] if isinstance(found, int) else found if isinstance(found, list) else []
    flat = [one for item in flat for one in (item if isinstance(item, list) else [item])]
    return [one for one in (dialog.get("originator"), *flat) if isinstance(one, int) and not isinstance(one, bool)]


def _role(one: Document) -> str:
    """A party's role in our words; "" where it says none, or one that we don't know."""
    said = (text(one, "role") or text(part(one, "meta"), "role") or text(one, "type") or "").strip().lower()
    said = said.replace(" ", "_").replace("-", "_")
    if said in CUSTOMERS:
        return "customer"
    return "bot" if said in BOTS else "agent" if said in AGENTS else ""


def _identifiers(one: Document) -> list[Document]:
    """Who a party is. A method of validation says that it was checked."""
    checked = (text(one, "validation") or "none").lower()
    sure = {} if checked in ("none", "false", "unverified", "failed") else {"verification": "verified"}
    mail = (text(one, "mailto", "email") or "").removeprefix("mailto:")
    phone = party(text(one, "tel") or text(one, "sip"), sure.get("verification", "claimed"))
    return phone + ([{"type": "email", "value": mail[:512]} | sure] if "@" in mail else [])
