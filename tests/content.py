"""The logical content of a store: what two stores that saw the same events must share, whatever the way there."""

from typing import Any

import sqlalchemy as sa

EVENTS = """
    SELECT e.source, e.event_id, e.occurred_at, i.customer_id, e.event::text, e.interaction_id,
           e.identifier_id FROM events e LEFT JOIN identifiers i ON i.id = e.identifier_id"""
INTERACTIONS = """
    SELECT i.customer_id, n.interaction_id, min(n.source), min(n.channel), min(n.conversation), min(n.started_at),
           max(n.last_at), sum(n.events), sum(n.inbound), sum(n.outbound), max(n.last_inbound_at),
           max(n.last_outbound_at), max(n.closed_at)
    FROM interactions n JOIN identifiers i ON i.id = n.identifier_id GROUP BY 1, 2"""
IDENTIFIERS = "SELECT id, type, scope, value, verification, first_at, first_key, customer_id, shared FROM identifiers"
# Of a pair only the earliest link and the outcome: later ones, and the parties a conversation was thought to be with
# until an earlier one was known, depend on what came first.
LINKS = """
    SELECT DISTINCT ON (left_id, right_id, rule)
        left_id, right_id, rule, occurred_at, event_key, source, event_id, refused
    FROM links WHERE refused IS DISTINCT FROM 'follows another'
    ORDER BY left_id, right_id, rule, occurred_at, event_key"""
VISITS = "SELECT device_id, started_at, ended_at FROM visits"
NAMES = "SELECT identifier_id, name, seen_at FROM names"
DECISIONS = "SELECT left_id, right_id, occurred_at, event_key, verdict FROM decisions"
PARTS = dict(
    events=EVENTS, interactions=INTERACTIONS, identifiers=IDENTIFIERS, links=LINKS, visits=VISITS, names=NAMES,
    decisions=DECISIONS,
)  # fmt: skip
TABLES = [
    "arrivals",
    "events",
    "interactions",
    "identifiers",
    "links",
    "decisions",
    "conversations",
    "visits",
    "names",
    "marks",
    "conflicts",
    "positions",
    "dead_letters",
]


def content(engine: sa.Engine) -> dict[str, list[Any]]:
    """Everything that readers can see, in a fixed order."""
    with engine.connect() as conn:
        return {name: sorted(map(repr, conn.exec_driver_sql(query))) for name, query in PARTS.items()}


def customers(engine: sa.Engine) -> set[frozenset[str]]:
    """Each customer as its identifiers, `type:value`."""
    with engine.connect() as conn:
        rows = conn.exec_driver_sql("SELECT array_agg(type || ':' || value) FROM identifiers GROUP BY customer_id")
        return {frozenset(row[0]) for row in rows}


def empty(engine: sa.Engine) -> None:
    """Make a store as new."""
    with engine.begin() as conn:
        for table in TABLES:  # for few rows far quicker than TRUNCATE
            conn.exec_driver_sql(f"DELETE FROM {table}")


def difference(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> dict[str, tuple[list[Any], list[Any]]]:
    """What either has and the other has not; empty for the same content."""
    pairs = {
        name: (sorted(set(one[name]) - set(other[name])), sorted(set(other[name]) - set(one[name]))) for name in one
    }
    return {name: pair for name, pair in pairs.items() if any(pair)}
