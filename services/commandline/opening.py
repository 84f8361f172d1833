"""Which database a command works on: the one it is told, the one that is running, or the data folder's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import OperationalError

from services import embedded
from services.commandline import instances
from services.database import engine
from services.embedded import Server
from services.errors import Conflict, NotFound, Unavailable
from services.eventlog.opening import ensure_topics
from services.settings import Settings
from services.timeline import migrate

PATIENCE = 20  # seconds for one that is starting or stopping


class Instance(NamedTuple):
    """A tellonce as a command meets it: what it was told, and its database."""

    settings: Settings
    url: str


@contextmanager
def opened(settings: Settings) -> Iterator[Instance]:
    """An instance whose database answers and has its tables. Raises Problem otherwise."""
    with located(settings) as instance:
        check(instance.url)
        yield instance


@contextmanager
def located(settings: Settings) -> Iterator[Instance]:
    """The instance that is meant; an embedded PostgreSQL that does not run is started for the block."""
    if not settings.database:
        told = settings.model_dump(exclude_unset=True)
        settings = Settings.model_validate(instances.running(settings.data) | told)
    if settings.database:
        yield Instance(settings, settings.database)
        return
    folder = settings.data or instances.default_data()
    if not settings.data and not folder.exists():
        raise NotFound(
            f"There is no tellonce here yet: none is running, and there are no data in {folder}.",
            code="nothing_here",
            hint="Start it by `tellonce up`, or say where it is by --data or --database.",
        )
    with _embedded(folder, settings) as url:
        yield Instance(settings, url)


def check(url: str) -> None:
    """Raise Problem unless the database answers and has the tables of this version."""
    store = engine(url, pool_size=1)
    try:
        with store.connect() as conn:
            if migrate.is_current(conn):
                return
    except OperationalError as error:
        raise Unavailable(
            f"The database does not answer: {str(error.orig).splitlines()[0]}",
            code="database_away",
            hint="Check --database (TELLONCE_DATABASE), and that PostgreSQL runs.",
        ) from None
    finally:
        store.dispose()
    raise Conflict(
        "The database's tables are missing or of another version.",
        code="other_tables",
        hint="Run `tellonce migrate`.",
    )


@contextmanager
def _embedded(folder: Path, settings: Settings) -> Iterator[str]:
    url, started = _reached(folder)
    if started is None:
        yield url
        return
    with started:
        migrate.upgrade(url)
        ensure_topics(settings, url)
        yield url


def _reached(folder: Path) -> tuple[str, Server | None]:
    """The address of the folder's server, and the server if it had to be started."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if url := embedded.running(folder):
            return url, None
        try:
            server = embedded.start(folder)
            return server.url, server
        except Conflict:  # another one is starting or stopping
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
