"""A database with something of everything, and all that is in it."""

import pytest
import sqlalchemy as sa

from services import access, database, tables
from services.access import Role
from services.eventlog.opening import ensure_topics
from services.settings import Settings
from services.timeline.stitch import stitch
from tests.builders import event
from tests.content import content

SETTINGS = Settings()
COUNTED = {"tx", "generation"}  # columns that a restore counts anew


@pytest.fixture
def full_url(database_url: str) -> str:
    """A database with something of everything."""
    ensure_topics(SETTINGS, database_url)
    happen(database_url, *(f"e{number}" for number in range(20)))
    store = database.engine(database_url)
    with store.begin() as conn:
        access.add_source(conn, "shop", "events")
        access.add_key(conn, "mari", Role.agent)
    store.dispose()
    return database_url


def happen(url: str, *ids: str) -> None:
    store = database.engine(url)
    with store.begin() as conn:
        secret = conn.scalars(sa.select(tables.deployment.c.secret)).one()
        happened = [event("email:mari@example.com", f"device:{id}", id=id) for id in ids]
        stitch(conn, happened, SETTINGS.rules(), bytes(secret))
    store.dispose()


def everything(url: str) -> dict[str, object]:
    """What readers see, and each table row by row but what every start writes to."""
    store = database.engine(url)
    found: dict[str, object] = dict(content(store))
    with store.connect() as conn:
        for table in tables.metadata.tables.keys() - {"log_readers"}:
            columns = [f'"{column.name}"' for column in tables.metadata.tables[table].c if column.name not in COUNTED]
            query = f"SELECT {', '.join(columns)} FROM {table}"
            found[table] = sorted(map(repr, conn.exec_driver_sql(query)))
    store.dispose()
    return found
