"""SIPREC: what a session recording server is told of the calls that it records, alone or in its SIP body. Pure.

The metadata does not say who of the parties is the customer: whoever has a phone number is, and of several the first,
who is the caller. Documents of the drafts before the RFC are read as well (`id`, `session` for `session_id`).
Source: RFC 7865 for the metadata, RFC 7866 for the body that it is in.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from schemas.codec import Malformed
from services.ingest.sources.calls import between, happening, party
from services.ingest.sources.fields import moment
from services.ingest.sources.vendor import Document, Post, Vendor

BEGINNING = re.compile(rb"<(?:[\w.-]+:)?(recording|recording_metadata)[\s>]")
LATER = timedelta(seconds=2)  # after the start; who joins then was brought in
MOST = 200  # sessions and participants


def translate(post: Post) -> Iterator[Document]:
    """The events of all sessions in a document. Raises Malformed."""
    root = _root(post.content)
    parties = {one.id: one for one in map(_party, _all(root, "participant"))}
    sessions = [one for one in _all(root, "session") if _id(one, "session")]
    if not sessions:
        raise Malformed("no_session", "The metadata names no session: it is no document of RFC 7865, or lost its tags.")
    assocs = _all(root, "participantsessionassoc")
    for session in sessions:
        yield from _session(assocs, session, parties, post.received_at)


class Party(NamedTuple):
    """A participant, and when they were there as far as their own element says it, as the drafts had it."""

    id: str
    aor: str
    name: str
    came: datetime | None
    left: datetime | None

    @property
    def customer(self) -> list[Document]:
        """Who they are, if they have a phone number."""
        return [one for one in party(self.aor) if one["type"] == "phone"]

    @property
    def shown(self) -> str:
        """By what an agent is shown."""
        return (self.name or re.sub(r"^\w+:", "", self.aor).partition("@")[0])[:512]


def _session(assocs: list[Element], session: Element, parties: dict[str, Party], now: datetime) -> Iterator[Document]:
    id = _id(session, "session")
    there = _there(assocs, id, parties)
    customer = next((one for one, _, _ in there if one.customer), None)
    known = customer.customer if customer else []
    helpers = [
        (one, came) for one, came, _ in there if one is not customer and not (customer is None and one is there[0][0])
    ]
    is_out = bool(there and customer and there[0][0] is not customer)
    direction = "outbound" if is_out else "inbound"
    first = min((came for _, came, _ in there if came), default=None)
    start = _time(session, "start-time") or _time(session, "associate-time") or first
    stop = _time(session, "stop-time") or _time(session, "disassociate-time") or _last(there)
    if start or stop is None:
        agent = helpers[0][0].shown if helpers else None
        author = {"role": "customer", "name": customer.name} if customer and customer.name and not is_out else None
        began: Document = {"agent": agent, "author": author if author and not party(author["name"]) else None}
        yield happening("call.started", f"{id}/started", id, start or now, known, direction, **began)
    for one, came in helpers[1:]:
        if came and start and came > start + LATER:
            yield happening("call.transferred", f"{id}/{one.id}/joined"[:512], id, came, known, to={"agent": one.shown})
    if stop:
        how = (_text(session, "reason") or "").lower().replace(" ", "_")
        agent = helpers[-1][0].shown if helpers else None
        ended: Document = {"disposition": how or None, "agent": agent, "talk_seconds": between(start, stop)}
        yield happening("call.ended", f"{id}/ended", id, stop, known, **ended)


def _there(
    assocs: list[Element], id: str, parties: dict[str, Party]
) -> list[tuple[Party, datetime | None, datetime | None]]:
    """The parties of a session, whoever came first before the others; of one with no associations, all."""
    found: dict[str, tuple[Party, datetime | None, datetime | None]] = {}
    for one in assocs:
        who = parties.get(one.get("participant_id") or "")
        if who and one.get("session_id") in (id, None):
            came, left = _time(one, "associate-time"), _time(one, "disassociate-time")
            found[who.id] = who, came or who.came, left
    return list(found.values()) or [(one, one.came, one.left) for one in parties.values()]


def _last(there: list[tuple[Party, datetime | None, datetime | None]]) -> datetime | None:
    """When the last party left, once all have."""
    left = [when for _, _, when in there if when]
    return max(left) if left and len(left) == len(there) else None


def _party(one: Element) -> Party:
    named = next(iter(_all(one, "nameID")), None)
    aor, name = (named.get("aor") or "", _text(named, "name")) if named is not None else ("", None)
    name = (name or "").partition(";")[0].strip()
    return Party(_id(one, "participant"), aor, name, _time(one, "associate-time"), _time(one, "disassociate-time"))


def _root(content: bytes) -> Element:
    """The metadata in a body, whatever is around it. Raises Malformed."""
    begun = BEGINNING.search(content)
    end = content.rfind(b"</")
    end = content.find(b">", end) + 1
    if begun is None or end <= begun.start():
        raise Malformed("no_metadata", "There is no recording metadata in it (RFC 7865): post the XML or the SIP body.")
    last = max(content.rfind(b"</" + begun[0][1:-1] + b">"), begun.start())
    end = content.find(b">", last) + 1 if last > begun.start() else end
    try:
        root: Element = fromstring(content[begun.start() : end], forbid_dtd=True)
        return root
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Malformed("not_xml", f"The recording metadata is no XML that can be read: {error}.") from None


def _all(root: Element, name: str) -> list[Element]:
    """The direct children of a name, in whatever namespace."""
    return [one for one in root if isinstance(one.tag, str) and one.tag.rpartition("}")[2].lower() == name.lower()][
        :MOST
    ]


def _text(one: Element, name: str) -> str | None:
    return next((found.text.strip() for found in _all(one, name) if found.text and found.text.strip()), None)


def _time(one: Element, name: str) -> datetime | None:
    return moment({"at": _text(one, name)}, "at")


def _id(one: Element, name: str) -> str:
    return (one.get(f"{name}_id") or one.get("id") or "")[:400]


VENDORS = (
    Vendor(
        name="siprec",
        title="SIPREC",
        channel="phone",
        translate=translate,
        reference="https://www.rfc-editor.org/rfc/rfc7865",
        setup=(
            "Let the session recording server post the metadata that it is sent to `{url}?key=KEY`, at the start of a "
            "session, at each change and at its end: the XML (`application/rs-metadata+xml`), or the whole body of the "
            "SIP request. SIP itself is not spoken here."
        ),
        becomes={
            "session: start-time, associate-time": "call.started",
            "a participant who joins later": "call.transferred",
            "session: stop-time; all participants left": "call.ended",
        },
    ),
)
