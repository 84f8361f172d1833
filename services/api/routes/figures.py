"""Figures over all customers: what had to be explained again, where, and what of it could have been avoided."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from services.access import Caller, Role
from services.api import breakdowns, evidence, figures
from services.api.backing import Back, Transaction
from services.api.breakdowns import Asking, Askings, Handover, Handovers, Scored, Scores
from services.api.callers import AgentOrAnalyst, Analyst
from services.api.evidence import Evidence, Of, Proof
from services.api.measured import Figures, Row
from services.api.reads import Traced
from services.api.routes.customers import ERRORS
from services.api.sheets import SHEETS, Format, told, wanted
from services.api.spans import By, Every, Span
from services.errors import Forbidden
from services.settings import Settings

SOME = {status: error for status, error in ERRORS.items() if status != 404}
router = APIRouter(tags=["figures"], responses={**SOME, **SHEETS})
AS_OF = "As it was known at the end of this day. Later events, merges and corrections are left out."
Wanted = Annotated[Format, Depends(wanted)]


class Known(Span):
    """A span, as it was known once."""

    as_of: date | None = Field(default=None, description=AS_OF, examples=["2026-11-30"])


class Asked(Known):
    """A span, part by part."""

    by: By | None = Field(default=None, description="What to part it by; `agent` where the operator allows it.")
    every: Every | None = Field(default=None, description="Stretches of time; weeks begin on Mondays.")
    limit: int = Field(default=50, ge=1, le=1000, description="Values at most, those with most contacts.")


class Traces(Span):
    """The contacts behind a figure of a span."""

    of: Of = Field(default="repeated_explanations", description="The figure.")
    window: Literal[7, 14, 30] = Field(default=14, description="Days within which coming back counts.")
    context: Literal["unrecorded", "unlinked", "unshown", "shown"] | None = None
    from_channel: str | None = Field(default=None, max_length=32, description="Where they told it first.")
    asked: str | None = Field(default=None, max_length=100, description="A kind of fact that was asked for again.")
    cursor: str | None = Field(default=None, max_length=300, description="`next` of the page before.")
    limit: int = Field(default=20, ge=1, le=100)

    @property
    def narrowed(self) -> dict[str, str]:
        """What is asked for beside the span's own filters."""
        told = {"context": self.context, "from_channel": self.from_channel, "asked": self.asked}
        return {name: value for name, value in told.items() if value is not None}


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


def may_read(caller: Caller, settings: Settings) -> bool:
    """Whether somebody may read what customers said."""
    return caller.role != Role.analyst or settings.analyst_passages


@router.get(
    "/v1/figures",
    summary="Repeat contacts, repeated explanations, and what could have been avoided",
    response_model=Figures,
)
async def read_figures(
    asked: Annotated[Asked, Query()], conn: Transaction, caller: Analyst, back: Back, form: Wanted
) -> Response:
    """Of each part: contacts, those of nobody known (blind), and within 7, 14 and 30 days side by side how many came
    back and in how many the same was explained again, by what could have been known. Each share has its denominator,
    Wilson's interval of 95 %, and what the blind contacts leave open.

    A contact is what a customer said of one issue in one interaction; it counts on the day of its first statement.
    """
    allow(back.settings, asked, asked.by)
    more = asked.by, asked.every, asked.as_of, asked.limit
    found = await conn.run_sync(figures.figures, asked, today(), *more)
    return told(form, "figures", found, Row, found.rows or [found.whole])


@router.get(
    "/v1/figures/handovers", summary="From which channel to which customers come back", response_model=Handovers
)
async def read_handovers(
    asked: Annotated[Known, Query()], conn: Transaction, caller: Analyst, form: Wanted
) -> Response:
    """The map of hand-overs with the median time between. `channel` filters where they came to. Times between are kept
    in buckets, so the median is told as a range, and as a point in it as if times were spread evenly."""
    found = await conn.run_sync(breakdowns.handovers, asked, today(), asked.as_of)
    return told(form, "handovers", found, Handover, found.ways)


@router.get("/v1/figures/questions", summary="What was asked for though it was on record", response_model=Askings)
async def read_questions(
    asked: Annotated[Known, Query()], conn: Transaction, caller: Analyst, form: Wanted
) -> Response:
    """Kinds of facts that agents or bots asked for in contacts whose customer had told them in an earlier one."""
    found = await conn.run_sync(breakdowns.askings, asked, today(), asked.as_of)
    return told(form, "questions", found, Asking, found.kinds)


@router.get("/v1/figures/scores", summary="NPS, CES and CSAT with and without repetition", response_model=Scores)
async def read_scores(asked: Annotated[Known, Query()], conn: Transaction, caller: Analyst, form: Wanted) -> Response:
    """Of contacts that were rated: those in which the customer had to explain again, those in which they came back
    without that, and all others. Scores count rounded to whole numbers."""
    found = await conn.run_sync(breakdowns.scores, asked, today(), asked.as_of)
    return told(form, "scores", found, Scored, found.windows)


@router.get("/v1/figures/evidence", summary="The contacts behind a figure", response_model=Evidence)
async def read_evidence(
    asked: Annotated[Traces, Query()],
    conn: Transaction,
    caller: AgentOrAnalyst,
    back: Back,
    trace: Traced,
    form: Wanted,
) -> Response:
    """Page by page, newest first, each with the passages that say that it repeats: the earlier and the later one. As it
    is known now. Every customer on a page leaves a trace of this read. An analyst's key gets no texts unless the
    operator allows it (`TELLONCE_ANALYST_PASSAGES`); agents and admins do."""
    allow(back.settings, asked)
    whole = may_read(caller, back.settings)
    more = asked.of, asked.window, asked.narrowed, asked.cursor, asked.limit
    page = await conn.run_sync(evidence.find, asked, today(), *more)
    items = await conn.run_sync(evidence.proofs, page.rows, whole)
    await trace.leave(conn, caller, "evidence", dict.fromkeys(one.customer for one in items))
    since, until = asked.days(today())
    following = str(page.next) if page.next else None
    found = Evidence(since=since, until=until, window=asked.window, withheld=not whole, items=items, next=following)
    return told(form, "evidence", found, Proof, items)
