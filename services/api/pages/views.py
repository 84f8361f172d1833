"""The pages about customers: find one, see all of one, see one interaction, write a note."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, StringConstraints

from schemas.event import Author
from schemas.event import Role as Part
from services.access import Role
from services.api import briefs, issues, lookups, queries, timelines
from services.api.answers import Found
from services.api.backing import Back, Transaction
from services.api.callers import Agent, AgentOrAnalyst
from services.api.contexts import gather
from services.api.pages.recent import recent
from services.api.pages.rendering import page
from services.api.pages.routing import OwnPage, PageRoute
from services.api.pages.telling import tell
from services.api.pages.told import told
from services.api.reads import Traced
from services.errors import NotFound
from services.identifiers import Rules
from services.timeline import commands
from services.timeline.issues import State

router = APIRouter(route_class=PageRoute)
LISTED = 12  # customers on the first page
INTERACTIONS, EVENTS = 20, 40  # on one page; events of each
ALL = 2000  # events of an interaction shown by itself

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]


class Filter(BaseModel):
    """What of a timeline is asked for, as it stands in the address."""

    channel: str = Field(default="", max_length=32)
    text: str = Field(default="", max_length=500)
    before: str = Field(default="", max_length=200)

    @property
    def is_set(self) -> bool:
        """Whether something is left out."""
        return bool(self.channel or self.text)

    def older(self, cursor: timelines.Cursor | None) -> str:
        """The address of the next, older page; empty at the end."""
        fields = {"channel": self.channel, "text": self.text, "before": cursor and str(cursor)}
        return urlencode({name: value for name, value in fields.items() if value}) if cursor else ""


@router.get("/")
async def home(
    conn: Transaction, caller: AgentOrAnalyst, back: Back, trace: Traced, q: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    """The search box, with what was found, or else who was heard of last; who reads figures is led to them."""
    if caller.role == Role.analyst:
        return RedirectResponse("/figures", 303)
    query = q.strip()
    found = await conn.run_sync(_found, query, back.rules)
    await trace.leave(conn, caller, "search" if query else "recent", [one.id for one in found])
    return page("home.html", caller, query=query, customers=found)


@router.get("/customers/{id}")
async def customer(
    id: UUID, asked: Annotated[Filter, Query()], conn: Transaction, back: Back, caller: Agent, trace: Traced
) -> Response:
    """All of one customer. An id from before a merge leads to the present one."""
    now = datetime.now(UTC)
    rows = await conn.run_sync(queries.members, id)
    if rows[0].customer_id != id:
        return RedirectResponse(f"/customers/{rows[0].customer_id}")
    read = trace.read(caller, "page")
    brief = briefs.build(await conn.run_sync(gather, rows, now, read), now)
    filters = timelines.Filters(channels=[asked.channel] if asked.channel else [], q=asked.text or None)
    cursor = timelines.Cursor.read(asked.before) if asked.before else timelines.Cursor()
    ids = [one.id for one in brief.customer.identifiers]
    found = await conn.run_sync(timelines.interactions_page, ids, filters, cursor, INTERACTIONS, EVENTS)
    seen, known = await issues.look(conn, rows, back.latest)
    trace.count(read, 1)
    return page(
        "customer.html",
        caller,
        **told(known, seen),
        brief=brief,
        customer=brief.customer,
        asked=asked,
        timeline=[tell(one) for one in found.items],
        older=asked.older(found.next),
    )


@router.get("/customers/{id}/interactions/{interaction}")
async def one_interaction(
    id: UUID, interaction: UUID, conn: Transaction, caller: Agent, trace: Traced, all: bool = False
) -> Response:
    """One interaction by itself, on request with all its events. The live script takes it into the timeline."""
    whom = await conn.run_sync(queries.customer, id)
    ids = [one.id for one in whom.identifiers]
    found = await conn.run_sync(timelines.interactions, ids, [interaction], ALL if all else EVENTS)
    if not found:
        raise NotFound("This customer has no such interaction.", hint="It may have moved with an identifier.")
    await trace.leave(conn, caller, "interaction", [whom.id])
    return page("interaction.html", caller, customer=whom, shown=tell(found[0]))


@router.post("/customers/{id}/notes", dependencies=[OwnPage])
def write_note(id: UUID, text: Annotated[Words, Form()], back: Back, caller: Agent) -> Response:
    """Put a note on the timeline and show it there."""
    author = Author(role=Part.agent, id=caller.name, name=caller.name)
    with back.writing.begin() as conn:
        commands.write_note(conn, back.desk(conn), id, text, author)
    return RedirectResponse(f"/customers/{id}#timeline", 303)


@router.post("/customers/{id}/issues/{issue}/state", dependencies=[OwnPage])
def set_state(id: UUID, issue: UUID, state: Annotated[State, Form()], back: Back, caller: Agent) -> Response:
    """Say how an issue stands and show it there."""
    author = Author(role=Role.agent, id=caller.name, name=caller.name)
    with back.writing.begin() as conn:
        whose, found = issues.began(conn, id, issue)
        commands.state(conn, back.desk(conn), UUID(found.identifier), found.passage, state, author)
    return RedirectResponse(f"/customers/{whose}#told", 303)


def _found(conn: sa.Connection, query: str, rules: Rules) -> list[Found]:
    if query:
        return lookups.search(conn, query, rules).customers
    return queries.overviews(conn, recent(conn, datetime.now(UTC), LISTED))
