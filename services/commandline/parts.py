"""`tellonce ingest | timeline | api | migrate`: one part of it, in the foreground."""

import signal
import sys
from contextlib import closing
from threading import Event as Flag
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI

from services import processes
from services.api.app import create_app as create_api
from services.commandline.opening import located
from services.eventlog.opening import ensure_topics, open_appender
from services.ingest.app import create_app as create_ingest
from services.timeline import migrate as migrations
from services.timeline import worker

STOP_SECONDS = 5  # for streams that are open when it is stopped

app = typer.Typer()
Attached = Annotated[bool, typer.Option("--attached", hidden=True, help="End when standard input ends.")]


@app.command(epilog="Example:  tellonce ingest --database postgresql://… --log kafka://broker:9092")
def ingest(context: typer.Context, attached: Attached = False) -> None:
    """Run the ingest service: channel systems post events to it."""
    _end_in_order(attached)
    with located(context.obj) as here, closing(open_appender(here.settings, here.url)) as appender:
        _serve(create_ingest(here.settings, here.url, appender), here.settings.host, here.settings.ingest_port)


@app.command(epilog="Example:  tellonce api --database postgresql://… --log kafka://broker:9092")
def api(context: typer.Context, attached: Attached = False) -> None:
    """Run the API service: briefs, timelines and the agents' pages."""
    _end_in_order(attached)
    with located(context.obj) as here, closing(open_appender(here.settings, here.url)) as appender:
        _serve(create_api(here.settings, here.url, appender), here.settings.host, here.settings.api_port)


@app.command(epilog="Example:  tellonce timeline --database postgresql://… --log kafka://broker:9092")
def timeline(context: typer.Context, attached: Attached = False) -> None:
    """Run a timeline worker: it stitches events into timelines. As many as there are partitions share the work."""
    stop = Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if attached:
        processes.end_with_parent()
    with located(context.obj) as here:
        worker.run(here.settings, here.url, stop)


@app.command(epilog="Example:  tellonce migrate --database postgresql://…")
def migrate(context: typer.Context) -> None:
    """Bring the database's tables and the log's topics up to this version; again does nothing."""
    with located(context.obj) as here:
        migrations.upgrade(here.url)
        ensure_topics(here.settings, here.url)
    typer.echo("Tables and topics are up to date.", err=True)


def _end_in_order(attached: bool) -> None:
    """SIGTERM, and Ctrl-C for who runs it by hand, end with exit code 0; uvicorn raises them again when it is done."""
    for number in (signal.SIGTERM, *(() if attached else (signal.SIGINT,))):
        signal.signal(number, lambda *_: sys.exit(0))
    if attached:
        processes.end_with_parent()


def _serve(application: FastAPI, host: str, port: int) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            application, host, port, log_config=None, access_log=False, server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )  # fmt: skip
    server.run()
