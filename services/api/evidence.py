"""The contacts behind a figure, page by page, with the two passages that say that they repeat."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

import sqlalchemy as sa
from pydantic import AwareDatetime, Field

from schemas.codec import decode
from services.api.answers import Answer
from services.api.spans import Span
from services.errors import Invalid
from services.identifiers import event_key
from services.timeline.findings import CHANGES, Seen, standing
from services.timeline.statements import words_of

LOOK = 1000  # contacts that a page looks at, however rare what is asked for
SLACK = timedelta(seconds=1)  # times between are kept to a third of a second
Of = Literal["contacts", "blind", "repeat_contacts", "repeated_explanations", "avoidable"]
PLACE = "day, at, identifier_id, issue_id, interaction_id"
WANTED = {"blind": "c.blind", "repeated_explanations": "r.explained",
          "avoidable": "r.explained AND r.context IN ('unshown', 'shown')"}  # fmt: skip
COLUMNS = """c.identifier_id, c.issue_id, c.interaction_id, c.day, c.event_source, c.event_id, c.channel, c.source,
    c.queue, c.team, c.language, c.group_id, c.blind, c.asked, r.from_channel, r.explained, r.evidence, r.context,
    r.score, r.hours, r.earlier_source, r.earlier_event, r.later_source, r.later_event, c.at AS began, r.at AS again"""
BEFORE = {True: f"AND ({PLACE}) < (:day, :at, :identifier, :issue, :interaction)", False: ""}
PASSAGES = sa.text("""
    SELECT want.place, e.identifier_id, e.interaction_id, e.event::text AS event
    FROM unnest(CAST(:places AS int[]), CAST(:ids AS uuid[]), CAST(:keys AS uuid[]), CAST(:times AS timestamptz[]))
        want(place, identifier_id, key, at)
    JOIN identifiers own ON own.id = want.identifier_id JOIN identifiers mine ON mine.customer_id = own.customer_id
    JOIN events e ON e.identifier_id = mine.id AND e.event_key = want.key
        AND e.occurred_at BETWEEN want.at - CAST(:slack AS interval) AND want.at + CAST(:slack AS interval)""")
CHANGED = sa.text("""
    SELECT e.identifier_id, e.interaction_id, e.event::text AS event
    FROM unnest(CAST(:ids AS uuid[]), CAST(:interactions AS uuid[])) told(identifier_id, interaction_id)
    JOIN events e USING (identifier_id, interaction_id) WHERE e.type = ANY(:types)""")
CUSTOMERS = sa.text("SELECT id, customer_id FROM identifiers WHERE id = ANY(:ids)")


class Spoken(Answer):
    """What the customer said in one event, cleaned, as it was written last."""

    source: str
    event: str = Field(description="The event's id, of its source.")
    channel: str
    text: str | None = Field(description="Null: the key's role may not read it, or it is on record no more.")


class Proof(Answer):
    """A contact, and what it repeats."""

    customer: UUID
    issue: UUID
    interaction: UUID
    at: AwareDatetime
    channel: str
    source: str
    queue: str
    team: str
    language: str
    group: str
    blind: bool = Field(description="Nobody knows whose it is.")
    asked: list[str] = Field(description="Kinds of facts that it was asked for though they were on record.")
    explained: bool | None = Field(description="Explained again; false: only came back; null: neither.")
    evidence: str | None = Field(examples=["told"])
    context: str | None = Field(examples=["unshown"])
    score: float | None
    hours: float | None = Field(description="Since the earlier passage.")
    earlier: Spoken | None
    later: Spoken


class Evidence(Answer):
    """A page of the contacts behind a figure, newest first."""

    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    window: int
    withheld: bool = Field(description="Texts are left out: this role may not read what customers said.")
    items: list[Proof]
    next: str | None = Field(description="`cursor` of the next page; it may hold few items or none and go on.")


class Place(NamedTuple):
    """Where a page ends."""

    day: date
    at: datetime
    identifier: UUID
    issue: UUID
    interaction: UUID

    def __str__(self) -> str:
        return "_".join([self.day.isoformat(), self.at.isoformat(), *(one.hex for one in self[2:])])

    @classmethod
    def read(cls, text: str) -> Self:
        """From its text. Raises Invalid."""
        try:
            day, at, *ids = text.split("_")
            identifier, issue, interaction = map(UUID, ids)
            return cls(date.fromisoformat(day), datetime.fromisoformat(at), identifier, issue, interaction)
        except ValueError:
            raise Invalid("The cursor can't be read.", code="invalid_cursor", hint="Take `next` as it is.") from None


class Page(NamedTuple):
    """Rows, and where the next page goes on."""

    rows: Sequence[Any]
    next: Place | None


def find(
    conn: sa.Connection,
    span: Span,
    today: date,
    of: Of,
    window: int,
    only: dict[str, str],
    after: str | None,
    limit: int,
) -> Page:
    """The rows behind a figure. `only`: context, from_channel, asked. Raises Invalid."""
    since, until = span.days(today)
    values: dict[str, Any] = {"since": since, "until": until, "window": window, "look": LOOK, "limit": limit + 1}
    values |= {name: chosen for name in Span.model_fields if isinstance(chosen := getattr(span, name), list)} | only
    values |= Place.read(after)._asdict() if after else {}
    rows = conn.execute(sa.text(_query(span, of, only, bool(after))), values).all()
    fitting = [row for row in rows if row.fits]
    if len(fitting) > limit:
        return Page(fitting[:limit], _place(fitting[limit - 1]))
    return Page(fitting, _place(rows[-1]) if rows and rows[-1].nth == LOOK else None)


def proofs(conn: sa.Connection, rows: Sequence[Any], read: bool) -> list[Proof]:
    """The rows as they are told, with texts where they may be read."""
    owners = {row.id: row.customer_id for row in conn.execute(CUSTOMERS, {"ids": [row.identifier_id for row in rows]})}
    texts = _texts(conn, rows) if read else {}
    return [_proof(row, owners.get(row.identifier_id, row.identifier_id), texts) for row in rows]


def _query(span: Span, of: Of, only: Iterable[str], after: bool) -> str:
    """Looks at so many contacts or repeats in order, and takes those that fit; the last one looked at comes along."""
    again = of not in ("contacts", "blind")
    looked, window = ("repeats", 'AND "window" = :window') if again else ("contacts", "")
    filters = [f"c.{name} = ANY(:{name})" for name in (*span.only, *(["agent"] if span.agent else []))]
    filters += ["c.group_id = ANY(:group)"] if span.group else []
    filters += [WANTED[of]] if of in WANTED else []
    filters += [{"asked": ":asked = ANY(c.asked)"}.get(name, f"r.{name} = :{name}") for name in only]
    join = "JOIN contacts c" if again else 'LEFT JOIN (SELECT * FROM repeats WHERE "window" = :window) r'
    return f"""
        SELECT * FROM (
            SELECT {COLUMNS}, {"r" if again else "c"}.at AS at, nth,
                coalesce({" AND ".join(filters) or "true"}, false) AS fits
            FROM (SELECT *, row_number() OVER () AS nth FROM (
                SELECT * FROM {looked} WHERE day BETWEEN :since AND :until {window} {BEFORE[after]}
                ORDER BY {", ".join(f"{name} DESC" for name in PLACE.split(", "))} LIMIT :look) ordered
            ) {"r" if again else "c"} {join} USING (identifier_id, issue_id, interaction_id)
        ) told WHERE fits OR nth = :look ORDER BY nth LIMIT :limit"""


def _place(row: Any) -> Place:
    return Place(row.day, row.at, row.identifier_id, row.issue_id, row.interaction_id)


def _texts(conn: sa.Connection, rows: Sequence[Any]) -> dict[tuple[UUID, str, str], str]:
    """What was said, by identifier of the contact, source and id of the event; messages as they were written last."""
    wanted = [(row.identifier_id, *one) for row in rows for one in _events(row)]
    asked = {
        "places": list(range(len(wanted))), "ids": [one[0] for one in wanted], "times": [one[3] for one in wanted],
        "keys": [UUID(bytes=event_key(one[1], one[2])) for one in wanted], "slack": SLACK,
    }  # fmt: skip
    found = conn.execute(PASSAGES, asked).all()
    there = {(row.identifier_id, row.interaction_id) for row in found}
    places = {"ids": [one for one, _ in there], "interactions": [one for _, one in there], "types": list(CHANGES)}
    changes = conn.execute(CHANGED, places).all() if there else []
    seen = [
        Seen(decode(row.event.encode()), str(row.interaction_id), str(row.identifier_id)) for row in (*found, *changes)
    ]
    said = {key: words_of(one.event) for key, one in standing(seen).items()}
    return {one[:3]: text for one in wanted if (text := said.get(f"{one[1]} {one[2]}"))}


def _events(row: Any) -> list[tuple[str, str, datetime]]:
    """The events whose words are shown, with about when they happened."""
    if row.hours is None:
        return [(row.event_source, row.event_id, row.began)]
    earlier = row.again - timedelta(hours=row.hours)
    return [(row.later_source, row.later_event, row.again), (row.earlier_source, row.earlier_event, earlier)]


def _proof(row: Any, customer: UUID, texts: dict[tuple[UUID, str, str], str]) -> Proof:
    said = [
        Spoken(source=source, event=event, channel=channel, text=texts.get((row.identifier_id, source, event)))
        for (source, event, _), channel in zip(_events(row), (row.channel, row.from_channel), strict=False)
    ]
    told = {name: getattr(row, name) for name in Proof.model_fields if hasattr(row, name)}
    fields = told | {"customer": customer, "issue": row.issue_id, "interaction": row.interaction_id}
    fields |= {"group": row.group_id, "later": said[0], "earlier": said[1] if len(said) > 1 else None}
    return Proof(**fields)
