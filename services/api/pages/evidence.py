"""What is behind a figure: contacts page by page, each with the two passages that say that it repeats."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response
from pydantic import Field

from services.access import Role
from services.api import evidence, figures
from services.api.backing import Back, Transaction
from services.api.callers import AgentOrAnalyst
from services.api.pages.figures import CONTEXTS, Filter, choices
from services.api.pages.rendering import page
from services.api.pages.routing import PageRoute
from services.api.reads import Traced
from services.api.routes.figures import may_read, today
from services.api.spans import Span
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
    from_channel: str = Field(default="", max_length=32)
    asked: str = Field(default="", max_length=100)
    group: str = Field(default="", max_length=100)
    cursor: str = Field(default="", max_length=300)

    @property
    def span(self) -> Span:
        """The same as the API asks."""
        return super().span.model_copy(update={"group": [self.group] if self.group else []})

    @property
    def narrowed(self) -> dict[str, str]:
        """What is asked for beside the span's own filters."""
        told = {"context": self.context, "from_channel": self.from_channel, "asked": self.asked}
        return {name: value for name, value in told.items() if value}

    @property
    def kept(self) -> dict[str, str]:
        """What stays as it is while the filters change."""
        return {"of": self.of, "group": self.group, **self.narrowed}

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
    more = asked.of, asked.window, asked.narrowed, asked.cursor or None, LISTED
    found = await conn.run_sync(evidence.find, asked.span, today(), *more)
    whole = may_read(caller, back.settings)
    proofs = await conn.run_sync(evidence.proofs, found.rows, whole)
    await trace.leave(conn, caller, "evidence", dict.fromkeys(one.customer for one in proofs))
    group = (await conn.run_sync(figures.labelled, "group", [asked.group]))[asked.group] if asked.group else None
    return page(
        "evidence.html", caller, asked=asked, since=since, until=until, windows=WINDOWS, proofs=proofs,
        withheld=not whole, group=group,
        choices=await conn.run_sync(choices, since, until), contexts=CONTEXTS, titles=TITLES,
        kinds={one.name: one.value for one in Evidence}, leads=caller.role != Role.analyst,
        older=asked.older(str(found.next) if found.next else None),
    )  # fmt: skip
