"""`tellonce up`: everything on this machine, in one process group."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console
from sqlalchemy.exc import OperationalError

from services import embedded, ports, processes, upgrade
from services.access import Role
from services.commandline import demonstration, instances, parts
from services.commandline.access import address, link
from services.commandline.imports import progress
from services.commandline.opening import Instance
from services.database import engine
from services.embedded import Server
from services.eventlog.opening import ensure_topics
from services.importing import Tally, so_far
from services.processes import Child
from services.reservations import is_reserved
from services.settings import Settings
from services.tables import events
from services.timeline import migrate, sentences

JUST_STOPPED = 3.0  # seconds in which a run that was killed may still leave its ports
SLOW = 30.0  # seconds without readiness after which it says why


@dataclass(frozen=True)
class Everything:
    """What runs: the embedded PostgreSQL, if it is embedded, and the services."""

    server: Server | None
    children: Sequence[Child]
    data: Path

    def tend(self) -> None:
        """Start again what has ended, and wait a little. Raises Restoring."""
        if self.server and is_reserved(self.data):
            raise Restoring
        for child in self.children:
            child.tend(errors.print)
        time.sleep(processes.BEAT)


class Restoring(Exception):
    """Somebody wants to put other data in the place of these."""


app = typer.Typer()
plain = partial(Console, highlight=False, soft_wrap=True, markup=False, emoji=False)
out, errors = plain(), plain(stderr=True)


@app.command(epilog="Examples:  tellonce up    tellonce up --data .data --api-port 9080 --ingest-port 9081 --no-demo")
def up(
    context: typer.Context,
    api_port: Annotated[int | None, typer.Option(help="Port of the API and the pages; 8080.")] = None,
    ingest_port: Annotated[int | None, typer.Option(help="Port of the ingest service; 8081.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")] = None,
    demo: Annotated[bool, typer.Option("--demo/--no-demo", help="Fill an empty database with demo data.")] = True,
) -> None:
    """Run everything: PostgreSQL (unless --database names one), ingest, timeline worker, analyser and API.

    Ready when GET /readyz on both ports answers 200. Ctrl-C stops it; the data stay in the data folder.
    """
    given = {"api_port": api_port, "ingest_port": ingest_port, "host": host}
    settings = _complete(context.obj, {name: value for name, value in given.items() if value is not None})
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    while True:
        try:
            _run(settings, demo)
        except OperationalError:
            if settings.database:
                raise
            errors.print("PostgreSQL has ended; everything starts again.")
        except Restoring:
            errors.print("A restore has begun; everything starts again after it.")
            while is_reserved(_data(settings)):
                time.sleep(processes.BEAT)


def _complete(settings: Settings, given: dict[str, object]) -> Settings:
    """The settings with what was given on the command line, and ports that are free.

    Raises Conflict, and Unavailable where a sentence model is asked for that is not installed.
    """
    settings = settings.model_copy(update=given)
    ports.check(settings.host, settings.api_port, "--api-port", JUST_STOPPED)
    ports.check(settings.host, settings.ingest_port, "--ingest-port", JUST_STOPPED)
    if settings.embeddings:
        sentences.name()
    more: dict[str, object] = {"data": settings.data or instances.default_data()}
    for name in {"timeline_port", "analyse_port"} - settings.model_fields_set:  # only looked at by who sets them
        more[name] = ports.free(settings.host, getattr(settings, name))
    return settings.model_copy(update=more)


def _data(settings: Settings) -> Path:
    """Its data folder, which complete settings have."""
    assert settings.data
    return settings.data


def _end(number: int, frame: FrameType | None) -> None:
    """Unwind, once: who presses Ctrl-C again shall not leave anything half stopped."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    errors.print("Stopping.")
    sys.exit(0)


def _run(settings: Settings, with_demo: bool) -> None:
    """Run everything for ever. Raises Restoring, and OperationalError when the database goes away at the start."""
    with _database(settings) as (url, server):
        errors.print("Bringing tables and topics up to date.")
        if server:
            upgrade.with_copy(url, _data(settings), errors.print)
        else:
            migrate.upgrade(url)
        ensure_topics(settings, url)
        here = Instance(settings.model_copy(update={"database": url}), url)
        with progress("Demo data") as bar:
            has_demo = with_demo and demonstration.load(here, bar)
        with instances.announced(here.settings), _children(here.settings) as children:
            if server:
                name = f"PostgreSQL (its log is {_data(settings) / 'postgres.log'})"
                children = [Child(name, server.revive, server.process), *children]
            everything = Everything(server, children, _data(settings))
            _wait_until_ready(here.settings, everything)
            if has_demo:
                _wait_until_stitched(here, everything)
            _welcome(here, has_demo)
            while True:
                everything.tend()


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[str, Server | None]]:
    if settings.database:
        yield settings.database, None
        return
    errors.print(f"Starting PostgreSQL in {settings.data}.")
    with embedded.start(_data(settings)) as server:
        yield server.url, server


@contextmanager
def _children(settings: Settings) -> Iterator[list[Child]]:
    environment = {"TELLONCE_LOG_LEVEL": "warning"} | os.environ | settings.environment()
    errors.print("Starting the services.")
    with TemporaryDirectory(prefix="tellonce-") as folder:
        children = [Child(part, parts.start(part, environment)) for part in ("timeline", "analyse", "api")]
        children += parts.ingesting(settings, environment, Path(folder))
        if settings.smtp_port or settings.lmtp_port:
            children.append(Child("mail", parts.start("mail listen", environment)))
        try:
            yield children
        finally:
            processes.stop(children)


def _wait_until_ready(settings: Settings, everything: Everything) -> None:
    started = time.monotonic()
    waiting = {settings.ingest_port: "ingest", settings.api_port: "api"}
    while waiting:
        said = {port: ports.readiness(settings.host, port) for port in waiting}
        if time.monotonic() - started > SLOW:
            for port, (_, words) in said.items():
                errors.print(f"{waiting[port]} is not ready yet: {words}")
            started = time.monotonic()
        waiting = {port: part for port, part in waiting.items() if not said[port][0]}
        everything.tend()


def _wait_until_stitched(here: Instance, everything: Everything) -> None:
    """So that the first look at a page finds the demo data whole."""
    count = sa.select(sa.func.count()).select_from(events)
    store = engine(here.url, pool_size=1)
    with progress("Stitching") as bar, store.connect() as conn:
        total = (so_far(conn, demonstration.NAME) or Tally()).done
        task = bar.add_task("", total=total)
        while (stitched := conn.scalars(count).one()) < total:
            conn.rollback()
            bar.update(task, completed=stitched)
            everything.tend()
    store.dispose()


def _welcome(here: Instance, has_demo: bool) -> None:
    """The addresses, and what is needed to look at them."""
    settings, data = here.settings, _data(here.settings)
    keys: tuple[str | None, str | None] = (None, None)
    store = engine(here.url, pool_size=1)
    with store.begin() as conn:
        if has_demo:
            keys = demonstration.keys(conn, data)
        sign_in = link(conn, settings, demonstration.NAME if has_demo else "operator", Role.admin)
    store.dispose()
    post = f"http://{ports.reachable(settings.host)}:{settings.ingest_port}/v1/events"
    lines = {
        "Sign in, once": sign_in,
        "Pages": f"{address(settings)}/",
        "API": f"{address(settings)}/docs",
        "  its key": keys[1] or "make one: tellonce keys add NAME --role agent",
        "Post events": post,
        "  their key": keys[0] or "make one: tellonce sources add NAME",
        "Data": "in the given database" if settings.database != embedded.running(data) else str(data),
    }
    out.print("\ntellonce is running. Ctrl-C stops it.\n")
    for name, value in lines.items():
        out.print(f"  {name:15}{value}")
    out.print()
