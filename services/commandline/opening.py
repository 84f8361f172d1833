"""Which database a command works on: the one it is told, the one that is running, or the data folder's."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy.exc import OperationalError

from services import embedded, upgrade
from services.backup import check_empty
from services.commandline import instances
from services.database import engine
from services.embedded import Server
from services.errors import Conflict, NotFound, Unavailable
from services.eventlog.opening import ensure_topics
from services.reservations import reserved
from services.settings import Settings
from services.timeline import migrate

PATIENCE = 20  # seconds for one that is starting or stopping
ROOM = 90  # seconds for one that runs to stop


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
def located(settings: Settings, upgraded: bool = True) -> Iterator[Instance]:
    """The instance that is meant; an embedded PostgreSQL that does not run is started for the block.

    `upgraded`: and its tables are brought up to date.
    """
    settings = _told(settings)
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
    with _embedded(folder, settings, upgraded) as url:
        yield Instance(settings, url)


@contextmanager
def emptied(settings: Settings, force: bool) -> Iterator[str]:
    """A database that is to be replaced, which nobody else works on; where it is the folder's, `up` makes room.

    Raises Conflict when it holds something, unless forced, or is not let go.
    """
    running = _told(settings)
    folder = running.data or instances.default_data()
    there = embedded.running(folder)
    if running.database and running.database != there:
        yield running.database
        return
    if there:
        with migrate.connected(there) as conn:
            check_empty(conn, force)
    with reserved(folder), _started(folder) as server:
        yield server.url


def _told(settings: Settings) -> Settings:
    """The settings, and where they name no database those of who runs."""
    if settings.database:
        return settings
    return Settings.model_validate(instances.running(settings.data) | settings.model_dump(exclude_unset=True))


def check(url: str) -> None:
    """Raise Problem unless the database answers and has the tables of this version."""
    store = engine(url, pool_size=1)
    try:
        with store.connect() as conn:
            if migrate.is_current(conn):
                return
    except OperationalError as error:
        why = str(error.orig).splitlines()[0].strip(" .")
        raise Unavailable(
            f"The database does not answer: {why}.",
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
def _embedded(folder: Path, settings: Settings, upgraded: bool) -> Iterator[str]:
    found = _reached(folder)
    if isinstance(found, str):
        yield found
        return
    with found as server:
        if upgraded:
            upgrade.with_copy(server.url, folder, lambda words: print(words, file=sys.stderr))
            ensure_topics(settings, server.url)
        yield server.url


def _reached(folder: Path) -> str | Server:
    """The address of the folder's server that runs, or one that had to be started."""
    deadline = time.monotonic() + PATIENCE
    while True:
        if url := embedded.running(folder):
            return url
        try:
            return embedded.start(folder)
        except Conflict:  # another one is starting or stopping
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _started(folder: Path) -> Server:
    """A server of our own, once whoever has the folder lets go of it. Raises Conflict if nobody does."""
    deadline = time.monotonic() + ROOM
    while True:
        try:
            return embedded.start(folder)
        except Conflict:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
