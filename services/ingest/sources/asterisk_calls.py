"""What one record or event of Asterisk tells of its call. Pure; names of fields as `asterisk.py` makes them."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from typing import NamedTuple

from schemas.codec import Malformed
from services.ingest import documents
from services.ingest.sources.calls import happening, party
from services.ingest.sources.fields import given, moment, number, part, text
from services.ingest.sources.vendor import Document

CDR_ENDS = {"ANSWERED": None, "NO ANSWER": "no_answer", "NOANSWER": "no_answer", "BUSY": "busy", "FAILED": "failed",
            "CONGESTION": "failed"}  # fmt: skip
DIALS = {"ANSWER": None, "NOANSWER": "no_answer", "BUSY": "busy", "CANCEL": "abandoned", "CONGESTION": "failed",
         "CHANUNAVAIL": "failed"}  # fmt: skip
EVENTS = frozenset({
    "CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "BRIDGE_ENTER", "BRIDGE_EXIT", "APP_START", "APP_END", "PARK_START",
    "PARK_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "FORWARD", "LINKEDID_END", "LOCAL_OPTIMIZE",
    "LOCAL_OPTIMIZE_BEGIN", "USER_DEFINED", "STREAM_BEGIN", "STREAM_END", "DTMF",
})  # fmt: skip
MENUS = frozenset({"menu", "ivr", "choice"})
INSIDE = ("from-internal", "internal", "outbound", "outgoing")
NOBODY = frozenset({"", "anonymous", "unknown", "<unknown>", "restricted", "private", "unavailable", "withheld"})
WAV = re.compile(r"\S+\.(wav|wav49|gsm|mp3|ogg)", re.IGNORECASE)


class Side(NamedTuple):
    """Whom a call is with, which way it goes, and the company's number on it."""

    customer: list[Document]
    direction: str
    ours: str | None


def _side(came: str, went: str, context: str) -> Side | None:
    """By what the numbers look like; None for a call between extensions."""
    ours = went if went not in ("", "s", "i", "t", "h") else None
    is_out = context.lower().startswith(INSIDE)
    if party(came) and not (is_out and party(went)):
        return Side(party(came), "inbound", ours)
    if party(went):
        return Side(party(went), "outbound", came or None)
    return Side([], "inbound", ours) if came.strip().lower() in NOBODY and not is_out else None


def detail_record(row: Document, zone: tzinfo, now: datetime) -> Iterator[Document | Malformed]:
    """A CDR: one leg of a call, from its start to its end."""
    unique = text(row, "uniqueid") or ""
    call, end = text(row, "linkedid") or unique, _time(row, "end", zone)
    start, answer = _time(row, "start", zone), _time(row, "answer", zone)
    if start is None:
        yield Malformed("no_time", f"The CDR of {unique} has no start.")
        return
    name, _, came = (text(row, "clid") or "").partition("<")  # "Mari" <+37255512340>
    name, came = name.strip(' "'), came.strip(" >")
    side = _side(text(row, "src") or came, text(row, "dst") or "", text(row, "dcontext") or "")
    if side is None:
        return
    helper, leg = _peer(text(row, "dstchannel")), f"{unique}/{text(row, 'sequence') or text(row, 'dstchannel') or 0}"
    app, said = (text(row, "lastapp") or "").lower(), (text(row, "disposition") or "").upper()
    queue = _first(row, "lastdata") if app == "queue" else None
    is_named = side.direction == "inbound" and name and not party(name)
    author = {"role": "customer", "name": name[:512]} if is_named else None
    rang = {"number": side.ours, "author": author}
    yield happening("call.ringing", f"{call}/ringing", call, start, side.customer, side.direction, **rang)
    if answer and helper:
        known = {"agent": helper, "queue": queue}
        yield happening("call.started", f"{leg}/started", call, answer, side.customer, side.direction, **known)
    yield _recorded_end(row, side, f"{leg}/ended", call, end or start, CDR_ENDS.get(said, said.lower() or None))


def _recorded_end(row: Document, side: Side, id: str, call: str, at: datetime, how: str | None) -> Document:
    app, helper = (text(row, "lastapp") or "").lower(), _peer(text(row, "dstchannel"))
    if app == "voicemail":
        how = "voicemail"
    elif app == "queue" and not helper:
        how = "abandoned"
    whole, talked, file = number(row, "duration"), number(row, "billsec"), text(row, "userfield") or ""
    waited = whole - talked if whole is not None and talked is not None and whole >= talked else None
    return happening(
        "call.ended",
        id,
        call,
        at,
        side.customer,
        agent=helper,
        queue=_first(row, "lastdata") if app == "queue" else None,
        disposition=how,
        ringing_seconds=waited,
        talk_seconds=talked if talked is not None and talked >= 0 and helper else None,
        recording=file if WAV.fullmatch(file) else None,
    )


class Channel(NamedTuple):
    """A row of an event: its call, and whether the channel is the caller's own."""

    row: Document
    call: str
    at: datetime
    is_callers: bool
    side: Side

    def event(self, type: str, step: str, **more: object) -> Document:
        """The document of an event; only the caller's channel knows who they are."""
        customer = self.side.customer if self.is_callers else []
        return happening(type, f"{self.call}/{step}", self.call, self.at, customer, self.side.direction, **more)


def channel_event(row: Document, zone: tzinfo, now: datetime) -> Iterator[Document]:
    """A CEL record."""
    if found := _channel(row, _time(row, "eventtime", zone) or now):
        kind = (text(row, "eventtype") or "").upper()
        # The manager has the name of one that is defined by the dialplan in place of the type.
        tell = CHANNEL_EVENTS.get(kind) or (_user_defined if kind.lower() in MENUS else None)
        if tell and (told := tell(found)):
            yield told


def managed(row: Document, zone: tzinfo, now: datetime) -> Iterator[Document]:
    """An event of the manager; those of before Asterisk 13 name no call, and are left to its CDR and CEL."""
    tell = MANAGER_EVENTS.get((text(row, "event") or "").lower())
    found = _channel(row, _time(row, "timestamp", zone) or now) if tell and text(row, "linkedid") else None
    told = tell(found) if tell and found else None
    if told:
        yield told


def _channel(row: Document, at: datetime) -> Channel | None:
    unique, call = text(row, "uniqueid") or "", text(row, "linkedid") or text(row, "uniqueid") or ""
    side = _side(text(row, "cidnum") or "", text(row, "exten") or "", text(row, "context") or "")
    is_callers = unique == call
    if not call or (side is None and is_callers):
        return None
    return Channel(row, call, at, is_callers, side or Side([], "inbound", None))


def _started(one: Channel) -> Document | None:
    if not one.is_callers:
        return None
    name = text(one.row, "cidname") or ""
    is_named = one.side.direction == "inbound" and name.strip().lower() not in NOBODY
    author = {"role": "customer", "name": name[:512]} if is_named else None
    return one.event("call.ringing", "ringing", number=one.side.ours, author=author)


def _answered(one: Channel) -> Document | None:
    agent = _peer(text(one.row, "channame", "channel"))
    return None if one.is_callers else one.event("call.started", f"{text(one.row, 'uniqueid')}/started", agent=agent)


def _application(one: Channel) -> Document | None:
    app = (text(one.row, "appname") or "").lower()
    if app == "queue":
        return one.event("call.ringing", f"queue/{_first(one.row, 'appdata')}", queue=_first(one.row, "appdata"))
    return one.event("call.transferred", "voicemail", reason="voicemail") if app == "voicemail" else None


def _blind(one: Channel) -> Document:
    target = text(_extra(one), "extension") or text(one.row, "extension")
    origin = given(agent=_peer(text(one.row, "channame", "channel", "transfererchannel")))
    step = f"{text(one.row, 'uniqueid')}/transferred/{one.at.timestamp():.3f}"
    return one.event("call.transferred", step, **{"from": origin, "to": given(agent=target)})


def _attended(one: Channel) -> Document:
    extra = _extra(one)
    target = text(extra, "transfer_target_channel_name", "transferee_channel_name", "channel2_name")
    origin = given(agent=_peer(text(one.row, "channame", "channel")))
    step = f"{text(one.row, 'uniqueid')}/transferred/{one.at.timestamp():.3f}"
    return one.event("call.transferred", step, **{"from": origin, "to": given(agent=_peer(target))})


def _parked(one: Channel) -> Document:
    return one.event("call.held", f"{text(one.row, 'uniqueid')}/held/{one.at.timestamp():.3f}")


def _user_defined(one: Channel) -> Document | None:
    """`CELGenUserEvent(menu,{"path": "main/orders", "choice": "2", "reason": "repair"})`, or the path alone."""
    kind = (text(one.row, "userdeftype") or text(one.row, "eventtype") or "").lower()
    extra = _extra(one)
    if kind not in MENUS:
        return None
    return _chosen(one, extra or {"path": text(part(one.row, "extra"), "extra") or text(one.row, "extra", "appdata")})


def _user_event(one: Channel) -> Document | None:
    return _chosen(one, one.row) if (text(one.row, "userevent") or "").lower() in MENUS else None


def _chosen(one: Channel, said: Document) -> Document | None:
    path = [step.strip() for step in (text(said, "path", "menu") or "").split("/") if step.strip()]
    known = given(path=path or None, choice=text(said, "choice"), reason=text(said, "reason"))
    step = "chosen/" + "/".join([*path, known.get("choice") or "", known.get("reason") or ""])[:200]
    return one.event("call.menu_choice", step, author={"role": "customer"}, **known) if known else None


def _hung_up(one: Channel) -> Document | None:
    dialled = (text(_extra(one), "dialstatus") or "").upper()
    return one.event("call.ended", "ended", disposition=DIALS.get(dialled)) if one.is_callers else None


def _joined(one: Channel) -> Document:
    queue = text(one.row, "queue")
    return one.event("call.ringing", f"queue/{queue}", queue=queue)


def _connected(one: Channel) -> Document:
    agent, queue = text(one.row, "membername", "interface"), text(one.row, "queue")
    known = {"agent": agent, "queue": queue, "waited_seconds": number(one.row, "holdtime")}
    return one.event("call.started", f"{text(one.row, 'destuniqueid') or agent}/started", **known)


def _completed(one: Channel) -> Document:
    """An agent of a queue is done: `HoldTime` is what the caller waited in it."""
    known = {"agent": text(one.row, "membername", "interface"), "queue": text(one.row, "queue")}
    figures = {"ringing_seconds": number(one.row, "holdtime"), "talk_seconds": number(one.row, "talktime")}
    return one.event("call.ended", f"{text(one.row, 'destuniqueid') or known['agent']}/ended", **known, **figures)


def _gave_up(one: Channel) -> Document:
    known = {"queue": text(one.row, "queue"), "ringing_seconds": number(one.row, "holdtime")}
    return one.event("call.ended", "abandoned", disposition="abandoned", **known)


CHANNEL_EVENTS: dict[str, Callable[[Channel], Document | None]] = {
    "CHAN_START": _started, "ANSWER": _answered, "APP_START": _application, "BLINDTRANSFER": _blind,
    "ATTENDEDTRANSFER": _attended, "PARK_START": _parked, "USER_DEFINED": _user_defined, "HANGUP": _hung_up,
}  # fmt: skip
MANAGER_EVENTS: dict[str, Callable[[Channel], Document | None]] = {
    "newchannel": _started, "hangup": _hung_up, "queuecallerjoin": _joined, "agentconnect": _connected,
    "agentcomplete": _completed, "queuecallerabandon": _gave_up, "hold": _parked, "userevent": _user_event,
}  # fmt: skip


def _extra(one: Channel) -> Document:
    """What a CEL record has in `extra`, which is JSON."""
    if found := part(one.row, "extra"):
        return found
    try:
        parsed = documents.parse((text(one.row, "extra") or "").encode(errors="replace"))
    except Malformed:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _time(row: Document, field: str, zone: tzinfo) -> datetime | None:
    """A time that says no zone is in `zone`."""
    stated = text(row, field) or ""
    found = moment(row, field)
    try:
        is_local = found is not None and ":" in stated and datetime.fromisoformat(stated).tzinfo is None
        return found.replace(tzinfo=zone) if is_local and found else found
    except (ValueError, OverflowError):
        return found


def _peer(channel: str | None) -> str | None:
    """The device of a channel: `PJSIP/202-0000002a` is `PJSIP/202`."""
    return re.sub(r"-[0-9a-f]{6,}(;\d)?$", "", channel) if channel else None


def _first(row: Document, field: str) -> str | None:
    """The first argument of an application."""
    return (text(row, field) or "").partition(",")[0].strip() or None
