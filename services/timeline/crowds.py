"""Links that a crowd brings: what was seen with very many others is at its limits, and the next is refused at once.

`parts.settle` loads all that a link may touch: with 10,000 refused links half a second for each one more. Here a link
is refused without that, where `identity.resolve` would do the same: its other end has no other link, nobody decided
anything, and all that made the crowded customer came earlier, so that it was full when this link's turn came. A
refused link changes nothing that follows it. Whatever is not so plain is settled as ever.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from services.identifiers import Rules
from services.timeline.bulk import texts, uuids
from services.timeline.identity import ASSERTED, Age, Id, Link
from services.timeline.parts import hold, rows

CROWDED = """SELECT uuid_send(seen.id) AS id FROM unnest(%s) seen(id) WHERE {crowd} <= (SELECT count(*) FROM (
    (SELECT 1 FROM links WHERE left_id = seen.id LIMIT {crowd}) UNION ALL
    (SELECT 1 FROM links WHERE right_id = seen.id LIMIT {crowd})) found)"""
# Who has but one link and is nobody's yet.
ALONE = """SELECT uuid_send(i.id) AS id, i.type FROM unnest(%s) new(id) JOIN identifiers i USING (id)
    WHERE i.customer_id = i.id AND NOT i.shared AND i.type <> 'account'
    AND (SELECT count(*) FROM links WHERE left_id = i.id OR right_id = i.id) = 1
    AND NOT EXISTS (SELECT FROM decisions WHERE left_id = i.id OR right_id = i.id)"""
MEMBERS = """SELECT uuid_send(h.id) AS hub, m.type, m.shared, EXISTS (
        SELECT FROM decisions WHERE left_id = m.id OR right_id = m.id) AS decided
    FROM unnest(%s) hub(id) JOIN identifiers h USING (id) JOIN identifiers m USING (customer_id)"""
MADE_BY = """SELECT uuid_send(h.id) AS hub, l.occurred_at, uuid_send(l.event_key) AS key, l.rule
    FROM unnest(%s) hub(id) JOIN identifiers h USING (id) JOIN identifiers one USING (customer_id)
    JOIN identifiers other USING (customer_id) JOIN links l ON l.left_id = one.id AND l.right_id = other.id"""


@dataclass
class _Hub:
    """What there is of a crowded identifier's customer; `made`: the last link within it, None without one."""

    types: Counter[str] = field(default_factory=Counter)
    plain: bool = True
    made: Age | None = None


def refuse(conn: sa.Connection, added: Sequence[Link], rules: Rules) -> set[Id]:
    """Refuse those of the links just written that crowds bring; the ends of all others, which are to be settled."""
    ends = {end for link in added for end in (link.left, link.right)}
    crowded = {row.id for row in rows(conn, CROWDED.format(crowd=rules.crowd), ends)} if ends else set()
    pairs = [
        (link, *((link.left, link.right) if link.left in crowded else (link.right, link.left)))
        for link in added
        if link.rule == "same event" and len({link.left, link.right} & crowded) == 1
    ]
    if not pairs:
        return ends
    hold(conn, {end for _, *both in pairs for end in both}, set())
    alone = {row.id: row.type for row in rows(conn, ALONE, {leaf for _, _, leaf in pairs})}
    hubs = _hubs(conn, {hub for _, hub, leaf in pairs if leaf in alone})
    refused = [
        (link, f"limit of {alone[leaf]}")
        for link, hub, leaf in pairs
        if leaf in alone and _is_full(hubs[hub], alone[leaf], Age(link.at, link.key), rules.limit)
    ]
    _write(conn, refused)
    settled = {link for link, _ in refused}
    return {end for link in added if link not in settled for end in (link.left, link.right)}


def _hubs(conn: sa.Connection, ids: Iterable[Id]) -> dict[Id, _Hub]:
    found = {id: _Hub() for id in ids}
    for row in rows(conn, MEMBERS, found):
        hub = found[row.hub]
        hub.types[row.type] += 1
        hub.plain &= not (row.shared or row.decided)
    for row in rows(conn, MADE_BY, found):
        hub, age = found[row.hub], Age(row.occurred_at, row.key)
        hub.plain &= row.rule not in ASSERTED
        hub.made = max(hub.made, age) if hub.made else age
    return found


def _is_full(hub: _Hub, type: str, age: Age, limit: Callable[[str], int]) -> bool:
    """Whether one more of a type was too many for a customer already at that age."""
    return hub.plain and hub.types[type] + 1 > limit(type) and (hub.made is None or hub.made < age)


def _write(conn: sa.Connection, refused: Sequence[tuple[Link, str]]) -> None:
    if refused:
        conn.exec_driver_sql(
            """UPDATE links l SET refused = n.refused FROM unnest(%s, %s, %s) n(left_id, right_id, refused)
            WHERE l.left_id = n.left_id AND l.right_id = n.right_id""",
            (
                uuids(link.left for link, _ in refused), uuids(link.right for link, _ in refused),
                texts(reason for _, reason in refused),
            ),
        )  # fmt: skip
