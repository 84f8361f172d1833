"""Connected parts of identity in the database: lock them, load them, let `identity.resolve` decide, write back.

Locks are on the rows of customers' oldest identifiers, in order of id: whoever changes who is one customer holds
the locks of all customers concerned, so workers that meet do the same as one after the other. What is read to decide
is read with the locks held, each statement anew (READ COMMITTED), so that it is what the last holder left.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from services.timeline.bulk import texts, uuids
from services.timeline.identity import ASSERTED, Age, Decision, Id, Link, Member, People, pair, resolve

IDENTIFIERS = """SELECT uuid_send(id) AS id, type, first_at, uuid_send(first_key) AS first_key,
    uuid_send(customer_id) AS customer_id, shared FROM identifiers WHERE """
ENDS = """SELECT DISTINCT occurred_at, uuid_send(event_key) AS key, uuid_send(left_id) AS left_id,
    uuid_send(right_id) AS right_id"""
LINKS = f"{ENDS}, rule, refused FROM links WHERE "
# All of some, and of others those among themselves.
TOUCHING = "left_id = ANY(%s) OR right_id = ANY(%s) OR (left_id = ANY(%s) AND right_id = ANY(%s))"
DECISIONS = f"{ENDS}, verdict FROM decisions WHERE "


class Changed(NamedTuple):
    """Identifiers that came to another customer, with the one they left; and those that something else became known
    of: they are linked, or shared, or a link of theirs is refused, or no longer."""

    moved: Mapping[Id, Id] = MappingProxyType({})
    touched: Set[Id] = frozenset()


@dataclass
class Part:
    """Rows of whole customers (`inner`), the links and decisions that touch them, and the ends of those."""

    inner: dict[Id, Any] = field(default_factory=dict)
    edge: dict[Id, Any] = field(default_factory=dict)
    links: Sequence[Any] = ()
    decisions: Sequence[Any] = ()
    known_shared: frozenset[Id] = frozenset()


def settle(conn: sa.Connection, seeds: Iterable[Id], limit: Callable[[str], int]) -> Changed:
    """Decide anew who is who around `seeds`."""
    part = _load(conn, set(seeds), limit("account") > 1)
    people = resolve(
        {id: Member(id, row.type, Age(row.first_at, row.first_key)) for id, row in (part.edge | part.inner).items()},
        [Link(row.occurred_at, row.key, row.left_id, row.right_id, row.rule) for row in part.links],
        [Decision(*row) for row in part.decisions],
        limit,
        part.known_shared,
    )
    return _write(conn, part, people)


def _load(conn: sa.Connection, wanted: set[Id], several: bool) -> Part:
    """The part around what is wanted, locked: grows until nothing that could matter is outside.

    What is shared is an edge beyond which links don't matter, unless what somebody said may have ended that, or links
    alone may, where a customer may have `several` accounts.
    """
    part, locked, thawed = Part(), set[Id](), set[Id]()
    while hold(conn, wanted, locked):
        part.inner = _by_id(conn, "customer_id = ANY(%s)", locked)
        frozen = {id for id, row in part.inner.items() if row.shared} - thawed
        loose = part.inner.keys() - frozen
        part.links = rows(conn, LINKS + TOUCHING, loose, loose, frozen, frozen)
        part.decisions = rows(conn, DECISIONS + "left_id = ANY(%s) OR right_id = ANY(%s)", part.inner, part.inner)
        part.edge = _by_id(conn, "id = ANY(%s)", _ends(part.links) - part.inner.keys())
        shared = frozen | {id for id, row in part.edge.items() if row.shared}
        if shared and (several or part.decisions or any(link.rule in ASSERTED for link in part.links)):
            hold(conn, shared, set())  # so that nobody takes an account apart from it meanwhile
            thawed |= (fresh := _thawed(conn, shared, part.inner))
            locked -= {part.inner[id].customer_id for id in fresh & frozen}  # once more, with their links
        part.known_shared = frozenset(shared - thawed)
        wanted = wanted | thawed | _ends(part.decisions) | (part.edge.keys() - part.known_shared)
    return part


def heads(conn: sa.Connection, ids: Iterable[Id]) -> set[Id]:
    """The oldest identifiers of these identifiers' customers."""
    query = "SELECT DISTINCT uuid_send(customer_id) AS customer_id FROM identifiers WHERE id = ANY(%s)"
    return {row.customer_id for row in rows(conn, query, ids)}


def hold(conn: sa.Connection, ids: Iterable[Id], held: set[Id]) -> bool:
    """Lock the customers of identifiers until the transaction ends, whoever they are by then, beside those `held`,
    which grow by their heads; whether there were any."""
    before = len(held)
    while new := heads(conn, ids) - held:  # again: somebody may have moved them while we waited
        rows(conn, "SELECT id FROM identifiers WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", new)
        held |= new
    return len(held) > before


def _thawed(conn: sa.Connection, shared: Iterable[Id], inner: Mapping[Id, Any]) -> set[Id]:
    """Shared identifiers that may be so no longer: those whose accounts are one customer's, or all in this part."""
    accounts: dict[Id, dict[Id, Id]] = {id: {} for id in shared}
    query = """SELECT uuid_send(l.right_id) AS right_id, uuid_send(a.id) AS id, uuid_send(a.customer_id) AS customer_id
               FROM links l JOIN identifiers a ON a.id = l.left_id
               WHERE l.right_id = ANY(%s) AND a.type = 'account' AND 'unmerge' IS DISTINCT FROM (
                   SELECT verdict FROM decisions d
                   WHERE (d.left_id, d.right_id) IN ((l.left_id, l.right_id), (l.right_id, l.left_id))
                   ORDER BY occurred_at DESC, event_key DESC LIMIT 1)"""
    for row in rows(conn, query, accounts):
        accounts[row.right_id][row.id] = row.customer_id
    return {id for id, seen in accounts.items() if len(set(seen.values())) < 2 or seen.keys() <= inner.keys()}


def _write(conn: sa.Connection, part: Part, people: People) -> Changed:
    moved, changed = dict[Id, Id](), list[tuple[Id, Id, bool]]()
    for id, row in part.inner.items():
        customer, shared = people.customer[id], id in people.shared
        if (customer, shared) != (row.customer_id, row.shared):
            changed.append((id, customer, shared))
        if customer != row.customer_id:
            moved[id] = row.customer_id
    if changed:
        ids, customers, flags = zip(*changed, strict=True)
        update = """UPDATE identifiers i SET customer_id = n.customer_id, shared = n.shared
                    FROM unnest(%s, %s, %s::bool[]) n(id, customer_id, shared) WHERE i.id = n.id"""
        conn.exec_driver_sql(update, (uuids(ids), uuids(customers), list(flags)))
    refusals = _write_refusals(conn, part.links, people)
    return Changed(moved, {id for id, _, _ in changed}.union(*(ends[:2] for ends in refusals)))


def _write_refusals(conn: sa.Connection, links: Sequence[Any], people: People) -> set[tuple[Id, Id, str | None]]:
    changed = set()
    for link in links:
        refused = people.refused.get(pair(link.left_id, link.right_id))
        if refused != link.refused:
            changed.add((link.left_id, link.right_id, refused))
    if changed:
        left, right, reasons = zip(*changed, strict=True)
        update = """UPDATE links l SET refused = n.refused FROM unnest(%s, %s, %s) n(left_id, right_id, refused)
                    WHERE l.left_id = n.left_id AND l.right_id = n.right_id"""
        conn.exec_driver_sql(update, (uuids(left), uuids(right), texts(reasons)))
    return changed


def _by_id(conn: sa.Connection, condition: str, ids: Iterable[Id]) -> dict[Id, Any]:
    return {row.id: row for row in rows(conn, IDENTIFIERS + condition, ids)}


def _ends(rows: Iterable[Any]) -> set[Id]:
    return {end for row in rows for end in (row.left_id, row.right_id)}


def rows(conn: sa.Connection, query: str, *ids: Iterable[Id]) -> Sequence[Any]:
    """The rows of a query about identifiers."""
    return conn.exec_driver_sql(query, tuple(uuids(some) for some in ids)).all()
