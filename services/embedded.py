"""PostgreSQL on one machine without set-up: its programs come in a wheel, its data live in a private folder.

The folder holds `postgres/` (the data), `password` and `superuser` (0600), `postgres.log`, and `url` while it
runs. It listens on a Unix socket only. Two locks tell the truth where pid files lie: `owner.lock` is held by
whoever started the server, `server.lock` by every process of the server itself, so that a server which has
outlived its owner is seen and stopped.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from types import TracebackType
from typing import IO, Self

import psycopg
from psycopg import sql

from services import locks, machine, programs, secret
from services.errors import Conflict, Unavailable
from services.programs import Account

START_SECONDS = 300  # recovery of 4 GB of WAL takes most of a minute, on slow disks more
STOP_SECONDS = 60
ORPHAN_SECONDS = 5

# The built-in locale sorts and folds alike on every machine.
CLUSTER = ("--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
           "--locale-provider=builtin", "--builtin-locale=C.UTF-8")  # fmt: skip

BUFFERS = 128, 8192  # MB of pages that the server keeps at hand, at least and at most
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # The keys of events are random: while the ends of their indexes are at hand, an event costs the same in a store of
    # any size. So it does while checkpoints are rare: after each the log takes whole every page that is written.
    "shared_buffers": f"{min(max(machine.memory() // 8 // 2**20, BUFFERS[0]), BUFFERS[1])}MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements, and what an error says in detail, hold values of rows: what customers said.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# Runs the server, and stops it when standard input ends: when the owner is gone, however it went.
# Then its socket's folder goes too, which otherwise its owner needs to start it again.
# `exec 9<&0`, because a shell gives what it runs in the background an empty standard input.
GUARD = """
exec 9<&0
"$@" 9<&- & server=$!
{ while read -r _; do :; done; kill -INT $server; exit 0; } <&9 & watch=$!
wait $server; code=$?
exec 2>/dev/null
kill $watch
wait $watch && rmdir "$0"
exit $code
"""


@dataclass
class Server:
    """A running PostgreSQL: `url` of the application's role on the database `tellonce`, one for set-up."""

    url: str
    superuser_url: str
    process: subprocess.Popen[bytes]
    _run: Callable[[IO[bytes]], subprocess.Popen[bytes]] = field(repr=False)
    _folder: Path
    _lock: IO[bytes]
    _cleanup: ExitStack = field(repr=False, default_factory=ExitStack)

    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process.poll() is None

    def revive(self) -> subprocess.Popen[bytes]:
        """Start it again under the same addresses when it has ended by itself; does not wait until it answers.

        Raises Conflict when something of it still runs and does not end.
        """
        assert self.process.stdin
        self.process.stdin.close()
        self._lock.close()
        self._lock = _free_of_orphans(self._folder)
        self.process = self._run(self._lock)
        return self.process

    def stop(self) -> None:
        """Stop it (what is not committed is rolled back) and wait for the end; again does nothing."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(folder: Path, settings: Mapping[str, str] | None = None) -> Server:
    """Start the server of a folder, made when missing, and wait until it answers.

    `settings` go before SETTINGS. The server stops with `stop` or when this process ends. Raises Conflict
    when another process runs it, Unavailable when it does not start or the folder can't be used.
    """
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _started(folder, SETTINGS | dict(settings or {}))
    except OSError as error:
        raise Unavailable(
            f"The data folder {folder} can't be used: {error.strerror} ({error.filename}).",
            code="data_folder",
            hint="Choose another by --data, or run tellonce as the account that owns it.",
        ) from error


def _started(folder: Path, settings: Mapping[str, str]) -> Server:
    with ExitStack() as cleanup:
        cleanup.enter_context(_owned(folder))
        lock = cleanup.enter_context(_free_of_orphans(folder))
        _sweep(folder)
        account = programs.account()
        sockets = _socket_folder(account, cleanup)
        superuser_url = _url("postgres", secret.kept(folder / "superuser"), sockets)
        if not (folder / "postgres").exists():
            _initialise(folder, account, secret.kept(folder / "superuser"))
        account.check_owns(folder / "postgres")
        run = partial(_run, folder, account, sockets, settings)
        url = _url("tellonce", secret.kept(folder / "password"), sockets)
        server = Server(url, superuser_url, run(lock), run, folder, lock)
        cleanup.callback(lambda: server._lock.close())
        cleanup.callback(lambda: _stop(server.process))
        _wait_until_it_answers(superuser_url, server.process, folder)
        _make_role_and_database(superuser_url, secret.kept(folder / "password"))
        secret.write(folder / "url", url)
        cleanup.callback((folder / "url").unlink, missing_ok=True)
        server._cleanup = cleanup.pop_all()
        return server


def running(folder: Path) -> str | None:
    """The URL of a folder's server if it answers now."""
    try:
        url = (folder.expanduser().absolute() / "url").read_text()
    except FileNotFoundError:
        return None
    return url if _answers(url) else None


def _owned(folder: Path) -> IO[bytes]:
    lock = locks.take(folder / "owner.lock")
    if not lock:
        raise Conflict(
            f"Another tellonce is using the data folder {folder}.",
            code="data_in_use",
            hint="Stop that one, or choose another folder by --data.",
        )
    return lock


def _free_of_orphans(folder: Path) -> IO[bytes]:
    """The lock that the new server will hold. Who holds it now has lost its owner and is about to stop."""
    lock, pid = folder / "server.lock", folder / "postgres/postmaster.pid"
    free = locks.take(lock, ORPHAN_SECONDS)
    if not free:
        # The lock is held, hence the pid file is the living server's; its guard must have been killed too.
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(pid.read_text().split()[0]), signal.SIGINT)
        free = locks.take(lock, STOP_SECONDS)
    if not free:
        raise Conflict(
            f"A PostgreSQL of an earlier run is still using {folder} and does not stop.",
            code="data_in_use",
            hint="Look at postgres.log in that folder, and end its process.",
        )
    pid.unlink(missing_ok=True)  # after a crash it may name any other process by now
    return free


def _sweep(folder: Path) -> None:
    """Remove the socket folder of a run that could not do so itself."""
    url = folder / "url"
    if url.exists():
        shutil.rmtree(url.read_text().rpartition("?host=")[2], ignore_errors=True)
        url.unlink()


def _socket_folder(account: Account, cleanup: ExitStack) -> Path:
    """A private folder with a short name: a socket's path has at most 107 bytes (unix(7))."""
    folder = Path(mkdtemp(prefix="tellonce-", dir="/tmp"))
    cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    account.give(folder)
    return folder


def _initialise(folder: Path, account: Account, password: str) -> None:
    """Make the cluster beside its place and move it there when it is whole."""
    unfinished = folder / "postgres.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    account.give(unfinished)
    with NamedTemporaryFile("w", dir="/tmp") as secret, account.way_to(unfinished) as (way, descriptors):
        secret.write(password)
        secret.flush()
        account.give(Path(secret.name))
        initdb = str(programs.folder(account) / "initdb")
        command = [initdb, "-D", way, f"--pwfile={secret.name}", *CLUSTER]
        made = subprocess.run(command, capture_output=True, cwd="/", pass_fds=descriptors, **account.options)
    if made.returncode:
        reason = made.stderr.decode(errors="replace").strip()
        raise Unavailable(
            f"PostgreSQL's data could not be made in {folder}: {reason}",
            code="database_not_made",
            hint="Free some space or choose another folder by --data.",
        )
    unfinished.rename(folder / "postgres")


def _run(
    folder: Path, account: Account, sockets: Path, settings: Mapping[str, str], lock: IO[bytes]
) -> subprocess.Popen[bytes]:
    """The server, in a session of its own, so that Ctrl-C in a terminal stops its clients before it."""
    postgres = str(programs.folder(account) / "postgres")
    for left in sockets.iterdir():  # by one that was killed
        left.unlink()
    all_settings = {**settings, "unix_socket_directories": str(sockets)}
    flags = [word for name, value in all_settings.items() for word in ("-c", f"{name}={value}")]
    with account.way_to(folder / "postgres") as (way, descriptors), _log(folder) as log:
        return subprocess.Popen(
            ["sh", "-c", GUARD, str(sockets), postgres, "-D", way, *flags],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd="/", start_new_session=True,
            pass_fds=(lock.fileno(), *descriptors), **account.options,
        )  # fmt: skip


def _log(folder: Path) -> IO[bytes]:
    """Open to its owner alone: the first line of an error may still hold a value that was sent."""
    return open(folder / "postgres.log", "ab", opener=lambda path, flags: os.open(path, flags, 0o600))


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
        return
    os.killpg(process.pid, signal.SIGQUIT)
    process.wait()


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(url):
            return
        time.sleep(0.05)
    last = (folder / "postgres.log").read_text(errors="replace").strip().rpartition("\n")[2]
    raise Unavailable(
        f"PostgreSQL did not start: {last}",
        code="database_not_started",
        hint=f"See {folder / 'postgres.log'}.",
    )


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as conn:
            return conn.execute("SELECT 1").fetchone() is not None
    except psycopg.OperationalError:
        return False


def _make_role_and_database(superuser_url: str, password: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_roles WHERE rolname = 'tellonce'").fetchone():
            conn.execute(sql.SQL("CREATE ROLE tellonce LOGIN PASSWORD {}").format(password))
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'tellonce'").fetchone():
            conn.execute("CREATE DATABASE tellonce OWNER tellonce")


def _url(role: str, password: str, sockets: Path) -> str:
    return f"postgresql://{role}:{password}@/{role}?host={sockets}"
