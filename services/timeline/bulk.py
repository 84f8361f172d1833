"""Many rows at once: COPY into a temporary table, for set-wise SQL to go on from there."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa


def copy(conn: sa.Connection, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """Fill a temporary table (`columns`: names with types) that is empty again after the transaction."""
    conn.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS")
    conn.exec_driver_sql(f"TRUNCATE {table}")
    copy_into(conn, table, columns, rows)


def copy_into(conn: sa.Connection, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into a table (`columns`: names with types, in the rows' order)."""
    names, types = zip(*(column.split(maxsplit=1) for column in columns.split(", ")), strict=True)
    cursor = conn.connection.cursor()
    with cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)") as writer:
        writer.set_types(types)
        for row in rows:
            writer.write_row(row)
    cursor.close()


def transaction_id(conn: sa.Connection) -> int:
    """The number of the present transaction; rises for ever (xid8)."""
    return int(conn.exec_driver_sql("SELECT pg_current_xact_id()::text").scalar_one())
