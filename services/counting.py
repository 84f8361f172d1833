"""How many there are: exactly while they are few, then about, at the same cost however many."""

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from services import tables
from services.identifiers import WEAKEST

FEW = 200_000  # rows up to which counting takes no time worth mentioning
SAMPLE = 50_000  # rows of a sample from which shares are told

Filter = Callable[[sa.FromClause], sa.ColumnElement[bool]]


class Count(NamedTuple):
    """`exact`: counted; else what the planner expects from the table's size, some per cent off."""

    number: int
    exact: bool


def events(conn: sa.Connection) -> Count:
    """The events on all timelines."""
    return rows(conn, tables.events)


def customers(conn: sa.Connection) -> Count:
    """The customers; who was never named is none."""
    return rows(conn, tables.identifiers, _oldest_and_named)


def rows(conn: sa.Connection, table: sa.Table, where: Filter | None = None) -> Count:
    """The rows of a table, or those of which something is true."""
    expected = _expected(conn, table)
    if expected <= FEW:
        return Count(conn.scalars(sa.select(_number(table, where)).select_from(table)).one(), True)
    if where is None:
        return Count(expected, False)
    some = sa.tablesample(table, sa.func.system(100 * SAMPLE / expected))
    found, seen = conn.execute(sa.select(_number(some, where), sa.func.count()).select_from(some)).one()
    return Count(round(expected * found / max(seen, 1)), False)


def _oldest_and_named(identifiers: sa.FromClause) -> sa.ColumnElement[bool]:
    """Each customer has one oldest identifier; the weakest kinds stand in for somebody who was not named."""
    columns = identifiers.c
    return columns.type.not_in(WEAKEST[1:]) & (columns.id == columns.customer_id)


def _number(table: sa.FromClause, where: Filter | None) -> sa.ColumnElement[int]:
    count = sa.func.count()
    return count.filter(where(table)) if where else count


def _expected(conn: sa.Connection, table: sa.Table) -> int:
    """Rows as the planner expects them: the table's size now, by the density that was last seen."""
    plan = conn.exec_driver_sql(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {table.name}").scalar_one()
    return int(plan[0]["Plan"]["Plan Rows"])
