"""Brings the database's tables up to this version, one migrator at a time."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from services.database import engine

LOCK = 7_355_600  # any number, but the same everywhere


def config(conn: sa.Connection | None = None) -> Config:
    """Alembic's settings, on the given connection."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.attributes["connection"] = conn
    return settings


def upgrade(url: str) -> None:
    """Apply the migrations that are missing. Waits for another migrator; gives up on a table lock after 10 s."""
    with engine(url).connect() as conn:
        conn.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        conn.execute(sa.text("SET lock_timeout = '10s'; SET statement_timeout = '10min'"))
        conn.commit()
        try:
            command.upgrade(config(conn), "head")
            conn.commit()
        finally:
            conn.rollback()
            conn.execute(sa.text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
            conn.invalidate()  # takes the time-outs with it


def is_current(conn: sa.Connection) -> bool:
    """Whether the tables are those of this version."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    return MigrationContext.configure(conn).get_current_revision() == head
