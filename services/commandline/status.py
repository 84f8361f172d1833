"""`tellonce status`: how it is, in words or for scripts."""

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services import health
from services.commandline.opening import opened
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
            found = health.look(here.settings, here.url)
    except Problem as problem:
        if not as_json:
            raise
        found = Health(context.obj.log, red=[f"{problem.message} {problem.hint}"])
    if as_json:
        typer.echo(json.dumps({"ok": not found.red, **dataclasses.asdict(found)}))
    else:
        _show(found)
    raise typer.Exit(bool(found.red))


def _show(found: Health) -> None:
    shown = Table.grid(padding=(0, 2))
    waiting = sum(found.lag.values())
    since = f", the oldest for {found.oldest:.0f} s" if found.oldest is not None else ""
    by_partition = ", ".join(f"{partition}: {count}" for partition, count in found.lag.items())
    for name, words in {
        "events": f"{found.events:,}",
        "customers": f"{found.customers:,}",
        "event log": found.log,
        "to be stitched": f"{waiting:,}{since}" + (f" (by partition {by_partition})" if by_partition else ""),
        "dead letters": _listed(found.dead_letters),
        "sources": _listed(found.sources),
    }.items():
        shown.add_row(name, words)
    console = Console(highlight=False)
    console.print(shown)
    for wrong in found.red:
        console.print(wrong, style="bold red")
    if not found.red:
        console.print("All is well.", style="green")


def _listed(words: dict[str, int] | dict[str, str]) -> str:
    return ", ".join(f"{name} ({word})" for name, word in words.items()) or "none"
