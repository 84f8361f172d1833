"""`tellonce ingest | timeline | analyse | api | migrate`: one part of it, in the foreground."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Flag
from typing import Annotated, NoReturn

import typer
from fastapi import FastAPI

from services import ports, processes
from services.commandline.opening import located
from services.eventlog import Swift
from services.eventlog.opening import ensure_topics, open_appender, open_swift
from services.processes import Child, Start
from services.server import NONE, Server
from services.settings import Settings
from services.shortcut import Take
from services.timeline import migrate as migrations

MOST_POSTS = 500  # at once in all: what is answered within a second; who comes upon them is told to come again

app = typer.Typer()


def _attach(attached: bool) -> None:
    if attached:
        processes.end_with_parent()


Attached = Annotated[bool, typer.Option("--attached", hidden=True, callback=_attach, help="End with standard input.")]
Place = Annotated[Path | None, typer.Option("--place", hidden=True, help="Its own among several on the port.")]
Gate = Annotated[Path | None, typer.Option("--gate", hidden=True, help="Socket of the one that appends for all.")]


@app.command(epilog="Example:  tellonce ingest --database postgresql://… --log kafka://broker:9092")
def ingest(context: typer.Context, attached: Attached = False, place: Place = None, gate: Gate = None) -> None:
    """Run the ingest service: channel systems post events to it."""
    settings: Settings = context.obj
    if place is None and settings.ingest_processes > 1:
        _several(settings)
    from services.ingest.app import create_app  # each service loads but itself
    from services.ingest.carrier import Carrier

    processes.give_way()
    _on_end(sys.exit)
    count = settings.ingest_processes if place else 1
    settings = settings.model_copy(update={"byte_budget": settings.byte_budget // count})
    with ExitStack() as stack:
        here = stack.enter_context(located(settings))
        log = Carrier(gate, settings.append_timeout) if gate else open_appender(here.settings, here.url)
        application = create_app(here.settings, here.url, stack.enter_context(closing(log)), place)
        port = here.settings.ingest_port
        most, ways = MOST_POSTS // count, application.shortcuts
        _serve(application, here.settings, port, "TELLONCE_INGEST_PORT", most, ways, shared=bool(place))


@app.command(hidden=True)
def append(context: typer.Context, gate: Gate, place: Place, attached: Attached = False) -> None:
    """Append to the log for all processes of the ingest service, which starts it."""
    assert gate
    processes.give_way()
    _on_end(sys.exit)
    with located(context.obj) as here, closing(open_swift(here.settings)) as appender:
        processes.collect_rarely()
        asyncio.run(_append(here.settings, appender, gate, place))


@app.command(epilog="Example:  tellonce api --database postgresql://… --log kafka://broker:9092")
def api(context: typer.Context, attached: Attached = False) -> None:
    """Run the API service: briefs, timelines and the agents' pages."""
    from services.api.app import create_app

    _on_end(sys.exit)
    with located(context.obj) as here, closing(open_appender(here.settings, here.url)) as appender:
        application = create_app(here.settings, here.url, appender)
        _serve(application, here.settings, here.settings.api_port, "TELLONCE_API_PORT")


@app.command(epilog="Example:  tellonce timeline --database postgresql://… --log kafka://broker:9092")
def timeline(context: typer.Context, attached: Attached = False) -> None:
    """Run a timeline worker: it stitches events into timelines. As many as there are partitions share the work."""
    from services.timeline import worker

    processes.give_way()
    stop = Flag()
    _on_end(stop.set)
    with located(context.obj) as here:
        processes.collect_rarely()
        worker.run(here.settings, here.url, stop)


@app.command(epilog="Example:  tellonce analyse --database postgresql://…")
def analyse(context: typer.Context, attached: Attached = False) -> None:
    """Keep issues, what is told again and the figures up to date. Several share the work; none stitches."""
    from services.timeline import analyser

    processes.give_way(processes.PATIENCE)
    stop = Flag()
    _on_end(stop.set)
    with located(context.obj) as here:
        processes.collect_rarely()
        analyser.run(here.settings, here.url, stop)


@app.command(epilog="Example:  tellonce migrate --database postgresql://…")
def migrate(context: typer.Context) -> None:
    """Bring the database's tables and the log's topics up to this version; again does nothing."""
    with located(context.obj) as here:
        migrations.upgrade(here.url)
        ensure_topics(here.settings, here.url)
    typer.echo("Tables and topics are up to date.", err=True)


def start(part: str, environment: Mapping[str, str], *words: str) -> Start:
    """Starts a part that ends with this process."""
    return processes.command([sys.executable, "-m", "services", *part.split(), "--attached", *words], environment)


def ingesting(settings: Settings, environment: Mapping[str, str], folder: Path) -> list[Child]:
    """The processes of the ingest service, started; several meet in the folder. To Kafka one of them appends for
    all, see `services/ingest/gate.py`; one that is alone has nobody to share appends with."""
    count = settings.ingest_processes
    if count == 1:
        return [Child("ingest", start("ingest", environment))]
    places, gate = folder / "places", ["--gate", str(folder / "gate")] if settings.is_kafka else []
    places.mkdir()
    children = [
        Child("ingest", start("ingest", environment, "--place", str(places / str(number)), *gate))
        for number in range(count)
    ]
    if gate:
        words = ("--place", str(places / "appender"), *gate)
        children.append(Child("ingest's appender", start("append", environment, *words)))
    return children


def _several(settings: Settings) -> NoReturn:
    """Run several processes of the ingest service until this one is to end."""
    ports.check(settings.host, settings.ingest_port, "TELLONCE_INGEST_PORT")
    _on_end(sys.exit)
    with located(settings) as here, TemporaryDirectory(prefix="tellonce-") as folder:
        told = here.settings.model_copy(update={"database": here.url})
        children = ingesting(settings, os.environ | told.environment(), Path(folder))
        try:
            processes.watch(children, lambda words: typer.echo(words, err=True))
        finally:
            processes.stop(children)


async def _append(settings: Settings, appender: Swift, listen: Path, place: Path | None) -> None:
    from services.ingest.gate import Gate

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    _on_end(lambda: loop.call_soon_threadsafe(stop.set))
    await Gate(appender, settings.byte_budget, settings.append_timeout).serve(listen, place, stop)


def _serve(
    application: FastAPI,
    settings: Settings,
    port: int,
    variable: str,
    requests: int | None = None,
    shortcuts: Mapping[bytes, Take] = NONE,
    shared: bool = False,
) -> None:
    if not shared:
        ports.check(settings.host, port, variable)
    server = Server(application, settings.host, port, settings.request_timeout, requests, shortcuts)

    def stop() -> None:
        server.should_exit = True

    _on_end(stop)
    processes.collect_rarely()
    server.run([ports.shared(settings.host, port)] if shared else None)


def _on_end(act: Callable[[], object]) -> None:
    """Do this on SIGTERM, and on Ctrl-C unless it is to be ignored, as in a part of `up`."""
    signal.signal(signal.SIGTERM, lambda *_: act())
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: act())
