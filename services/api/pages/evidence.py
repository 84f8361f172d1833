"""What is behind a figure: contacts page by page, each with the two passages that say that it repeats."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.access import Role
from services.api import evidence
from services.api.backing import Back, Transaction
from services.api.callers import AgentOrAnalyst
from services.api.pages.figures import CONTEXTS, Filter, choices
from services.api.pages.rendering import page
from services.api.pages.routing import PageRoute
from services.api.reads import Traced
from services.api.routes.figures import may_read, today
from services.counts import WINDOWS
from services.timeline.repeats import Evidence

router = APIRouter(route_class=PageRoute)

LISTED = 20  # contacts to a page
TITLES = {
    "contacts": "Contacts", "blind": "Contacts of nobody known", "repeat_contacts": "Came back",
    "repeated_explanations": "Explained again", "avoidable": "Explained again, avoidable",
}  # fmt: skip


class Behind(Filter):
    """What is asked for, as it stands in the address."""

    of: evidence.Of = "repeated_explanations"
    context: Literal["", "unrecorded", "unlinked", "unshown", "shown"] = ""
    cursor: str = Field(default="", max_length=300)

    def older(self, cursor: str | None) -> str | None:
        """The address of what comes after a page."""
        fields = self.model_dump(by_alias=True, mode="json") | {"cursor": cursor}
        return "?" + urlencode({name: value for name, value in fields.items() if value}) if cursor else None


@router.get("/figures/evidence")
async def read_evidence(
    asked: Annotated[Behind, Query()], conn: Transaction, caller: AgentOrAnalyst, back: Back, trace: Traced
) -> Response:
    """The contacts behind a figure, newest first. Words and customers only for those who may read them."""
    since, until = asked.span.days(today())
    only: dict[str, str] = {"context": asked.context} if asked.context else {}
    more = asked.of, asked.window, only, asked.cursor or None, LISTED
    found = await conn.run_sync(evidence.find, asked.span, today(), *more)
    whole = may_read(caller, back.settings)
    proofs = await conn.run_sync(evidence.proofs, found.rows, whole)
    await trace.leave(conn, caller, "evidence", dict.fromkeys(one.customer for one in proofs))
    return page(
        "evidence.html", caller, asked=asked, since=since, until=until, windows=WINDOWS, proofs=proofs,
        withheld=not whole,
        choices=await conn.run_sync(choices, since, until), contexts=CONTEXTS, titles=TITLES,
        kinds={one.name: one.value for one in Evidence}, leads=caller.role != Role.analyst,
        older=asked.older(str(found.next) if found.next else None),
    )  # fmt: skip
