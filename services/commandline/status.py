"""`tellonce status`: how it is, in words or for scripts."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from services import checkup, embedded
from services.commandline import instances
from services.commandline.opening import Instance, opened
from services.errors import Problem
from services.health import Health

app = typer.Typer()


@app.command(epilog="Examples:  tellonce status    tellonce status --json | jq .lag")
def status(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False
) -> None:
    """Say how it is: database, log, lag, dead letters, sources. Exit code 1 when something is wrong."""
    try:
        with opened(context.obj) as here:
            found = checkup.look(here.settings, here.url, _folder(here))
    except Problem as problem:
        if not as_json:
            raise
        found = Health(context.obj.log, red=[f"{problem.message} {problem.hint}"])
    if as_json:
        typer.echo(json.dumps({"ok": not found.red, **dataclasses.asdict(found)}))
    else:
        _show(found)
    raise typer.Exit(bool(found.red))


def _folder(here: Instance) -> Path | None:
    """The folder of the embedded database, where it is the one that is looked at."""
    folder = here.settings.data or instances.default_data()
    return folder if embedded.running(folder) == here.url else None


def _show(found: Health) -> None:
    shown = Table.grid(padding=(0, 2))
    for name, words in _rows(found).items():
        shown.add_row(name, words)
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(shown)
    for wrong in found.red:
        console.print(wrong, style="bold red")
    for odd in found.warnings:
        console.print(odd, style="yellow")
    if not found.red and not found.warnings:
        console.print("All is well.", style="green")


def _rows(found: Health) -> dict[str, str]:
    def counted(name: str) -> str:
        return ("about " if name in found.approximate else "") + f"{getattr(found, name):,}"

    rows = {
        "events": counted("events"),
        "customers": counted("customers"),
        "event log": found.log,
        "to be stitched": _lag(found),
        "workers": str(found.workers or "none"),
        "to be analysed": _waiting(found.marked, found.marked_for if found.marked else None),
        "dead letters": _listed(found.dead_letters),
        "conflicts": counted("conflicts"),
        "sources": _listed(found.sources),
    }
    if found.mail:
        rows["mail listener"] = found.mail
    if found.mailboxes:
        rows["mailboxes"] = ", ".join(f"{name} (looked at {ago:,.0f} s ago)" for name, ago in found.mailboxes.items())
    if one := found.database:
        rows["database"] = f"{decimal(one.size)}, {one.connections} of {one.limit} connections taken"
    if found.disk:
        rows["disk"] = f"{decimal(found.disk.free)} free of {decimal(found.disk.total)}"
    return rows


def _lag(found: Health) -> str:
    words = _waiting(found.waiting, found.oldest)
    if found.lag_change:
        words += f", {abs(found.lag_change):.0f} {'more' if found.lag_change > 0 else 'fewer'} each second"
    by_partition = ", ".join(f"{partition}: {count}" for partition, count in found.lag.items())
    return words + (f" (by partition {by_partition})" if by_partition else "")


def _waiting(count: int, oldest: float | None) -> str:
    return f"{count:,}" + (f", the oldest for {oldest:.0f} s" if oldest is not None else "")


def _listed(words: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{name} ({word})" for name, word in words.items()) or "none"
