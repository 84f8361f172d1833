"""Twilio Voice: what its webhooks and callbacks tell of a call. Pure.

Of the call's legs the first is the conversation; a leg that was dialled out of it tells of whoever answered there.
Twilio signs no time, so ids are made of what is signed: a post that is replayed has the same ones.
Source: Twilio's TwiML and Voice reference, its page on webhook security, and `RequestValidator` of its libraries.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from schemas.codec import Malformed
from services.errors import Problem
from services.ingest import documents
from services.ingest.sources.calls import happening, language, party, stated, turn
from services.ingest.sources.fields import given, number, text
from services.ingest.sources.vendor import Document, Forged, Post, Reply, Vendor, check_signature, in_json

PORTS = {"https": 443, "http": 80}
HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
# A call's last states, and what they say of its end beyond that it ended.
ENDS = {"completed": None, "busy": "busy", "failed": "failed", "no-answer": "no_answer", "canceled": "canceled"}
OUTBOUND = frozenset({"outbound-api", "outbound-dial", "trunking-terminating"})
SPEAKERS = {"inbound_track": "customer", "outbound_track": "agent"}


def verify(post: Post, secrets: Sequence[str]) -> None:
    """HMAC in base64 over the public address and the sorted fields of a form. Raises Forged.

    By SHA-1, or what a header names where a shared key signs. Of another body the address carries the SHA-256. Some of
    Twilio's servers sign the address with its port.
    """
    hash = _hash(post.headers.get("x-twilio-webhooks-signature-settings", ""))
    given, fields = post.headers.get("x-twilio-signature"), b""
    hashed = post.query_params.get("bodySHA256")
    if hashed is not None:
        if hashlib.sha256(post.raw).hexdigest() != hashed.lower():
            raise Forged("signature_wrong", "The body is not the one whose SHA-256 is in the address.")
    elif post.method != "GET":
        pairs = sorted({(one.name.encode(), one.content) for one in post.form})
        fields = b"".join(name + value for name, value in pairs)
    addresses = [address.encode() + fields for address in _addresses(post)]
    check_signature((_signature(secret, signed, hash) for secret in secrets for signed in addresses), given)


def translate(post: Post) -> Iterator[Document]:
    """What a webhook or callback tells of its call. Raises Malformed."""
    fields = dict(post.query) if post.method == "GET" else _values(post)
    if not (sid := text(fields, "CallSid")):
        raise Malformed("no_call", "There is no CallSid: it is no webhook of Twilio Voice.")
    yield from _events(_call(fields, sid, post), fields, post)


class Call(NamedTuple):
    """A leg of a call. `id` is its conversation's, `leg` its own; `other` is the number at its far end."""

    id: str
    leg: str
    at: datetime
    customer: list[Document]
    direction: str
    ours: str | None
    other: str | None

    def event(self, type: str, id: str, **fields: object) -> Document:
        """The document of an event of this call."""
        return happening(type, id, self.id, self.at, self.customer, self.direction, **fields)


def _call(fields: Document, sid: str, post: Post) -> Call:
    out = text(fields, "Direction") in OUTBOUND
    parent, came, to = text(fields, "ParentCallSid"), text(fields, "From"), text(fields, "To")
    mine, theirs = (came, to) if out else (to, came)
    sure = "verified" if "Passed-A" in (text(fields, "StirVerstat") or "") and not out else "observed"
    customer = [] if parent else party(theirs, sure)
    at = stated(fields, "Timestamp") or stated(fields, "RecordingStartTime") or post.received_at
    direction = "outbound" if out and not parent else "inbound"
    return Call(parent or sid, sid, at, customer, direction, mine, theirs)


def _events(call: Call, fields: Document, post: Post) -> Iterator[Document]:
    if text(fields, "TranscriptionEvent"):
        yield from _live_words(call, fields)
        return
    if text(fields, "TranscriptionSid"):
        yield from _written_words(call, fields)
        return
    if text(fields, "RecordingUrl") and text(fields, "RecordingStatus") in (None, "completed"):
        yield _recording(call, fields)
    if text(fields, "DialCallStatus"):
        yield _dialled(call, text(fields, "DialCallSid") or call.leg, text(fields, "DialCallStatus") or "", fields)
    elif text(fields, "QueueResult"):
        yield _left_queue(call, fields)
    elif text(fields, "Digits", "SpeechResult") and not text(fields, "RecordingSid"):
        yield _choice(call, fields, post)
    elif not text(fields, "RecordingSid"):
        yield from _state(call, fields)


def _state(call: Call, fields: Document) -> Iterator[Document]:
    """A call's new state, by a callback or since its next instructions are asked for."""
    state, is_leg = text(fields, "CallStatus") or "", call.id != call.leg
    queue = text(fields, "QueueSid")
    if queue or (state == "ringing" and not is_leg):
        named = call.direction == "inbound" and text(fields, "CallerName")
        author = {"role": "customer", "name": named[:512]} if named else None
        id = f"{call.leg}/ringing" + (f"/{queue}" if queue else "")
        yield call.event("call.ringing", id, number=call.ours, queue=queue, author=author)
    elif state == "in-progress":
        yield call.event("call.started", f"{call.leg}/started", number=call.ours, agent=call.other if is_leg else None)
    elif state in ENDS and is_leg:
        yield _dialled(call, call.leg, state, fields)
    elif state in ENDS:
        machine = (text(fields, "AnsweredBy") or "").startswith(("machine", "fax"))
        yield call.event(
            "call.ended",
            f"{call.leg}/ended",
            disposition=ENDS[state] or ("voicemail" if machine else None),
            talk_seconds=_seconds(fields, "CallDuration") if state == "completed" else None,
        )


def _dialled(call: Call, leg: str, state: str, fields: Document) -> Document:
    """Somebody was called in: who, if the leg itself tells it, and whether they answered."""
    seconds = _seconds(fields, "DialCallDuration", "CallDuration") if state in ("completed", "answered") else None
    reason = "answered" if state in ("completed", "answered") else state.replace("-", " ")
    target = given(agent=call.other if call.id != call.leg else None)
    return call.event("call.transferred", f"{leg}/dialled", to=target, reason=reason, talk_seconds=seconds)


def _left_queue(call: Call, fields: Document) -> Document:
    queue, result = text(fields, "QueueSid"), (text(fields, "QueueResult") or "").replace("-", " ")
    waited = _seconds(fields, "QueueTime")
    id = f"{call.leg}/{queue}/left"
    return call.event("call.transferred", id, **{"from": given(queue=queue)}, reason=result, waited_seconds=waited)


def _choice(call: Call, fields: Document, post: Post) -> Document:
    """A key or a word in the IVR. `?menu=main/orders&reason=repair` behind the action's address names the place."""
    query, said = post.query_params, text(fields, "SpeechResult")
    path = [step for step in query.get("menu", "").split("/") if step]
    content = post.target.encode() + b"".join(sorted(f"{name}={value}\n".encode() for name, value in fields.items()))
    return call.event(
        "call.menu_choice",
        f"{call.leg}/chosen/{hashlib.sha256(content).hexdigest()[:16]}",
        path=path or None,
        choice=text(fields, "Digits"),
        reason=query.get("reason"),
        text=said,
        language=language(text(fields, "Language")) if said else None,
        author={"role": "customer"},
    )


def _recording(call: Call, fields: Document) -> Document:
    id = text(fields, "RecordingSid") or f"{call.leg}/recording"
    seconds = _seconds(fields, "RecordingDuration")
    return call.event("call.recorded", id, recording=text(fields, "RecordingUrl"), seconds=seconds)


def _written_words(call: Call, fields: Document) -> Iterator[Document]:
    """The words of a recording: of a voicemail, or of whatever the caller was asked to say."""
    if words := text(fields, "TranscriptionText"):
        id = text(fields, "TranscriptionSid") or ""
        yield turn("customer", id, call.id, call.at, call.customer, text=words)


def _live_words(call: Call, fields: Document) -> Iterator[Document]:
    """What was said, once it is final; the inbound track is what the far end says."""
    data = _object(text(fields, "TranscriptionData"))
    words = text(data, "transcript")
    if fields["TranscriptionEvent"] != "transcription-content" or not words or text(fields, "Final") == "false":
        return
    speaker = SPEAKERS.get(text(fields, "Track") or "", "customer")
    id = f"{text(fields, 'TranscriptionSid') or call.leg}/{text(fields, 'SequenceId') or words[:64]}"
    sure = number(data, "confidence")
    yield turn(
        speaker,
        id,
        call.id,
        call.at,
        call.customer,
        text=words,
        confidence=sure if sure is not None and 0 <= sure <= 1 else None,
        language=language(text(fields, "LanguageCode")),
    )


def _object(raw: str | None) -> Document:
    try:
        found = documents.parse((raw or "").encode(errors="replace"))
    except Malformed:
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(fields: Document, *names: str) -> float | None:
    found = number(fields, *names)
    return found if found is not None and found >= 0 else None


def _values(post: Post) -> Document:
    if "json" in post.headers.get("content-type", ""):
        return {name: text(post.object, name) for name in post.object}
    return dict(post.values)


def _addresses(post: Post) -> list[str]:
    """The address as it is, with its port, and without."""
    try:
        parts = urlsplit(post.url)
    except ValueError:
        return [post.url]
    host = parts.netloc.rpartition(":")[0] if parts.netloc.rpartition(":")[2].isdecimal() else parts.netloc
    return [
        post.url,
        *(parts._replace(netloc=one).geturl() for one in (host, f"{host}:{PORTS.get(parts.scheme, 443)}")),
    ]


def _hash(settings: str) -> Callable[[], Any]:
    """The hash of a signature, by `key=…,algorithm=HMAC_SHA256` or the like. Raises Forged."""
    said = dict(pair.strip().partition("=")[::2] for pair in settings.split(","))
    name = said.get("algorithm") or "HMAC_SHA1"
    if found := HASHES.get(name.upper()):
        return found
    raise Forged("signature_unknown", f"The signature is by {name[:99]!r}; known are {', '.join(HASHES)}.")


def _signature(secret: str, signed: bytes, hash: Callable[[], Any]) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed, hash).digest()).decode()


def answer(post: Post, problem: Problem | None) -> Reply:
    """No further instructions, in TwiML; a refusal in JSON, which Twilio shows in its debugger."""
    if problem:
        return in_json(problem.body)
    return Reply(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")


VENDORS = (
    Vendor(
        name="twilio",
        title="Twilio Voice",
        channel="phone",
        translate=translate,
        verify=verify,
        answer=answer,
        methods="GET POST",
        secret="the account's auth token, or the shared key of its webhooks",
        reference="https://www.twilio.com/docs/voice/twiml",
        setup=(
            "Give the account's auth token by `tellonce sources secret`, and say under which address Twilio reaches "
            "ingest (`TELLONCE_INGEST_URL`), since the address is signed. Paste `{url}` where Twilio only tells what "
            "happened: *Call status changes* of a number, `statusCallback` of calls and of what `<Dial>` calls, "
            "`recordingStatusCallback`, `transcribeCallback`, `statusCallbackUrl` of `<Transcription>`. Addresses "
            "whose answer is the call's next step (*A call comes in*, `action` of `<Gather>`) stay your own "
            "application's; give `{url}?menu=main/orders&reason=repair` as an action only where the call may "
            "end there: the answer is an empty `<Response/>`."
        ),
        becomes={
            "CallStatus ringing; in-progress": "call.ringing; call.started",
            "CallStatus completed, busy, no-answer, failed, canceled": "call.ended; of a dialled leg: call.transferred",
            "DialCallStatus, QueueResult": "call.transferred",
            "Digits, SpeechResult": "call.menu_choice",
            "RecordingUrl": "call.recorded",
            "TranscriptionText, transcription-content (final)": "call.turn",
        },
    ),
)
