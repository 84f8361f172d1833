"""What becomes of posted documents: a verdict for each, told when the good ones are durable."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Annotated, Any, Literal, NotRequired
from uuid import uuid4

import orjson
from pydantic import Field
from typing_extensions import TypedDict  # pydantic wants it before Python 3.12

from schemas.codec import Malformed, from_wire
from schemas.plain import NAME, Plain, plain
from services.access import Source
from services.errors import TooLarge
from services.eventlog import Draft
from services.identifiers import Key, Rules, keys, strongest
from services.ingest.groupcommit import GroupCommit, Settled
from services.masking import Masking

LONG = 200_000  # bytes of a post that others need not wait for
REMEMBERED = 100_000  # documents lately made durable
# A retry may say other times; the timeline leaves them out of its comparison as well.
TIMES = frozenset({"time", "occurred_at", "recordedtime", "received_at"})
RECEIVED, OCCURRED = b',"recordedtime":"', b',"time":"'  # where they stand in a line: behind the data


class Verdict(TypedDict):
    """What became of one event; `duplicate`: it is already stored."""

    index: Annotated[int, Field(description="Its place in the request, from 0.")]
    id: str | None
    status: Literal["accepted", "duplicate", "refused"]
    code: NotRequired[str | None]
    message: NotRequired[str | None]


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


@dataclass(slots=True)
class Judged:
    """A request's documents with their verdicts, and the drafts of those that are still to be stored."""

    verdicts: list[Verdict] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)  # of the accepted, one each
    refusals: list[Verdict] = field(default_factory=list)
    fingerprints: set[bytes] = field(default_factory=set)

    @property
    def duplicates(self) -> int:
        """How many were stored before."""
        return len(self.verdicts) - len(self.drafts) - len(self.refusals)


class Acceptance:
    """Judges documents and makes the good ones durable."""

    def __init__(
        self, commits: GroupCommit, rules: Rules, channels: Sequence[str], most: int, masking: Masking | None = None
    ) -> None:
        self._commits = commits
        self._rules = rules
        self._masking = masking or Masking()
        self._channels = channels
        self._plain_channels = frozenset(filter(NAME.fullmatch, channels))
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
            short = self._plain(document, source, received_at)
            if short:
                verdict = self._known_or_new(judged, index, short.id, _digest(short.line), self._short_draft(short))
            else:
                verdict = self._long_way(judged, index, document, source, received_at)
            judged.verdicts.append(verdict)
        return judged

    async def judged(self, source: Source, documents: Iterable[Any], received_at: datetime, size: int) -> Judged:
        """The same of a post of so many bytes: a long one is read, and looked through for what must not be kept,
        beside others. Raises Malformed, where it can't be read, and TooLarge."""
        judge = partial(self.judge, source, documents, received_at)
        return await asyncio.to_thread(judge) if size > LONG else judge()

    def check(self) -> None:
        """Raise LogUnavailable where storing would be in vain; costs nothing."""
        self._commits.check()

    async def store(self, judged: Judged) -> None:
        """Return when what was accepted is durable. Raises LogUnavailable, and then none is known to be."""
        if judged.drafts:
            await self._commits.append(judged.drafts)
            self._stored.add(judged.fingerprints)

    def begin(self, judged: Judged, settled: Settled) -> None:
        """The same for who does not wait: `settled` hears of the end, once. Raises LogUnavailable, and then it hears
        nothing."""

        def ended(failure: Exception | None) -> None:
            if failure is None:
                self._stored.add(judged.fingerprints)
            settled(failure)

        if judged.drafts:
            self._commits.begin(judged.drafts, ended)
        else:
            settled(None)

    def _plain(self, document: Any, source: Source, received_at: datetime) -> Plain | None:
        if document.__class__ is not dict:
            return None
        channel = source.kind if source.kind in self._channels else None
        short = plain(document, source.name, received_at, self._plain_channels, channel)
        return None if short and self._masking.is_needed(short.line) else short

    def _short_draft(self, short: Plain) -> Draft:
        system = short.source.partition("/")[0]
        found = [(one["type"], one["value"]) for one in short.identifiers]
        key = strongest(found, system, self._rules) if found else None
        if key is None and short.conversation:
            key = Key("conversation", system, short.conversation)
        return Draft(str(key or Key("event", short.source, short.id)), short.line, True)

    def _known_or_new(self, judged: Judged, index: int, id: str | None, fingerprint: bytes, draft: Draft) -> Verdict:
        if fingerprint in self._stored or fingerprint in judged.fingerprints:
            return {"index": index, "id": id, "status": "duplicate"}
        judged.drafts.append(draft)
        judged.fingerprints.add(fingerprint)
        return {"index": index, "id": id, "status": "accepted"}

    def _long_way(self, judged: Judged, index: int, document: Any, source: Source, received_at: datetime) -> Verdict:
        id = document.get("id") if isinstance(document, dict) else None
        id = id if isinstance(id, str) else None
        try:
            draft = self._draft(document, source, received_at)
        except Malformed as why:
            refusal = Verdict(index=index, id=id, status="refused", code=why.code, message=why.message)
            judged.refusals.append(refusal)
            return refusal
        return self._known_or_new(judged, index, id, _fingerprint(document, source), draft)

    def _draft(self, document: Any, source: Source, received_at: datetime) -> Draft:
        if isinstance(document, Malformed):
            raise document
        if not isinstance(document, dict):
            raise Malformed("not_an_event", "The event is no JSON object.")
        channel = source.kind if source.kind in self._channels else None
        event = from_wire(document, source=source.name, received_at=received_at, channel=channel)
        if event.channel not in self._channels:
            known = f"write one of {', '.join(self._channels)}"
            raise Malformed("unknown_channel", f"Channel {event.channel!r} is not registered: {known}.")
        event, line = self._masking.masked(event)
        return Draft(str(keys(event, self._rules)[0]), line, True)


def _digest(line: bytes) -> bytes:
    """The fingerprint of a plain event: of its line but for the times, before which no name of an attribute is."""
    received = line.rindex(RECEIVED)
    occurred = line.rindex(OCCURRED)
    hashed = blake2b(line[:received], digest_size=16)
    hashed.update(line[line.index(b'"', received + len(RECEIVED)) : occurred])
    hashed.update(line[line.index(b'"', occurred + len(OCCURRED)) :])
    return hashed.digest()


def _fingerprint(document: dict[str, Any], source: Source) -> bytes:
    """What two deliveries of one document share; documents of other content, even with one id, don't."""
    try:
        content = orjson.dumps({name: value for name, value in document.items() if name not in TIMES})
    except TypeError:  # half a surrogate pair or a huge number: it is like no other
        content = uuid4().bytes
    return blake2b(source.name.encode() + b"\0" + content, digest_size=16).digest()
