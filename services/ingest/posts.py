"""The addresses that take events: each reads, translates, has it accepted, and responds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from schemas.codec import Malformed
from services.errors import Invalid
from services.eventlog.budget import Budget
from services.ingest import bodies, cloudevents, documents
from services.ingest.acceptance import Acceptance, Judged, Verdict
from services.ingest.keys import Keys, in_request
from services.ingest.measures import Measures
from services.ingest.sources import segment
from services.settings import Settings


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

    async def events(self, request: Request) -> Response:
        """Post events: one, a JSON array, one a line, or CloudEvents in structured, batch or binary mode."""
        source = await self._keys.source_of(in_request(request))
        async with self._body(request) as body:
            posted = cloudevents.translate(request.headers, body, self._settings.max_depth)
            judged = self._acceptance.judge(source, posted, datetime.now(UTC))
        return await self._respond(judged)

    async def segment(self, request: Request) -> Response:
        """Post Segment's calls, in a batch or one by one, as its clients and RudderStack's do."""
        async with self._body(request) as body:
            call = documents.parse(body)
            source = await self._keys.source_of(chain(in_request(request), segment.write_keys(call)))
            path, received_at = request.scope["path"].rstrip("/"), datetime.now(UTC)
            posted = segment.translate(path, call, received_at, self._settings.max_depth)
            judged = self._acceptance.judge(source, posted, received_at)
        return await self._respond(judged)

    @asynccontextmanager
    async def _body(self, request: Request) -> AsyncIterator[bytes]:
        """The body, inflated; its bytes count against the budget until it is translated."""
        limit, seconds, headers = self._settings.max_body, self._settings.request_timeout, request.headers
        with bodies.portion(self._budget) as take:
            raw = await bodies.read(request.stream(), headers, limit, seconds, take)
            try:
                yield bodies.inflate(raw, headers.get("content-encoding", ""), limit)
            except Malformed as error:
                raise Invalid(error.message, code=error.code) from None

    async def _respond(self, judged: Judged) -> Response:
        await self._acceptance.store(judged)
        self._measures.judged(judged)
        refusals = judged.refusals
        answer = Answer(
            success=len(refusals) < len(judged.verdicts) or not refusals,
            accepted=judged.counts["accepted"],
            duplicates=judged.counts["duplicate"],
            refused=judged.counts["refused"],
            results=judged.verdicts,
        )
        if not answer.success:
            first = refusals[0]
            raise Invalid(first.message or "", code=first.code, **answer.model_dump(exclude_unset=True))
        return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")
