"""Analyse: takes the customers that stitch marked and writes their issues, contacts, repeats, facts and figures.

What is kept of a customer is made anew from their events, and only what differs is written, so that a burst about one
customer is analysed once, and merges, late events and corrections need no rules of their own. Figures change by
differences of sums, under the day on which they became known. Several analysers share the work: whoever writes about
a customer holds advisory locks by their identifiers, and reads who they are with these held.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import chain
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services import tables
from services.counts import COUNTS, WINDOWS
from services.logs import kind
from services.timeline.dossiers import dossiers
from services.timeline.findings import Dossier, findings
from services.timeline.learning import Latest, Lesson
from services.timeline.outcomes import Outcomes, outcomes
from services.timeline.steps import few
from services.timeline.tally import Contact, Fact, Issue, Repeat, Sums, difference, tally

log = structlog.get_logger()
Row = TypeVar("Row", Issue, Contact, Repeat, Fact)

TABLES = {Issue: tables.issues, Contact: tables.contacts, Repeat: tables.repeats, Fact: tables.facts}
MOST = 20  # customers to a transaction
DEALINGS, VISITS = 400, 200  # interactions of a customer that are looked at, newest first
GONE = 1000  # rows deleted by a statement, which PostgreSQL nests as deep as they are many
STRIPES, LOCKS = 2048, 7_350_001  # of identifiers that are locked together, so that the server's locks suffice
AT_HAND = 7_350_003  # locks by customers, as they are marked
# Whose customer no other analyser has at hand. They are taken away by id when all is written, so that those that come
# meanwhile stay, and the transaction changes nothing, for which live streams would wait, while it thinks.
TAKE = sa.text("""
    WITH due AS (SELECT customer_id, min(id) AS first FROM (SELECT * FROM marks ORDER BY id LIMIT 1000) oldest
        GROUP BY customer_id ORDER BY first OFFSET 0),
        chosen AS MATERIALIZED (SELECT customer_id FROM due
            WHERE pg_try_advisory_xact_lock(:locks, hashtext(customer_id::text)) LIMIT :most)
    SELECT id, customer_id FROM marks WHERE customer_id IN (SELECT customer_id FROM chosen)""")
DONE = sa.text("DELETE FROM marks WHERE id = ANY(:ids)")
# By customer too: where a rebuild came between, an id is another's.
PUT_OFF = sa.text("""
    WITH gone AS (DELETE FROM marks WHERE id = ANY(:ids) AND customer_id = ANY(:customers) RETURNING customer_id)
    INSERT INTO marks (customer_id) SELECT DISTINCT customer_id FROM gone WHERE :again""")
MEMBERS = sa.text("""
    SELECT * FROM identifiers WHERE customer_id IN (SELECT customer_id FROM identifiers WHERE id = ANY(:ids))
    ORDER BY customer_id, first_at, first_key, id""")
HOLD = sa.text("SELECT pg_advisory_xact_lock(:locks, stripe) FROM unnest(CAST(:stripes AS int[])) stripe")
BLIND = frozenset({"device", "conversation"})  # types of identifiers that name no person


class Done(NamedTuple):
    """Who was marked, as whom they were known then; how many could not be analysed, for which the log says why."""

    marked: Sequence[UUID]
    failed: int = 0


def take(conn: sa.Connection, most: int = MOST) -> Sequence[Any]:
    """Take the marks (`id`, `customer_id`) of so many customers, of those that wait longest."""
    return conn.execute(TAKE, {"most": most, "locks": AT_HAND}).all()


def put_off(conn: sa.Connection, marks: Sequence[Any], again: bool) -> None:
    """Take marks away whose customer could not be analysed; `again`: their turn comes when all others had theirs."""
    ids, customers = [one.id for one in marks], [one.customer_id for one in marks]
    conn.execute(PUT_OFF, {"ids": ids, "customers": customers, "again": again})


def analyse(
    conn: sa.Connection, marks: Sequence[Any], latest: Latest, today: date, alive: Callable[[], object] = lambda: None
) -> Done:
    """Analyse the customers whose marks were taken. The caller commits. `alive` is called after each.

    May fail with a deadlock (SQLSTATE 40P01): do it again.
    """
    marked = list(dict.fromkeys(one.customer_id for one in marks))
    if marked:
        rows = _held(conn, marked)
        blind = {row.customer_id for row in rows} - {row.customer_id for row in rows if not _is_blind(row)}
        by = latest.of(conn)  # no older than the marks: a lesson comes with its own
        told = dossiers(conn, rows, DEALINGS, VISITS)
        found = dict[UUID, Outcomes | None]()
        for id, one in told.items():
            found[id] = _outcomes(id, one, by, id in blind)
            alive()
        ids = [row.id for row in rows if found[row.customer_id]]
        _keep(conn, ids, _together(filter(None, found.values())), today)
        conn.execute(DONE, {"ids": [one.id for one in marks]})
        return Done(marked, sum(one is None for one in found.values()))
    return Done(marked)


def _is_blind(identifier: Any) -> bool:
    return identifier.shared or identifier.type in BLIND


def _held(conn: sa.Connection, marked: Sequence[UUID]) -> Sequence[Any]:
    """The identifiers of these customers, locked, and all of whoever they are by then."""
    held = set[int]()
    while True:
        rows = conn.execute(MEMBERS, {"ids": marked}).all()
        stripes = {row.id.int % STRIPES for row in rows} - held
        if not stripes:
            return rows
        conn.execute(HOLD, {"locks": LOCKS, "stripes": sorted(stripes)}).all()
        held |= stripes


def _outcomes(id: UUID, told: Dossier, by: Lesson, blind: bool) -> Outcomes | None:
    """What one customer's events come to; nothing, and a word in the log, where that can't be worked out."""
    try:
        return outcomes(told, findings(told, by.similarity, WINDOWS, by.patterns), blind, by.group)
    except Exception as error:  # one customer's texts must not keep all others waiting
        log.error("not_analysed", customer=str(id), error=kind(error), exc_info=True)
        return None


def _together(parts: Iterable[Outcomes]) -> Outcomes:
    return Outcomes(*(list(chain.from_iterable(rows)) for rows in zip(Outcomes([], [], [], []), *parts, strict=True)))


def _keep(conn: sa.Connection, ids: Sequence[object], found: Outcomes, today: date) -> None:
    """Write what is other than before, of all that stands on these identifiers."""
    before = Outcomes(
        _kept(conn, Issue, ids), _kept(conn, Contact, ids), _kept(conn, Repeat, ids), _kept(conn, Fact, ids)
    )
    _write(conn, tables.issues, before.issues, found.issues)
    _write(conn, tables.contacts, before.contacts, found.contacts)
    _write(conn, tables.repeats, before.repeats, found.repeats)
    _write(conn, tables.facts, before.facts, found.facts)
    add(conn, difference(tally(found.contacts, found.repeats), tally(before.contacts, before.repeats)), today)


def _kept(conn: sa.Connection, shape: type[Row], ids: Sequence[object]) -> list[Row]:
    table = TABLES[shape]
    columns = [table.c[name] for name in shape._fields]
    theirs = table.c.identifier_id == sa.any_(sa.literal(ids, ARRAY(sa.Uuid)))  # one value, however many they are
    return [shape(*row) for row in conn.execute(sa.select(*columns).where(theirs))]


def _write(conn: sa.Connection, table: sa.Table, before: Sequence[Row], after: Sequence[Row]) -> None:
    size = len(table.primary_key.columns)
    old, new = ({row[:size]: row for row in rows} for rows in (before, after))
    gone = [name for name in old if old[name] != new.get(name)]
    fresh = [row._asdict() for name, row in new.items() if row != old.get(name)]
    for some in few(gone, GONE):
        conn.execute(sa.delete(table).where(sa.tuple_(*table.primary_key.columns).in_(some)))
    if fresh:
        conn.execute(sa.insert(table), fresh)


def add(conn: sa.Connection, sums: Sums, today: date) -> None:
    """Add to figures, in order, so that who adds at the same time waits and meets no deadlock."""
    rows = [
        {**cell._asdict(), "known_on": today, **dict(zip(COUNTS, counts, strict=True))}
        for cell, counts in sorted(sums.items())
    ]
    if rows:
        added = insert(tables.figures)
        more = {name: tables.figures.c[name] + added.excluded[name] for name in COUNTS}
        conn.execute(added.on_conflict_do_update(constraint=tables.figures.primary_key, set_=more), rows)
