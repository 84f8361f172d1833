"""What presses on the database: its size, its connections, and the oldest transaction that writes."""

from dataclasses import dataclass

import sqlalchemy as sa

# Live streams and vacuum wait for the oldest transaction that has a number, in whatever database of the server.
# Whose session it is and since when is told to its own role, and to members of pg_read_all_stats.
LOOK = sa.text("""
    SELECT pg_database_size(current_database()) AS size,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' OR backend_type IS NULL) AS used,
    (SELECT sum(CASE name WHEN 'max_connections' THEN setting::int ELSE -setting::int END) FROM pg_settings
     WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')) AS "limit",
    oldest.seconds, oldest.pid, oldest.words
    FROM (SELECT 1) one LEFT JOIN LATERAL (
        SELECT extract(epoch FROM clock_timestamp() - xact_start)::float AS seconds, pid,
            concat_ws(', ', nullif(application_name, ''), state) AS words
        FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
        UNION ALL
        SELECT extract(epoch FROM clock_timestamp() - prepared)::float, NULL, 'prepared transaction ' || gid
        FROM pg_prepared_xacts
        ORDER BY seconds DESC NULLS LAST LIMIT 1
    ) oldest ON true""")


@dataclass(frozen=True)
class Pressure:
    """`size`: bytes of the database; `connections` of `limit` that a plain role may have, in the whole server.

    `oldest`: seconds since the oldest writing transaction began, 0 without one, in the session `pid` (none: it was
    prepared); `session` says whose it is, and nothing of what it does.
    """

    size: int
    connections: int
    limit: int
    oldest: float = 0.0
    pid: int | None = None
    session: str = ""


def look(conn: sa.Connection) -> Pressure:
    """Ask; takes some milliseconds, however much there is."""
    row = conn.execute(LOOK).one()
    return Pressure(row.size, row.used, row.limit, row.seconds or 0.0, row.pid, row.words or "")
