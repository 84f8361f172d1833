"""What people do to a customer: notes, merges, corrections. Each is an event, remembered through every replay.

Each command stitches its event in the caller's transaction, so that the caller sees the effect at once, and appends
it to the log (durable) before that commits; the worker meets the event again and knows it. They block (log, locks,
COPY): the API runs them in a worker thread on a plain Engine, not by `run_sync`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from schemas.data import Passage, Talk
from schemas.event import Author, Direction, Event
from services.errors import Conflict, NotFound
from services.eventlog import Appender, Draft
from services.identifiers import OWN_SOURCE, Rules, keys
from services.masking import Masking
from services.tables import decisions, identifiers, links
from services.timeline.stitch import stitch


@dataclass(frozen=True)
class Desk:
    """What a command needs: where to append, how this deployment reads identifiers, its secret, and what it masks."""

    appender: Appender
    rules: Rules
    secret: bytes
    masking: Masking = field(default_factory=Masking)


def write_note(conn: sa.Connection, desk: Desk, customer_id: UUID, text: str, author: Author) -> Event:
    """Put an internal note on a customer's timeline. Raises NotFound."""
    head = _members(conn, customer_id)[0]
    [note] = _do(conn, desk, _event("note.written", author, {"about": _reference(head)}, text))
    return note


def merge(conn: sa.Connection, desk: Desk, left: UUID, right: UUID, author: Author, reason: str | None = None) -> UUID:
    """Make two customers one and return its id. Raises NotFound; Conflict when they are one already, or can't be."""
    ours, theirs = _members(conn, left)[0], _members(conn, right)[0]
    if ours.customer_id == theirs.customer_id:
        raise Conflict("These are one customer already.", code="already_merged", hint="Nothing needs to be done.")
    about = decisions.c.left_id.in_([ours.id, theirs.id]), decisions.c.left_id == decisions.c.right_id
    if conn.scalar(sa.select(sa.exists().where(*about))):
        raise Conflict("One of them is barred, and links to nothing.", code="barred", hint="See /identity.")
    _do(conn, desk, _event("customer.merged", author, _verdict(ours, theirs, reason)))
    return customer_of(conn, left)


def unmerge(
    conn: sa.Connection, desk: Desk, customer_id: UUID, apart: Sequence[UUID], author: Author, reason: str | None = None
) -> list[UUID]:
    """Take some identifiers of a customer apart from its others and return the customers there are then.

    Every link and merge between the two sides is revoked and stays so. Raises NotFound; Conflict when the
    identifiers are not the customer's, are all of them, or none.
    """
    rows = _members(conn, customer_id)
    ours, side = {row.id: row for row in rows}, set(apart)
    if not side or not side < ours.keys():
        raise Conflict(
            "Name some of the customer's identifiers, but not all of them.", code="not_a_part", hint="See /identity."
        )
    between = _between(conn, side, ours.keys() - side)
    _do(conn, desk, *(
        _event("customer.unmerged", author, _verdict(ours[one], ours[other], reason)) for one, other in between
    ))  # fmt: skip
    found = sa.select(identifiers.c.customer_id).where(identifiers.c.id.in_(ours)).distinct()
    return sorted(conn.scalars(found))


def bar(conn: sa.Connection, desk: Desk, identifier_id: UUID, author: Author, reason: str | None = None) -> UUID:
    """Make an identifier link to nothing from now on, and backwards. Returns its customer. Raises NotFound."""
    row = _identifier(conn, identifier_id)
    about = _reference(row)
    _do(conn, desk, _event("identifier.barred", author, {"about": about, "identifier": about, "reason": reason}))
    return customer_of(conn, identifier_id)


def correct(
    conn: sa.Connection, desk: Desk, passages: Mapping[Passage, UUID], other: Passage, same: bool, author: Author,
    reason: str | None = None,
) -> None:  # fmt: skip
    """Remember that passages tell one issue with another, or don't, each beside its identifier. Raises NotFound."""
    type, said = "issue.joined" if same else "issue.parted", {"other": other.model_dump(), "reason": reason}
    about = {one: _reference(_identifier(conn, identifier)) for one, identifier in passages.items()}
    _do(conn, desk, *(
        _event(type, author, {"about": about[one], "one": one.model_dump(), **said}) for one in passages
    ))  # fmt: skip


def answer(
    conn: sa.Connection, desk: Desk, where: Talk, identifier_id: UUID, issue: Passage, same: bool, author: Author
) -> None:
    """Remember that a customer said whether what they come about is the issue of a passage, beside it. Raises NotFound.

    It counts for all they say there, also before it is on record."""
    said = where.model_dump(exclude_none=True)
    _on_issue(conn, desk, "issue.answered", identifier_id, issue, author, where=said, same=same)


def state(
    conn: sa.Connection, desk: Desk, identifier_id: UUID, issue: Passage, state: str, author: Author,
    reason: str | None = None,
) -> None:  # fmt: skip
    """Remember how the issue of a passage stands, beside it, until more happens. Raises NotFound."""
    _on_issue(conn, desk, "issue.stated", identifier_id, issue, author, state=state, reason=reason)


def _on_issue(
    conn: sa.Connection, desk: Desk, type: str, identifier_id: UUID, issue: Passage, author: Author, **said: object
) -> None:
    about = _reference(_identifier(conn, identifier_id))
    _do(conn, desk, _event(type, author, {"about": about, "issue": issue.model_dump(), **said}))


def customer_of(conn: sa.Connection, id: UUID) -> UUID:
    """The present customer for a customer's id of any time. Raises NotFound."""
    customer: UUID = _identifier(conn, id).customer_id
    return customer


def _identifier(conn: sa.Connection, id: UUID) -> sa.Row:  # type: ignore[type-arg]
    row = conn.execute(sa.select(identifiers).where(identifiers.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no customer {id}.", code="unknown_customer", hint="Search by an identifier.")
    return row


def _members(conn: sa.Connection, id: UUID) -> Sequence[sa.Row]:  # type: ignore[type-arg]
    """The customer's identifiers, oldest first."""
    own = identifiers.c.customer_id == customer_of(conn, id)
    return conn.execute(
        sa.select(identifiers).where(own).order_by(identifiers.c.first_at, identifiers.c.first_key, identifiers.c.id)
    ).all()


def _between(conn: sa.Connection, one: set[UUID], other: set[UUID]) -> list[tuple[UUID, UUID]]:
    """The pairs by which two sets of identifiers hang together, or would once others are revoked."""
    crossing = []
    for table, holds in ((links, sa.true()), (decisions, decisions.c.verdict == "merge")):
        left, right = table.c.left_id, table.c.right_id
        across = sa.or_(left.in_(one) & right.in_(other), left.in_(other) & right.in_(one))
        crossing.append(sa.select(left, right).where(across, holds))
    return sorted((row.left_id, row.right_id) for row in conn.execute(sa.union(*crossing)))


def _reference(row: sa.Row) -> dict[str, str]:  # type: ignore[type-arg]
    return {"type": row.type, "scope": row.scope, "value": row.value}


def _verdict(left: sa.Row, right: sa.Row, reason: str | None) -> dict[str, object]:  # type: ignore[type-arg]
    about = _reference(left)
    return {"about": about, "left": about, "right": _reference(right), "reason": reason}


def _event(type: str, author: Author, data: dict[str, object], text: str | None = None) -> Event:
    now = datetime.now(UTC)
    return Event(
        id=str(uuid4()), source=OWN_SOURCE, type=type, occurred_at=now, received_at=now, channel="other",
        direction=Direction.internal, author=author, data=data, text=text,
    )  # fmt: skip


def _do(conn: sa.Connection, desk: Desk, *events: Event) -> list[Event]:
    masked = [desk.masking.masked(event) for event in events]
    stitch(conn, [event for event, _ in masked], desk.rules, desk.secret)
    # Last and at once, so that what fails before leaves nothing behind; should the commit fail, the worker does what
    # was said.
    desk.appender.append([Draft(str(keys(event, desk.rules)[0]), line) for event, line in masked])
    return [event for event, _ in masked]
