"""`tellonce backup | restore`: all that is known in one file, and back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import FileSizeColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn

from services import backup as backups
from services.commandline.opening import emptied, located

console = Console(stderr=True, highlight=False)
app = typer.Typer()
File = Annotated[Path, typer.Argument(metavar="FILE", help="One file; `pg_restore --list` reads it too.")]


@app.command(epilog="Examples:  tellonce backup monday.backup    tellonce backup /mnt/shop.backup --force")
def backup(
    context: typer.Context,
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Write all that is known to a file, as it is at this moment, while everything goes on.

    With Kafka the records that are still to be stitched stay there; the backup knows where to read on.
    """
    with located(context.obj, upgraded=False) as here, _progress("Backup") as tell:
        backups.backup(here.url, file, force, tell)
    typer.echo(f"{file}: {file.stat().st_size:,} bytes.", err=True)


@app.command(epilog="Examples:  tellonce restore monday.backup --data new    "
             "tellonce restore monday.backup --database postgresql://…")  # fmt: skip
def restore(
    context: typer.Context,
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Lose what is there instead of refusing.")] = False,
) -> None:
    """Put a backup in the place of an empty database, all or nothing; older ones are brought up to this version.

    A running `tellonce up` with its own PostgreSQL pauses meanwhile; other services have to be stopped before.
    """
    backups.check(file)
    with emptied(context.obj, force) as url, _progress("Restore") as tell:
        backups.restore(url, file, force, tell)
    typer.echo(f"All is as it was in {file}.", err=True)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    """Bytes and seconds on standard error, where that is a terminal; how many are to come nobody knows."""
    columns = SpinnerColumn(), TextColumn(what), FileSizeColumn(), TransferSpeedColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done: bar.update(task, completed=done)
