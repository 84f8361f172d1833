"""Brings the embedded database up to this version, and keeps a copy of what was before."""

from collections.abc import Callable, Sequence
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from services.backup import backup, holds_anything
from services.errors import Unavailable
from services.timeline import migrate

KEPT = 3  # copies

Say = Callable[[str], object]


def with_copy(url: str, data: Path, say: Say, versions: Sequence[Path] = migrate.VERSIONS) -> None:
    """Migrate the database of a data folder, after a copy into its folder `backups/` where there is something to lose.

    Raises Conflict for a database of a newer version, Unavailable when it fails; then nothing is lost, and the tables
    are those of before or of a version between (`migrate.upgrade`).
    """
    with migrate.connected(url) as conn:
        migrate.check_known(conn, versions)
        is_old = migrate.revision(conn) not in (None, migrate.head(versions))
        to_keep = is_old and holds_anything(conn)
    if not to_keep:
        migrate.upgrade(url, versions)
        return
    copy = _copied(url, data / "backups", say, versions)
    say("Bringing the tables up to date.")
    try:
        migrate.upgrade(url, versions)
    except (SQLAlchemyError, CommandError) as error:
        raise Unavailable(
            f"The tables could not be brought up to date: {str(error).splitlines()[0]}. Nothing is lost.",
            code="not_upgraded",
            hint="Go on with the version of tellonce you had. Should it find the tables too new, or data be missing: "
            f"tellonce restore {copy} --force",
        ) from error


def _copied(url: str, folder: Path, say: Say, versions: Sequence[Path]) -> Path:
    """The copy; only the newest few are kept."""
    folder.mkdir(mode=0o700, exist_ok=True)
    copy = folder / f"before-{migrate.head(versions)}.backup"  # one for a step, however often it is tried
    say(f"This version brings other tables. Before that, a copy goes to {copy}.")
    backup(url, copy, force=True, versions=versions)
    copies = sorted(folder.glob("before-*.backup"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in copies[KEPT:]:
        old.unlink()
    return copy
