"""Figures over all customers: what had to be explained again, where, and what of it could have been avoided."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from services.api import figures
from services.api.backing import Back, Transaction
from services.api.callers import Analyst
from services.api.measured import Figures
from services.api.routes.customers import ERRORS
from services.api.spans import By, Every, Span
from services.errors import Forbidden
from services.settings import Settings

router = APIRouter(
    tags=["figures"], responses={status: error for status, error in ERRORS.items() if status != 404}
)  # fmt: skip
AS_OF = "As it was known at the end of this day. Later events, merges and corrections are left out."


class Asked(Span):
    """A span, part by part."""

    by: By | None = Field(default=None, description="What to part it by; `agent` where the operator allows it.")
    every: Every | None = Field(default=None, description="Stretches of time; weeks begin on Mondays.")
    as_of: date | None = Field(default=None, description=AS_OF, examples=["2026-11-30"])
    limit: int = Field(default=50, ge=1, le=1000, description="Values at most, those with most contacts.")


def today() -> date:
    """The day that it is in UTC, by which contacts are counted."""
    return datetime.now(UTC).date()


def allow(settings: Settings, span: Span, by: str | None = None) -> None:
    """Refuse to tell agents apart where that is not allowed. Raises Forbidden."""
    if (span.agent or by == "agent") and not settings.agent_figures:
        raise Forbidden(
            "Figures of single agents are not told here.",
            code="agent_figures_off",
            hint="Ask by team or queue; the operator may allow it by TELLONCE_AGENT_FIGURES.",
        )


@router.get("/v1/figures", summary="Repeat contacts, repeated explanations, and what could have been avoided")
async def read_figures(asked: Annotated[Asked, Query()], conn: Transaction, caller: Analyst, back: Back) -> Figures:
    """Of each part: contacts, those of nobody known (blind), and within 7, 14 and 30 days side by side how many came
    back and in how many the same was explained again, by what could have been known. Each share has its denominator,
    Wilson's interval of 95 %, and what the blind contacts leave open.

    A contact is what a customer said of one issue in one interaction; it counts on the day of its first statement."""
    allow(back.settings, asked, asked.by)
    more = asked.by, asked.every, asked.as_of, asked.limit
    return await conn.run_sync(figures.figures, asked, today(), *more)
