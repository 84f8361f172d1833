"""The addresses that take events: each reads, translates, has it accepted, and responds."""

from collections.abc import Callable
from datetime import UTC, datetime
from hmac import compare_digest
from itertools import chain
from typing import Any

from pydantic import BaseModel, Field

from schemas.codec import Malformed
from services.access import NAME, Source, digest
from services.errors import Invalid, NotFound, Unauthorized
from services.eventlog.budget import Budget
from services.ingest import bodies, cloudevents, documents
from services.ingest.acceptance import Acceptance, Judged, Verdict
from services.ingest.endpoints import Posted
from services.ingest.keys import Keys, in_request
from services.ingest.measures import Measures
from services.ingest.sources import segment, vendors
from services.ingest.sources.vendor import Forged, Post, Vendor
from services.settings import Settings

DELIVERIES = "/v1/sources/"  # and a source's name


class Answer(BaseModel):
    """What became of a request's events, each with its verdict, in the request's order."""

    success: bool = Field(description="False if all were refused; Segment's clients look for it.")
    accepted: int
    duplicates: int
    refused: int
    results: list[Verdict]


class Posts:
    """The endpoints that take events, and what they need."""

    def __init__(
        self, settings: Settings, keys: Keys, acceptance: Acceptance, budget: Budget, measures: Measures
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._acceptance = acceptance
        self._budget = budget
        self._measures = measures

    async def events(self, request: Posted) -> dict[str, Any]:
        """Post events: one, a JSON array, one a line, or CloudEvents in structured, batch or binary mode."""
        source = await self._keys.source_of(in_request(request))
        self._acceptance.check()
        with bodies.Portion(self._budget) as take:
            body = await self._body(request, take)
            try:
                posted = cloudevents.translate(request.headers, body, self._settings.max_depth)
                judged = self._acceptance.judge(source, posted, datetime.now(UTC))
            except Malformed as error:
                raise Invalid(error.message, code=error.code) from None
        return await self._stored(judged)

    async def segment(self, request: Posted) -> dict[str, Any]:
        """Post Segment's calls, in a batch or one by one, as its clients and RudderStack's do."""
        self._acceptance.check()
        with bodies.Portion(self._budget) as take:
            body = await self._body(request, take)
            try:
                call = documents.parse(body)
                source = await self._keys.source_of(chain(in_request(request), segment.write_keys(call)))
                path, received_at = request.path.rstrip("/"), datetime.now(UTC)
                posted = segment.translate(path, call, received_at, self._settings.max_depth)
                judged = self._acceptance.judge(source, posted, received_at)
            except Malformed as error:
                raise Invalid(error.message, code=error.code) from None
        return await self._stored(judged)

    async def deliver(self, request: Posted) -> dict[str, Any]:
        """Deliver what a vendor posts to its source's address, `/v1/sources/NAME`, in its own wire format."""
        if request.method == "HEAD":  # some ask first whether there is anything
            return {}
        source, vendor = await self._vendor(request.path.removeprefix(DELIVERIES).rstrip("/"))
        with bodies.Portion(self._budget) as take:
            raw = await self._raw(request, take)
            content = bodies.inflate(raw, request.headers.get("content-encoding", ""), self._settings.max_body)
            post = Post(raw, content, request.headers, datetime.now(UTC))
            try:
                _prove(vendor, source, request, post)
                channel, depth = {"channel": vendor.channel}, self._settings.max_depth
                found = (documents.shallow(channel | one, depth) for one in vendor.translate(post))
                judged = self._acceptance.judge(source, found, post.received_at)
            except Malformed as error:
                raise Invalid(error.message, code=error.code) from None
        return await self._stored(judged)

    async def _vendor(self, name: str) -> tuple[Source, Vendor]:
        """The source of this name, which is a vendor's. Raises NotFound."""
        source = await self._keys.named(name) if NAME.fullmatch(name) else None
        vendor = vendors().get(source.kind) if source else None
        if source is None or vendor is None:
            hint = "Make it by `tellonce sources add NAME --kind VENDOR`; others post to /v1/events."
            raise NotFound(f"No vendor's source is named {name[:99]!r}.", code="unknown_source", hint=hint)
        return source, vendor

    async def _body(self, request: Posted, take: Callable[[int], None]) -> bytes:
        """The body, inflated; its bytes count against the budget until it is judged."""
        raw = await self._raw(request, take)
        return bodies.inflate(raw, request.headers.get("content-encoding", ""), self._settings.max_body)

    async def _raw(self, request: Posted, take: Callable[[int], None]) -> bytes:
        limit, seconds = self._settings.max_body, self._settings.request_timeout
        return await bodies.read(request.stream(), request.headers, limit, seconds, take)

    async def _stored(self, judged: Judged) -> dict[str, Any]:
        """The answer, when it holds: see `Answer`. Raises Invalid if all were refused."""
        await self._acceptance.store(judged)
        self._measures.judged(judged)
        refusals = judged.refusals
        answer: dict[str, Any] = {
            "success": len(refusals) < len(judged.verdicts) or not refusals,
            "accepted": len(judged.drafts),
            "duplicates": judged.duplicates,
            "refused": len(refusals),
            "results": judged.verdicts,
        }
        if not answer["success"]:
            first = refusals[0]
            raise Invalid(first["message"] or "", code=first["code"], **answer)
        return answer


def _prove(vendor: Vendor, source: Source, request: Posted, post: Post) -> None:
    """Raise Unauthorized unless a request proves that its source made it: by a signature, or without secrets a key."""
    if source.secrets:
        try:
            vendor.verify(post, source.secrets)
        except Forged as forged:
            hint = f"Check the source's secret, {vendor.secret}: see `tellonce sources secret --help`."
            raise Unauthorized(forged.message, code=forged.code, hint=hint) from None
    elif not any(compare_digest(digest(key), source.key_hash) for key in in_request(request)):
        hint = "Put ?key=KEY behind the address, or give the source the vendor's secret: `tellonce sources secret`."
        raise Unauthorized("The request carries neither the source's key nor a signature to check.", hint=hint)
