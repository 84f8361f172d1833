"""`tellonce import | rebuild`: what happened before, and the stored events read anew."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.event import Event
from services import files
from services.commandline.opening import Instance, opened
from services.database import engine
from services.eventlog.opening import open_appender
from services.files import Format, Item
from services.importing import Import, Tally, fingerprint, forget, json_event
from services.ingest.sources import mail
from services.ingest.sources.mail import Receipt
from services.ours import Ours
from services.timeline import rebuild as rebuilding

errors = Console(stderr=True, highlight=False)
app = typer.Typer()


@app.command("import", epilog="Examples:  tellonce import events.jsonl    zcat old.gz | tellonce import -    "
             "tellonce import ~/Maildir --source helpdesk --own shop.example")  # fmt: skip
def import_(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE|DIR|-", help="What to import; - for standard input.")],
    format: Annotated[Format | None, typer.Option(help="Left out: found by itself; - is jsonl.")] = None,
    source: Annotated[str | None, typer.Option(help="Name of the source; left out: what events say, or mail.")] = None,
    own: Annotated[list[str] | None, typer.Option(help="A domain or address of ours: its mails are answers.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Start over instead of going on.")] = False,
) -> None:
    """Append events or mails to the event log: go on where the last run stopped, nothing twice.

    What can't be read is refused with its place and reason, and the rest goes through; then the exit code is 1.
    """
    format = format or (Format.jsonl if str(path) == "-" else files.detect(path))
    with opened(context.obj) as here:
        ours = Ours.of([*(own or ()), *here.settings.mail_own], here.settings.mail_trusted)
        read = _reader(format, source, ours, here.settings.channels)
        if str(path) == "-":
            tally = _run(here, files.read(sys.stdin.buffer, format, datetime.now(UTC)), read, None, None)
        else:
            name, total = fingerprint(files.items(path, format), format, source or "", *(own or ()))
            if again:
                with engine(here.url).begin() as conn:
                    forget(conn, name)
            tally = _run(here, files.items(path, format), read, name, total)
    typer.echo(f"Accepted: {tally.accepted}, refused: {tally.refused}.")
    raise typer.Exit(bool(tally.refused))


def progress(what: str) -> Progress:
    """A bar on standard error, where that is a terminal."""
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)


def _reader(format: Format, source: str | None, ours: Ours, channels: list[str]) -> Callable[[Item], Event]:
    if format is Format.jsonl:
        return partial(json_event, source=source, channels=channels)
    return lambda item: mail.event(item.raw, Receipt(item.written_at, ours), source or "mail")


def _run(
    here: Instance, items: Iterator[Item], read: Callable[[Item], Event], name: str | None, total: int | None
) -> Tally:
    with progress("Importing") as bar, closing(open_appender(here.settings, here.url)) as appender:
        task = bar.add_task("", total=total)

        def tell(tally: Tally) -> None:
            bar.update(task, completed=tally.done)

        def refuse(item: Item, code: str, message: str) -> None:
            bar.console.print(f"{item.where}: {code}: {message}", markup=False, emoji=False, soft_wrap=True)

        store = engine(here.url, pool_size=1)
        settings = here.settings
        run = Import(store, appender, settings.rules(), tell, refuse, settings.masking())
        return run.run(items, read, name)


@app.command(epilog="Example:  tellonce rebuild")
def rebuild(context: typer.Context) -> None:
    """Make identity, interactions and timelines anew from the stored events, while everything goes on."""
    with opened(context.obj) as here, progress("Rebuilding") as bar:
        task = bar.add_task("", total=None)
        count = rebuilding.rebuild(
            here.url, here.settings.rules(), lambda done, total: bar.update(task, completed=done, total=total)
        )
    typer.echo(f"Rebuilt from {count} events.")
