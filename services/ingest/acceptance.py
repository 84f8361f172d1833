"""What becomes of posted documents: a verdict for each, told when the good ones are durable."""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal
from uuid import uuid4

import orjson
from pydantic import BaseModel, Field

from schemas.codec import Malformed, encode, from_wire
from services.access import Source
from services.errors import TooLarge
from services.eventlog import Draft
from services.identifiers import Rules, keys
from services.ingest.groupcommit import GroupCommit

REMEMBERED = 100_000  # documents lately made durable
# A retry may say other times; the timeline leaves them out of its comparison as well.
TIMES = frozenset({"time", "occurred_at", "recordedtime", "received_at"})


class Verdict(BaseModel):
    """What became of one event; `duplicate`: it is already stored."""

    index: int = Field(description="Its place in the request, from 0.")
    id: str | None
    status: Literal["accepted", "duplicate", "refused"]
    code: str | None = None
    message: str | None = None


class Memory:
    """The last fingerprints of documents that became durable; forgets the oldest."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, fingerprint: bytes) -> bool:
        return fingerprint in self._known

    def add(self, fingerprints: Iterable[bytes]) -> None:
        """Remember these as the newest."""
        for fingerprint in fingerprints:
            self._known[fingerprint] = None
            self._known.move_to_end(fingerprint)
        while len(self._known) > self._size:
            self._known.popitem(last=False)


@dataclass
class Judged:
    """A request's documents with their verdicts, and the drafts of those that are still to be stored."""

    verdicts: list[Verdict] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)  # of the verdicts, by status
    drafts: list[Draft] = field(default_factory=list)
    fingerprints: set[bytes] = field(default_factory=set)

    @property
    def refusals(self) -> list[Verdict]:
        """Those that were refused."""
        return [verdict for verdict in self.verdicts if verdict.status == "refused"]


class Acceptance:
    """Judges documents and makes the good ones durable."""

    def __init__(self, commits: GroupCommit, rules: Rules, channels: Sequence[str], most: int) -> None:
        self._commits = commits
        self._rules = rules
        self._channels = channels
        self._most = most
        self._stored = Memory(REMEMBERED)

    def judge(self, source: Source, documents: Iterable[Any], received_at: datetime) -> Judged:
        """A verdict for each document, in order; it holds once they are stored. Raises TooLarge."""
        judged = Judged()
        for index, document in enumerate(documents):
            if index == self._most:
                raise TooLarge(
                    f"The request has more than {self._most} events.",
                    code="too_many_events",
                    hint="Send them in several requests.",
                )
            verdict = self._verdict(judged, index, document, source, received_at)
            judged.verdicts.append(verdict)
            judged.counts[verdict.status] += 1
        return judged

    async def store(self, judged: Judged) -> None:
        """Return when what was accepted is durable. Raises LogUnavailable, and then none is known to be."""
        if judged.drafts:
            await self._commits.append(judged.drafts)
            self._stored.add(judged.fingerprints)

    def _verdict(self, judged: Judged, index: int, document: Any, source: Source, received_at: datetime) -> Verdict:
        if isinstance(document, Malformed):
            return _refused(index, None, document)
        if not isinstance(document, dict):
            return _refused(index, None, Malformed("not_an_event", "The event is no JSON object."))
        id, fingerprint = document.get("id"), _fingerprint(document, source)
        id = id if isinstance(id, str) else None
        if fingerprint in self._stored or fingerprint in judged.fingerprints:
            return Verdict(index=index, id=id, status="duplicate")
        try:
            draft = self._draft(document, source, received_at)
        except Malformed as refusal:
            return _refused(index, id, refusal)
        judged.drafts.append(draft)
        judged.fingerprints.add(fingerprint)
        return Verdict(index=index, id=id, status="accepted")

    def _draft(self, document: dict[str, Any], source: Source, received_at: datetime) -> Draft:
        channel = source.kind if source.kind in self._channels else None
        event = from_wire(document, source=source.name, received_at=received_at, channel=channel)
        if event.channel not in self._channels:
            known = f"write one of {', '.join(self._channels)}"
            raise Malformed("unknown_channel", f"Channel {event.channel!r} is not registered: {known}.")
        return Draft(str(keys(event, self._rules)[0]), encode(event))


def _refused(index: int, id: str | None, why: Malformed) -> Verdict:
    return Verdict(index=index, id=id, status="refused", code=why.code, message=why.message)


def _fingerprint(document: dict[str, Any], source: Source) -> bytes:
    """What two deliveries of one document share; documents of other content, even with one id, don't."""
    try:
        content = orjson.dumps({name: value for name, value in document.items() if name not in TIMES})
    except TypeError:  # half a surrogate pair or a huge number: it is like no other
        content = uuid4().bytes
    return blake2b(source.name.encode() + b"\0" + content, digest_size=16).digest()
