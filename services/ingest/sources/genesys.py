"""Genesys Cloud: detail events by EventBridge, transcripts, and conversations as analytics gives them. Pure.

Names of agents, queues and wrap-up codes are not in the events, so their ids stand for them.
Source: Genesys Cloud's notification topics `v2.detail.events.conversation.{id}.*` and
`v2.conversations.{id}.transcription`, its EventBridge integration, and `AnalyticsConversation` of its API.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from schemas.codec import Malformed
from services.ingest.sources.calls import between, happening, language, later, party, turn
from services.ingest.sources.fields import given, items, moment, number, part, text
from services.ingest.sources.vendor import Document, Post, Vendor

CHANNELS = {"voice": "phone", "callback": "phone", "chat": "chat", "webmessaging": "chat", "message": "chat",
            "sms": "sms", "email": "email", "whatsapp": "chat", "facebook": "social", "twitter": "social",
            "instagram": "social", "cobrowse": "web"}  # fmt: skip
SPEAKERS = {"external": "customer", "customer": "customer", "internal": "agent", "agent": "agent", "ivr": "bot",
            "acd": "bot", "botflow": "bot"}  # fmt: skip


def keys(post: Post) -> Iterable[str]:
    """The API key of an EventBridge connection."""
    return filter(None, [post.headers.get("x-api-key")])


def translate(post: Post) -> Iterator[Document]:
    """What an event or conversation tells. Raises Malformed."""
    envelope = post.object
    detail = part(envelope, "detail") or envelope
    body = part(detail, "eventBody") or detail
    topic = text(detail, "topicName") or text(envelope, "detail-type") or ""
    if "participants" in body and text(body, "conversationId", "id"):
        yield from _conversation(body)
    elif text(body, "conversationId"):
        yield from _event(body, topic, moment(envelope, "time") or post.received_at)
    elif "topicName" not in detail and "detail-type" not in envelope:
        raise Malformed("no_conversation", "There is no conversationId: it is no event of a conversation.")


class Session(NamedTuple):
    """Who an event is about, and when it was."""

    id: str
    part: str
    at: datetime
    channel: str
    direction: str
    customer: list[Document]
    number: str | None

    def event(self, type: str, step: str, **more: object) -> Document:
        """The document of its event, on its channel."""
        id = f"{self.id}/{self.part}/{step}"
        made = happening(type, id, self.id, self.at, self.customer, self.direction, **more)
        return made | {"channel": self.channel}


def _session(body: Document, at: datetime, part_: str | None = None) -> Session:
    out = (text(body, "direction") or "").lower() == "outbound"
    came, went = text(body, "ani", "addressFrom"), text(body, "dnis", "addressTo")
    theirs, ours = (went, came) if out else (came, went)
    mail = [{"type": "email", "value": theirs}] if theirs and "@" in theirs and ":" not in theirs else []
    contact = text(body, "externalContactId")
    known = [{"type": "genesys_contact", "value": contact[:512]}] if contact else []
    channel = CHANNELS.get((text(body, "mediaType") or "voice").lower(), "other")
    if channel == "chat" and (text(body, "messageType") or "").lower() == "sms":
        channel = "sms"
    who = part_ or text(body, "sessionId", "participantId") or "conversation"
    direction = "outbound" if out else "inbound"
    ours = ours.removeprefix("tel:") if ours else None
    return Session(text(body, "conversationId") or "", who, at, channel, direction, mail or party(theirs) + known, ours)


def _event(body: Document, topic: str, sent_at: datetime) -> Iterator[Document]:
    if "transcription" in topic or "transcripts" in body:
        yield from _said(body, sent_at)
        return
    session = _session(body, moment(body, "eventTime") or sent_at)
    kind = next((name for name in KINDS if topic.endswith(f".{name}")), None)
    if kind and (found := KINDS[kind](session, body)):
        yield found


def _customer_start(session: Session, body: Document) -> Document | None:
    if session.channel == "phone":
        return session.event("call.ringing", "start", number=session.number)
    return session.event("chat.started", "start") if session.channel in ("chat", "sms", "social") else None


def _customer_end(session: Session, body: Document) -> Document | None:
    """Seconds with an agent, as far as the customer's end knows them."""
    talked, reason = _seconds(body, "interactingDurationMs"), (text(body, "disconnectType") or "").lower() or None
    if session.channel == "phone":
        held = _seconds(body, "heldDurationMs")
        known = {"talk_seconds": talked, "hold_seconds": held, "disposition": reason}
        return session.event("call.ended", "end", **known)
    if session.channel in ("chat", "sms", "social"):
        return session.event("chat.ended", "end", seconds=talked, disposition=reason)
    return None


def _flow_end(session: Session, body: Document) -> Document | None:
    """A flow that was gone through in the IVR: its name, and where it led."""
    path, reason = text(body, "flowName", "flowId"), text(body, "transferTargetName", "exitReason")
    if session.channel != "phone" or not path:
        return None
    return session.event("call.menu_choice", "flow", path=[path], reason=reason)


def _queued(session: Session, body: Document) -> Document | None:
    return session.event("call.ringing", "queue", queue=text(body, "queueId")) if session.channel == "phone" else None


def _agent_start(session: Session, body: Document) -> Document | None:
    agent, queue = text(body, "userId"), text(body, "queueId")
    known = {"agent": agent, "queue": queue, "author": given(role="agent", id=agent)}
    return session.event("call.started", "agent", **known) if session.channel == "phone" else None


def _wrapped_up(session: Session, body: Document) -> Document:
    """The agent's part is done: how, and in which time."""
    desk = {"agent": text(body, "userId"), "queue": text(body, "queueId"), "disposition": text(body, "wrapupCode")}
    wrapped = {"wrap_up_seconds": _seconds(body, "wrapupDurationMs", "acwDurationMs")}
    if session.channel != "phone":
        return session.event("chat.ended", "acw", **desk)
    talked = _seconds(body, "interactingDurationMs", "talkDurationMs")
    known = {"talk_seconds": talked, "hold_seconds": _seconds(body, "heldDurationMs")}
    return session.event("call.ended", "acw", **desk, **wrapped, **known)


def _agent_end(session: Session, body: Document) -> Document | None:
    """What the agent's part tells that nothing else does: that the customer was on hold."""
    held = _seconds(body, "heldDurationMs")
    return session.event("call.held", "held", seconds=held) if held and session.channel == "phone" else None


def _left_queue(session: Session, body: Document) -> Document | None:
    """A caller who hung up while nobody was free."""
    outcome, queue = (text(body, "acdOutcome") or "").lower(), text(body, "queueId")
    if session.channel != "phone" or not outcome.startswith("abandon"):
        return None
    waited = _seconds(body, "connectedDurationMs", "queuedDurationMs")
    return session.event("call.ended", "abandoned", disposition="abandoned", queue=queue, ringing_seconds=waited)


def _attributes(session: Session, body: Document) -> Document | None:
    """What a flow has learnt of why they call: attributes named `reason`, `intent` or `menu`."""
    found = {name.lower(): value for name, value in part(body, "attributes").items()}
    path = [step.strip() for step in (text(found, "menu") or "").split("/") if step.strip()]
    reason = text(found, "reason", "intent", "callreason")
    if session.channel != "phone" or not (path or reason):
        return None
    return session.event("call.menu_choice", f"attributes/{reason}"[:200], path=path or None, reason=reason)


KINDS: dict[str, Callable[[Session, Document], Document | None]] = {
    "customer.start": _customer_start, "customer.end": _customer_end, "acd.start": _queued, "flow.end": _flow_end,
    "user.start": _agent_start, "user.end": _agent_end, "acw": _wrapped_up, "acd.end": _left_queue,
    "attributes": _attributes,
}  # fmt: skip


def _said(body: Document, sent_at: datetime) -> Iterator[Document]:
    """Final words of a live transcript."""
    id = text(body, "conversationId") or ""
    start = moment(body, "sessionStartTimeMs")
    for one in items(body, "transcripts"):
        best = next(iter(items(one, "alternatives")), {})
        words, at = text(best, "transcript"), number(best, "offsetMs") or 0
        if not words or one.get("isFinal") is False:
            continue
        speaker = SPEAKERS.get((text(one, "channel") or "").lower(), "customer")
        sure = number(best, "confidence")
        known = {
            "offset": max(at, 0) / 1000,
            "confidence": sure if sure is not None and 0 <= sure <= 1 else None,
            "language": language(text(one, "dialect")),
        }
        step = f"{id}/said/{text(one, 'utteranceId') or f'{speaker}/{at:.0f}'}"
        yield turn(speaker, step, id, later(start or sent_at, at / 1000 if start else 0), [], text=words, **known)


def _conversation(body: Document) -> Iterator[Document]:
    """A whole conversation: what its customer's and its agents' sessions add up to."""
    parts = items(body, "participants")
    customer = next((one for one in parts if text(one, "purpose") in ("customer", "external")), {})
    session = next(iter(items(customer, "sessions")), {})
    id, named = text(body, "conversationId", "id") or "", given(externalContactId=text(customer, "externalContactId"))
    direction = text(body, "originatingDirection") or text(session, "direction") or ""
    whole = session | named | {"conversationId": id, "direction": direction}
    start, end = moment(body, "conversationStart"), moment(body, "conversationEnd")
    if start is None:
        raise Malformed("no_time", "The conversation has no conversationStart.")
    begun = _session(whole, start, "conversation")
    if found := _customer_start(begun, whole):
        yield found
    agents = [one for one in parts if text(one, "purpose") in ("agent", "user")]
    for place, one in enumerate(agents):
        yield from _helped(begun, one, place)
    if end:
        yield _over(begun._replace(at=end), agents, parts, start, text(customer, "participantName"))


def _helped(begun: Session, agent: Document, place: int) -> Iterator[Document]:
    """When an agent took a call or it was handed to another one."""
    talks = [one for session in items(agent, "sessions") for one in items(session, "segments")]
    talk = next((one for one in talks if text(one, "segmentType") == "interact"), None)
    at = moment(talk or {}, "segmentStart")
    if talk is None or at is None or begun.channel != "phone":
        return
    who = text(agent, "participantName", "userId")
    if place:
        yield begun._replace(at=at).event("call.transferred", f"agent/{place}", to=given(agent=who))
    else:
        yield begun._replace(at=at).event("call.started", "agent/0", agent=who, queue=text(talk, "queueId"))


def _over(end: Session, agents: list[Document], parts: list[Document], start: datetime, name: str | None) -> Document:
    metrics: dict[str, float] = {}
    sessions = [session for one in parts for session in items(one, "sessions")]
    for one in (metric for session in sessions for metric in items(session, "metrics")):
        metrics[text(one, "name") or ""] = metrics.get(text(one, "name") or "", 0) + (number(one, "value") or 0)
    segments = [segment for session in sessions for segment in items(session, "segments")]
    code = next((text(one, "wrapUpCode") for one in segments if text(one, "wrapUpCode")), None)
    queue = next((text(one, "queueId") for one in segments if text(one, "queueId")), None)
    disposition = code or ("abandoned" if metrics.get("tAbandon") else None)
    if end.channel != "phone":
        seconds = between(start, end.at)
        return end.event("chat.ended", "over", disposition=disposition, seconds=seconds, queue=queue)
    names = {"ringing_seconds": "tAcd", "talk_seconds": "tTalkComplete", "hold_seconds": "tHeldComplete",
             "wrap_up_seconds": "tAcw"}  # fmt: skip
    figures = {ours: metrics[theirs] / 1000 for ours, theirs in names.items() if metrics.get(theirs, -1) >= 0}
    agent = text(agents[-1], "participantName", "userId") if agents else None
    return end.event("call.ended", "over", agent=agent, queue=queue, disposition=disposition, **figures)


def _seconds(body: Document, *names: str) -> float | None:
    found = number(body, *names)
    return found / 1000 if found is not None and found >= 0 else None


VENDORS = (
    Vendor(
        name="genesys",
        title="Genesys Cloud",
        channel="phone",
        translate=translate,
        keys=keys,
        secret="the API key of EventBridge's connection, if not the source's own key",
        reference="https://developer.genesys.cloud/notificationsalerts/notifications/available-topics",
        setup=(
            "Admin → Integrations → Amazon EventBridge Source: choose the topics `v2.detail.events.conversation.{id}` "
            "customer.*, acd.*, user.*, flow.end, attributes, acw, and "
            "`v2.conversations.{id}.transcription`. In AWS: a rule for that partner event bus → API destination with "
            "`{url}` and a connection by API key (`x-api-key`, the source's key). Conversations of the analytics API "
            "may be posted as they are."
        ),
        becomes={
            "customer.start; acd.start": "call.ringing, chat.started",
            "user.start; user.end; flow.end, attributes": "call.started; call.held; call.menu_choice",
            "customer.end, acw; acd.end (abandoned)": "call.ended, chat.ended, with seconds and wrap-up code",
            "transcription (final)": "call.turn",
            "an analytics conversation": "call.ringing or chat.started, call.started, call.transferred, call.ended",
        },
    ),
)
