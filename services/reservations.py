"""A data folder reserved for one that must have it alone: whoever runs it makes room, and comes back afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services import locks
from services.errors import Conflict

NAME = "restore.lock"
LOOK_SECONDS = 5  # in which a look of somebody else's is over


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Whoever runs the folder's server stops it soon, and starts it again only after the block. Raises Conflict."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = locks.take(folder / NAME, LOOK_SECONDS)
    if not lock:
        raise Conflict(f"Another restore is going on in {folder}.", code="data_in_use", hint="Wait until it is over.")
    with lock:
        yield


def is_reserved(folder: Path) -> bool:
    """Whether somebody else wants to have the folder alone."""
    return locks.held(folder / NAME)
