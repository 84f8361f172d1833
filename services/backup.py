"""A database in one file and back: by PostgreSQL's own `pg_dump` and `pg_restore`, while everything goes on.

A backup holds all that is known at one moment: timelines, identities and decisions, who may do what and who read what,
the event log where it is in PostgreSQL, and the positions up to which a Kafka log was stitched. So whoever works on
after a restore reads on from there.
"""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile, mkstemp
from typing import IO, Any

import sqlalchemy as sa

from services import programs
from services.errors import Conflict, Invalid, Unavailable
from services.timeline import migrate

Tell = Callable[[int], object]  # how many bytes are done

NAME = "tellonce backup"  # of our sessions
CHUNK = 1 << 20
JUST_STOPPED = 5.0  # seconds until the server has noticed that a client is gone
# Tables that say nothing of customers, or that every start writes to.
ALWAYS = {"alembic_version", "deployment", "log_heads", "log_readers", "positions", "sign_ins"}
NEWEST_HEADER = b"SET transaction_timeout"  # unknown to servers before 17, whatever they are to restore

# Tables of a newer version go as well, or the next upgrade would find them there.
BEGIN = """
BEGIN; SET LOCAL lock_timeout = '10s';
DROP SCHEMA IF EXISTS rebuild CASCADE;
DO $$DECLARE one text; BEGIN
    FOR one IN SELECT format('public.%I', tablename) FROM pg_tables WHERE schemaname = 'public'
    LOOP EXECUTE 'DROP TABLE IF EXISTS ' || one || ' CASCADE'; END LOOP;
END$$;
"""
# Transactions are counted anew by another server, and what was stitched there must not come after what is to come.
COUNTED = """
CREATE FUNCTION public.counted() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN NEW.tx := least(NEW.tx, pg_current_xact_id()::text::bigint); RETURN NEW; END$$;
CREATE TRIGGER counted BEFORE INSERT ON public.events FOR EACH ROW EXECUTE FUNCTION public.counted();
CREATE TRIGGER counted BEFORE INSERT ON public.interactions FOR EACH ROW EXECUTE FUNCTION public.counted();
"""
UNCOUNTED = "DROP FUNCTION public.counted() CASCADE;\n"
# Whoever claimed a partition before, and was cut off meanwhile, must not write on.
END = """
UPDATE public.positions SET generation = greatest(generation, {generation}) + 1;
DELETE FROM public.log_readers;
COMMIT;
ANALYZE;
"""


def backup(
    url: str, file: Path, force: bool = False, tell: Tell = lambda done: None,
    versions: Sequence[Path] = migrate.VERSIONS,
) -> None:  # fmt: skip
    """Write the database as it is at this moment to a file that its owner alone can read, whole or not at all.

    Nobody is kept waiting but migrations. Raises Conflict for a file that is there already (unless `force`) and for
    tables that this program doesn't know, Unavailable when it fails.
    """
    _check_place(file, force)
    with migrate.connected(url) as conn, migrate.alone(conn, shared=True):
        migrate.check_known(conn, versions)
        tools = programs.clients(_major(conn), _encrypted(url))
        conn.rollback()
        _dump(url, file, tell, tools)


def _check_place(file: Path, force: bool) -> None:
    if file.exists() and not force:
        raise Conflict(f"{file} is there already.", code="file_exists", hint="Choose another name, or say --force.")
    if not file.parent.is_dir():
        raise Unavailable(f"There is no folder {file.parent}.", code="backup_failed", hint="Make it, or name another.")


def _dump(url: str, file: Path, tell: Tell, tools: Path) -> None:
    # Of a table that other programs have beside ours nothing is known, and it is kept as well.
    words = ["--format=custom", "--no-owner", "--no-privileges", "--exclude-schema=rebuild", "--lock-wait-timeout=60s"]
    with _unfinished(file) as scratch:
        with _running([tools / "pg_dump", *words, f"--file={scratch}"], url) as (process, errors):
            while process.poll() is None:
                tell(scratch.stat().st_size)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            _check(process, errors, "The backup")
        tell(scratch.stat().st_size)


@contextmanager
def _unfinished(file: Path) -> Iterator[Path]:
    """A private file beside a place, which takes it when all went well. Raises Unavailable."""
    try:
        descriptor, scratch = mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
        os.close(descriptor)
        try:
            yield Path(scratch)
            os.rename(scratch, file)
        finally:
            Path(scratch).unlink(missing_ok=True)
    except OSError as error:
        why = f"The backup {file} can't be written: {error.strerror}."
        raise Unavailable(why, code="backup_failed", hint="Choose another place.") from error


def check(file: Path) -> None:
    """Raise Invalid for a file that is no backup, Conflict for one of a newer version, Unavailable for none at all."""
    if not os.access(file, os.R_OK):
        raise Unavailable(f"There is no file {file} that can be read.", code="no_backup", hint="Check its name.")
    pg_restore = str(programs.clients() / "pg_restore")
    words = [pg_restore, "--format=custom", "--data-only", "--table=alembic_version", "--file=-", str(file.absolute())]
    read = subprocess.run(words, capture_output=True, text=True, errors="replace")
    found = re.search(r"^COPY public\.alembic_version .*\n(\w+)$", read.stdout, re.MULTILINE)
    if not found:
        why = read.stderr.strip().rpartition("error: ")[2] or "it holds no tables of tellonce"
        raise Invalid(f"{file} is no backup: {why}.", code="no_backup", hint="Name one made by `tellonce backup`.")
    if not migrate.is_known(found[1]):
        raise Conflict(
            f"{file} was made by a newer tellonce: its tables are of version {found[1]}.",
            code="newer_backup",
            hint="Restore it by that version, or a newer one.",
        )


def restore(url: str, file: Path, force: bool = False, tell: Tell = lambda done: None) -> None:
    """Put a backup in the place of what the database holds, all or nothing, and bring it up to this version.

    Nobody else may work on the database meanwhile. `force`: also where it holds something, which is gone then.
    Raises Conflict where it holds something or is worked on, Unavailable when it fails, and as `check` does.
    """
    check(file)
    with migrate.connected(url) as conn, migrate.alone(conn):
        check_idle(conn)
        check_empty(conn, force)
        generation = _generation(conn)
        conn.rollback()  # which lets go of the tables
        _pour(url, file, generation, tell)
    migrate.upgrade(url)


def check_empty(conn: sa.Connection, force: bool = False) -> None:
    """Raise Conflict for a database that holds anything somebody would miss, unless forced."""
    if not force and holds_anything(conn):
        raise Conflict(
            "The database holds data already, which a restore would replace.",
            code="not_empty",
            hint="Restore into an empty place, or say --force to lose what is there; `tellonce backup` keeps it.",
        )


def holds_anything(conn: sa.Connection) -> bool:
    """Whether there is anything that somebody would miss."""
    there = set(sa.inspect(conn).get_table_names()) - ALWAYS
    rows = [sa.exists(sa.select(sa.literal(1)).select_from(sa.table(name))) for name in sorted(there)]
    return any(conn.scalar(sa.select(some)) for some in rows)


def check_idle(conn: sa.Connection) -> None:
    """Raise Conflict while services work on the database: they remember what a restore takes away."""
    deadline = time.monotonic() + JUST_STOPPED
    while _others(conn):
        if time.monotonic() > deadline:
            raise Conflict(
                "A tellonce is working on this database.",
                code="in_use",
                hint="Stop ingest, timeline and api, restore, and start them again; senders try again.",
            )
        time.sleep(0.1)


def _others(conn: sa.Connection) -> int:
    """How many connections of services there are."""
    query = sa.text("""
        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND application_name LIKE 'tellonce%'""")
    count: int = conn.execute(query).scalar_one()
    conn.rollback()  # a transaction sees but one moment of it
    return count


def _major(conn: sa.Connection) -> int:
    """Of the server."""
    return int(conn.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000


def _encrypted(url: str) -> bool:
    """Whether the connection must be by TLS."""
    return sa.make_url(url).query.get("sslmode") in ("require", "verify-ca", "verify-full")


def _generation(conn: sa.Connection) -> int:
    """The highest claim of a partition so far."""
    if not sa.inspect(conn).has_table("positions"):
        return 0
    return int(conn.exec_driver_sql("SELECT coalesce(max(generation), 0) FROM positions").scalar_one())


def _pour(url: str, file: Path, generation: int, tell: Tell) -> None:
    """One transaction: what is there goes, what is in the file comes."""
    tools = programs.clients(encrypted=_encrypted(url))
    psql = [tools / "psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"]
    before = {"pre-data": BEGIN, "data": COUNTED, "post-data": UNCOUNTED}
    done = 0
    with _running(psql, url, stdin=subprocess.PIPE) as (process, errors):
        assert process.stdin
        try:
            for section, words in before.items():
                process.stdin.write(words.encode())
                for chunk in _section(tools, file, section):
                    process.stdin.write(chunk)
                    done += len(chunk)
                    tell(done)
            process.stdin.write(END.format(generation=generation).encode())
            process.stdin.close()
        except BrokenPipeError:  # it says why
            with suppress(BrokenPipeError):
                process.stdin.close()
        process.wait()
        _check(process, errors, "The restore")


def _section(tools: Path, file: Path, section: str) -> Iterator[bytes]:
    """The SQL of a part of the backup, in pieces. Raises Unavailable when it can't be read whole."""
    words = [tools / "pg_restore", "--format=custom", "--no-owner", "--no-privileges", f"--section={section}"]
    words += ["--file=-", file.absolute()]
    with _running(words, stdout=subprocess.PIPE) as (process, errors):
        assert process.stdout
        for line in process.stdout:
            if not line.startswith(NEWEST_HEADER):
                yield line
            if line.startswith(b"SET row_security"):  # the last of the header
                break
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        process.wait()
        _check(process, errors, f"Reading {file}")


@contextmanager
def _running(
    words: list[Any], url: str | None = None, **pipes: Any
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """A program with the database and its password in the environment; killed unless it ends before the block."""
    environment = {**os.environ, "PGAPPNAME": NAME, "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C"}
    if url:
        place = sa.make_url(url).set(drivername="postgresql")
        words = [*words, f"--dbname={place._replace(password=None).render_as_string()}"]
        environment |= {"PGPASSWORD": str(place.password)} if place.password else {}
    with TemporaryFile() as errors:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **pipes}
        process = subprocess.Popen(words, stderr=errors, env=environment, **streams)
        try:
            yield process, errors
        finally:
            process.kill()
            process.wait()


def _check(process: subprocess.Popen[bytes], errors: IO[bytes], what: str) -> None:
    if process.returncode:
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines()
        why = next((line for line in said if re.search("error: |ERROR: |FATAL: ", line)), "".join(said[-1:]))
        raise Unavailable(f"{what} has failed: {why}.", code="backup_failed", hint="Nothing was changed.")
