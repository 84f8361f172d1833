"""Contact Lens for Amazon Connect: what was said, after a call, during it, and on a chat. Pure.

Names of fields are in lower case here. A file says no time but offsets: a call counts as just over when its file is
sent, a segment as just said.
Source: AWS' documentation of Contact Lens' output files and of its real-time segment streams.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from services.ingest.sources.calls import happening, language, later, turn
from services.ingest.sources.fields import given, items, moment, number, part, text
from services.ingest.sources.vendor import Document

STATES = frozenset({"STARTED", "SEGMENTS", "COMPLETED", "FAILED"})
SPEAKERS = {"customer": "customer", "agent": "agent", "supervisor": "agent", "system": "bot", "custom_bot": "bot"}


def events(body: Document, sent_at: datetime, query: Mapping[str, str]) -> Iterator[Document]:
    """The turns of a file or of a stream's segments. `?contact=ID` and `?time=` say what a file may leave out; a file
    of no contact is a conversation of its own."""
    contact = text(body, "contactid") or text(part(body, "customermetadata"), "contactid") or query.get("contact")
    contact = contact or "lens-" + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]
    said = items(body, "transcript") or [part(one, "transcript") for one in items(body, "segments")]
    summary = part(part(part(body, "conversationcharacteristics"), "contactsummary"), "postcontactsummary")
    summaries = [summary, *(part(one, "postcontactsummary") for one in items(body, "segments"))]
    roles = {text(one, "participantid"): text(one, "participantrole") for one in items(body, "participants")}
    start = _start(body, said, moment(dict(query), "time"), sent_at)
    for one in said:
        role = text(one, "participantrole") or roles.get(text(one, "participantid")) or text(one, "participantid") or ""
        if found := _turn(contact, one, SPEAKERS.get(role.lower(), "bot"), start, language(text(body, "languagecode"))):
            yield found
    for one in summaries:
        if words := text(one, "content"):
            note = {"text": words, "author": {"role": "bot", "name": "Contact Lens"}}
            yield happening("note.written", f"{contact}/summary", contact, sent_at, [], "internal", **note)


def _start(body: Document, said: list[Document], stated: datetime | None, sent_at: datetime) -> datetime:
    whole = number(part(body, "conversationcharacteristics"), "totalconversationdurationmillis")
    last = max((number(one, "endoffsetmillis") or 0 for one in said), default=0)
    return stated or later(sent_at, -(whole or last) / 1000)


def _turn(contact: str, one: Document, speaker: str, start: datetime, tongue: str | None) -> Document | None:
    words, offset = text(one, "content"), number(one, "beginoffsetmillis")
    if not words:
        return None
    if (at := moment(one, "absolutetime")) or text(one, "contenttype"):  # a chat's; events in it have no content
        return _message(contact, one, speaker, at or start, words)
    after = max(offset or 0, 0) / 1000
    id = f"{contact}/{speaker}/{round(after * 1000)}"
    return turn(speaker, id, contact, later(start, after), [], text=words, offset=after, language=tongue)


def _message(contact: str, one: Document, speaker: str, at: datetime, words: str) -> Document:
    name = text(one, "displayname")
    author = {"role": speaker} | given(name=name if name and not name.startswith("[") else None)
    is_theirs = speaker == "customer"
    return {
        "id": f"{contact}/message/{text(one, 'id') or at.isoformat()}",
        "type": "message.received" if is_theirs else "message.sent",
        "channel": "chat",
        "direction": "inbound" if is_theirs else "outbound",
        "time": at.isoformat(),
        "conversation": contact,
        "author": author,
        "text": words,
    }
