"""Amazon Connect: contact events, contact records, flows and Contact Lens, as EventBridge and Firehose deliver. Pure.

A contact and those that it was transferred to are one conversation, that of the first. What an event and the contact's
record both tell is told in the same words under the same id, so that it counts once. Names of fields are read in any
case, for AWS writes them in several. A record that was changed comes again: what is new in it is told as well. Of
Contact Lens only what is final is taken, never an utterance in the making.
Source: AWS' documentation of contact events, of the data model of contact records, of Contact Lens' files and
segments, and of Firehose's HTTP endpoints.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from schemas.codec import Malformed
from services.errors import Problem
from services.ingest.sources import lens
from services.ingest.sources.calls import between, happening, language, party
from services.ingest.sources.fields import content_id, given, items, moment, number, part, text
from services.ingest.sources.vendor import Document, Post, Reply, Vendor, in_json

OUTBOUND = frozenset({"outbound", "external_outbound", "callback"})
TRANSFERS = frozenset({"transfer", "queue_transfer"})
SKIPPED = frozenset({"task", "email"})  # tasks are the agents' own, mails come as mails
REASONS = ("reason", "intent", "callreason", "call_reason", "topic")
DEEPEST = 32
BETWEEN = re.compile(r"[\s,]*")


def translate(post: Post) -> Iterator[Document | Malformed]:
    """What a post tells, whichever of AWS' ways it came. Raises Malformed."""
    body = lowered(post.object)
    sent_at = moment(body, "timestamp") or moment(body, "time") or post.received_at
    if isinstance(body.get("records"), list):
        for place, record in enumerate(items(body, "records")):
            try:
                for one in _inside(text(record, "data") or ""):
                    yield from _told(one, sent_at, post)
            except Malformed as error:
                yield Malformed(error.code, f"Record {place}: {error.message}")
    else:
        yield from _told(body, sent_at, post)


def lowered(value: Any, deepest: int = DEEPEST) -> Any:
    """JSON with the names of its fields in lower case. Raises Malformed where it nests too deep."""
    if not deepest:
        raise Malformed("nested_too_deep", f"The JSON nests more than {DEEPEST} levels deep.")
    if isinstance(value, dict):
        return {name.lower(): lowered(one, deepest - 1) for name, one in value.items()}
    return [lowered(one, deepest - 1) for one in value] if isinstance(value, list) else value


def keys(post: Post) -> Iterable[str]:
    """The access key of Firehose, or the API key of an EventBridge connection."""
    return filter(None, (post.headers.get(name) for name in ("x-amz-firehose-access-key", "x-api-key")))


def answer(post: Post, problem: Problem | None) -> Reply:
    """As Firehose expects it; EventBridge looks at the status only."""
    at = int(post.received_at.timestamp() * 1000)
    said = {"requestId": post.headers.get("x-amz-firehose-request-id", ""), "timestamp": at}
    why = {"errorMessage": f"{problem.code}: {problem.message}"[:8000], **problem.body} if problem else {}
    return in_json(said | why)


def _inside(data: str) -> Iterator[Document]:
    """The documents in a Firehose record, which may follow one another without anything between. Raises Malformed."""
    try:
        words, at = base64.b64decode(data, validate=True).decode(), 0
        decoder = json.JSONDecoder()
        while (start := BETWEEN.match(words, at).end()) < len(words):  # type: ignore[union-attr]  # it always matches
            found, at = decoder.raw_decode(words, start)
            if isinstance(found, dict):
                yield lowered(found)
    except (ValueError, RecursionError, binascii.Error):
        raise Malformed("not_json", "its data is no base64 of JSON.") from None


def _told(body: Document, sent_at: datetime, post: Post) -> Iterator[Document | Malformed]:
    detail = part(body, "detail") if "detail-type" in body else body
    if contact := part(part(detail, "details"), "contactdata"):
        yield from _flow(contact, part(part(detail, "details"), "parameters"), sent_at)
    elif "transcript" in detail or "segments" in detail or text(detail, "eventtype") in lens.STATES:
        yield from lens.events(detail, sent_at, post.query_params)
    elif text(detail, "contactid") and ("eventtype" in detail or "initiationtimestamp" in detail):
        yield from _contact(detail, sent_at)
    elif not ("detail-type" in body or "agentarn" in body or "eventtype" in body):
        yield Malformed("no_contact", "It is no contact event, contact record, flow event or transcript of Connect.")


class Contact:
    """A contact by its event or record."""

    def __init__(self, body: Document, at: datetime) -> None:
        self.body, self.at = body, at
        self.id = text(body, "contactid") or ""
        self.conversation = text(body, "initialcontactid") or self.id
        self.method = (text(body, "initiationmethod") or "").lower()
        self.channel = (text(body, "channel") or "voice").lower()
        is_out = self.method in OUTBOUND or (self.method == "api" and self.channel == "voice")
        self.direction = "outbound" if is_out else "inbound"
        self.agent = part(body, "agent") or part(body, "agentinfo")
        self.queue = part(body, "queue") or part(body, "queueinfo")

    @property
    def is_record(self) -> bool:
        """Whether it is the contact's record, which is written when all is over."""
        return "eventtype" not in self.body

    @property
    def customer(self) -> list[Document]:
        """The endpoint that a record names, and the customer's number there."""
        end, id = part(self.body, "customerendpoint"), text(self.body, "customerid")
        found = party(text(end, "address")) if (text(end, "type") or "").lower() != "email_address" else []
        return found + ([{"type": "connect_customer", "value": id[:512]}] if id else [])

    @property
    def answered_at(self) -> datetime | None:
        """When an agent took it."""
        return moment(self.agent, "connectedtoagenttimestamp")

    def event(self, type: str, step: str, at: datetime | None, *known: Document, **more: Any) -> Document:
        """The document of one of its events, with what it names the customer by; on a chat, a chat's."""
        id, channel = f"{self.id}/{step}", "phone" if self.channel == "voice" else "chat"
        found = happening(type, id, self.conversation, at or self.at, list(known), self.direction, **more)
        return found | {"channel": channel}


def _contact(body: Document, sent_at: datetime) -> Iterator[Document]:
    contact = Contact(body, sent_at)
    if contact.channel in SKIPPED or contact.method == "monitor":
        return
    steps = ["INITIATED", "QUEUED", "CONNECTED_TO_AGENT", "RECORD"] if contact.is_record else [body.get("eventtype")]
    for step in steps:
        make = STEPS.get(str(step).upper())
        found = make(contact) if make else None
        if found:
            yield found
    if contact.is_record:
        yield from _attributes(contact, part(body, "attributes"))
        yield from _recordings(contact)


def _initiated(contact: Contact) -> Document | None:
    at = moment(contact.body, "initiationtimestamp")
    if at is None and contact.is_record:
        return None
    if contact.method in TRANSFERS:
        return contact.event("call.transferred", "initiated", at)
    return contact.event("call.ringing" if contact.channel == "voice" else "chat.started", "initiated", at)


def _queued(contact: Contact) -> Document | None:
    at, queue = moment(contact.queue, "enqueuetimestamp"), _last(contact.queue, "queuearn", "arn")
    if contact.channel != "voice" or (at is None and contact.is_record):
        return None
    return contact.event("call.ringing", "queued", at, queue=queue)


def _connected(contact: Contact) -> Document | None:
    if contact.channel != "voice" or (contact.answered_at is None and contact.is_record):
        return None
    desk = {"agent": _last(contact.agent, "agentarn", "arn"), "queue": _last(contact.queue, "queuearn", "arn")}
    return contact.event("call.started", "connected", contact.answered_at, **desk)


def _disconnected(contact: Contact) -> Document:
    """How it ended: an event knows that it did, a record the rest."""
    end, body = moment(contact.body, "disconnecttimestamp"), contact.body
    desk = {"agent": text(contact.agent, "username") or _last(contact.agent, "agentarn", "arn")}
    desk["queue"] = text(contact.queue, "name") or _last(contact.queue, "queuearn", "arn")
    talked = number(contact.agent, "agentinteractionduration")
    talked = between(contact.answered_at, end) if talked is None else talked
    if contact.channel != "voice":
        seconds = between(moment(body, "initiationtimestamp"), end)
        known = given(disposition=_disposition(contact), seconds=seconds)
        return contact.event("chat.ended", _end(contact, known), end, *contact.customer, **known)
    figures = given(
        ringing_seconds=number(contact.queue, "duration"),
        talk_seconds=talked,
        hold_seconds=number(contact.agent, "customerholdduration"),
        wrap_up_seconds=number(contact.agent, "aftercontactworkduration"),
    )
    figures = {name: value for name, value in figures.items() if value >= 0}
    ours = text(part(body, "systemendpoint"), "address")
    said: Document = {"disposition": _disposition(contact), "number": ours} | desk | figures
    return contact.event("call.ended", _end(contact, given(**said)), end, *contact.customer, **said)


def _end(contact: Contact, said: Document) -> str:
    """The step's name: a record that was changed is another one where it tells something else."""
    return f"record/{content_id(contact.customer, said)}" if contact.is_record else "disconnected"


STEPS = {
    "INITIATED": _initiated, "QUEUED": _queued, "CONNECTED_TO_AGENT": _connected,
    "DISCONNECTED": _disconnected, "RECORD": _disconnected,
}  # fmt: skip


def _disposition(contact: Contact) -> str | None:
    if contact.queue and not contact.answered_at and contact.direction == "inbound":
        return "abandoned"
    return (text(contact.body, "disconnectreason") or "").lower() or None


def _attributes(contact: Contact, attributes: Document) -> Iterator[Document]:
    """What the flow has learnt of why they call: attributes named `reason`, `intent`, `menu`, `choice`."""
    if found := _choice(attributes):
        at = moment(contact.body, "connectedtosystemtimestamp") or moment(contact.body, "initiationtimestamp")
        yield contact.event("call.menu_choice", f"attributes/{content_id(found)}", at, *contact.customer, **found)


def _choice(known: Document) -> Document:
    path = [step.strip() for step in (text(known, "menu", "menupath") or "").split("/") if step.strip()]
    return given(path=path or None, choice=text(known, "choice", "digits"), reason=text(known, *REASONS))


def _recordings(contact: Contact) -> Iterator[Document]:
    found = items(contact.body, "recordings") or [part(contact.body, "recording")]
    for place, one in enumerate(found):
        if where := text(one, "location"):
            at = moment(one, "stoptimestamp") or moment(contact.body, "disconnecttimestamp")
            seconds = between(moment(one, "starttimestamp"), moment(one, "stoptimestamp"))
            step = f"recording/{place}"
            yield contact.event("call.recorded", step, at, *contact.customer, recording=where, seconds=seconds)


def _flow(body: Document, parameters: Document, sent_at: datetime) -> Iterator[Document | Malformed]:
    """A step of a flow, as a Lambda gets it: what was chosen, if its parameters or the contact's attributes say it."""
    contact = Contact(body, sent_at)
    if not contact.id:
        yield Malformed("no_contact", "The flow's event names no contact.")
        return
    known = {"queue": text(contact.queue, "name"), "number": text(part(body, "systemendpoint"), "address")}
    known |= {"language": language(text(part(body, "attributes"), "language"))}
    if found := _choice(part(body, "attributes") | parameters):
        step = "flow/" + "/".join(map(str, found.values()))[:200]
        yield contact.event("call.menu_choice", step, None, *contact.customer, **known, **found)
    else:
        yield contact.event("call.ringing", "flow", None, *contact.customer, **known)


def _last(known: Document, *names: str) -> str | None:
    """The id at the end of an ARN."""
    return (text(known, *names) or "").rpartition("/")[2] or None


VENDORS = (
    Vendor(
        name="connect",
        title="Amazon Connect",
        channel="phone",
        translate=translate,
        keys=keys,
        answer=answer,
        secret="the access key of Firehose or the API key of EventBridge's connection, if not the source's own key",
        reference="https://docs.aws.amazon.com/connect/latest/adminguide/contact-events.html",
        setup=(
            "*As it happens*: EventBridge → API destination with `{url}` and a connection by API key (`x-api-key`, the "
            "source's key), and a rule for the source `aws.connect`. *With who called and all figures*: data streaming "
            "of contact records → Kinesis → Firehose with the HTTP endpoint `{url}` and the source's key as its access "
            "key; Contact Lens' real-time segments go the same way. A buffer of 1 MiB needs "
            "`TELLONCE_MAX_BODY=2000000` and `TELLONCE_MAX_EVENTS=5000`. A file of Contact Lens is posted as it is, "
            "with `?contact=ID` where it does not name the contact; take either files or segments."
        ),
        becomes={
            "INITIATED, QUEUED": "call.ringing, chat.started; of a transfer: call.transferred",
            "CONNECTED_TO_AGENT; DISCONNECTED": "call.started; call.ended, chat.ended",
            "a contact record": "the same with who called and all seconds; call.recorded",
            "attributes or flow parameters `menu` (a/b), `choice`, `reason`, `intent`": "call.menu_choice",
            "Contact Lens: Transcript; summary": "call.turn, on a chat message.received, message.sent; note.written",
        },
    ),
)
