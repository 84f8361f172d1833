"""The addresses that take events: each reads, translates, has it accepted, and responds."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field

from schemas.codec import Malformed
from services.errors import Invalid
from services.eventlog.budget import Budget
from services.ingest import bodies, cloudevents
from services.ingest.acceptance import Acceptance, Judged, Verdict
from services.ingest.credentials import in_request
from services.ingest.endpoints import Posted
from services.ingest.keys import Keys
from services.ingest.measures import Measures
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
        self.settings = settings
        self.keys = keys
        self.acceptance = acceptance
        self.budget = budget
        self.measures = measures

    async def events(self, request: Posted) -> dict[str, Any]:
        """Post events: one, a JSON array, one a line, or CloudEvents in structured, batch or binary mode."""
        source = await self.keys.source_of(in_request(request))
        self.acceptance.check()
        with bodies.Portion(self.budget) as take:
            _, body = await self.body(request, take)
            try:
                posted = cloudevents.translate(request.headers, body, self.settings.max_depth)
                judged = await self.acceptance.judged(source, posted, datetime.now(UTC), len(body))
            except Malformed as error:
                raise Invalid(error.message, code=error.code) from None
        return await self.stored(judged)

    async def body(self, request: Posted, take: Callable[[int], None], limit: int | None = None) -> tuple[bytes, bytes]:
        """The body as it came, and inflated; the longer of the two counts against the budget until it is judged."""
        limit, seconds = limit or self.settings.max_body, self.settings.request_timeout
        raw = await bodies.read(request.stream(), request.headers, limit, seconds, take)
        content = bodies.inflate(raw, request.headers.get("content-encoding", ""), limit)
        if len(content) > len(raw):
            take(len(content) - len(raw))
        return raw, content

    async def stored(self, judged: Judged) -> dict[str, Any]:
        """The answer, when it holds: see `Answer`. Raises Invalid if all were refused."""
        await self.acceptance.store(judged)
        return self.answer(judged)

    def answer(self, judged: Judged) -> dict[str, Any]:
        """The same of what is stored."""
        self.measures.judged(judged)
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
