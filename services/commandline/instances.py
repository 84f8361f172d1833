"""The tellonce that is running for this account, so that commands find it without being told where it is.

`tellonce up` leaves its settings in a file of the account's state folder and holds a lock on it while it lives.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from services import locks
from services.errors import Conflict
from services.settings import Settings


def default_data() -> Path:
    """The data folder when none is named (XDG Base Directory Specification)."""
    return _base("XDG_DATA_HOME", ".local/share")


@contextmanager
def announced(settings: Settings) -> Iterator[None]:
    """Others find these settings meanwhile."""
    folder = _base("XDG_STATE_HOME", ".local/state") / "running"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{uuid4()}.json"
    lock = locks.take(file)
    assert lock, "nobody else has a file of this name"
    with lock:
        lock.write(settings.model_dump_json(exclude_unset=True).encode())
        lock.flush()
        yield
        file.unlink(missing_ok=True)


def running(data: Path | None = None) -> dict[str, object]:
    """What the running one was told, if one runs, on that data folder if one is named; else nothing.

    Raises Conflict when there are several to choose from.
    """
    files = (_base("XDG_STATE_HOME", ".local/state") / "running").glob("*.json")
    living = [json.loads(file.read_text()) for file in files if _is_alive(file)]
    found: list[dict[str, object]] = [one for one in living if data is None or str(data) == one.get("data")]
    if len(found) > 1:
        raise Conflict(
            f"Several are running, with their data in {', '.join(str(one.get('data')) for one in found)}.",
            code="several_running",
            hint="Say which by --data, or name a database by --database.",
        )
    return found[0] if found else {}


def _is_alive(file: Path) -> bool:
    """Whether the process that wrote it lives; else the file goes too."""
    lock = locks.take(file)
    if lock is None:
        return True
    with lock:
        file.unlink(missing_ok=True)
    return False


def _base(variable: str, usual: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / usual) / "tellonce"
