"""`tellonce dead`: records that could not be read."""

from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from schemas.codec import Unreadable, decode
from services.commandline.opening import Instance, opened
from services.database import engine
from services.errors import Invalid, NotFound
from services.eventlog import Draft
from services.eventlog.opening import open_appender
from services.identifiers import Rules, keys
from services.tables import dead_letters

MOST_SHOWN = 100

dead = typer.Typer(no_args_is_help=True, help="Records that could not be read: look at them, replay them.")
app = typer.Typer()
app.add_typer(dead, name="dead")
Id = Annotated[int, typer.Argument(metavar="ID", help="The number in `tellonce dead list`.")]


@dead.command("list", epilog="Example:  tellonce dead list")
def list_(context: typer.Context) -> None:
    """Show the newest dead letters."""
    columns = dead_letters.c
    newest = sa.select(dead_letters).order_by(columns.id.desc()).limit(MOST_SHOWN)
    shown = Table("id", "reason", "detail", "partition/position", "set aside", "replayed")
    with opened(context.obj) as here, engine(here.url).connect() as conn:
        total = conn.scalar(sa.select(sa.func.count()).select_from(dead_letters))
        for row in conn.execute(newest):
            replayed = f"{row.replayed_at:%Y-%m-%d %H:%M}" if row.replayed_at else ""
            where, when = f"{row.partition}/{row.position}", f"{row.dead_at:%Y-%m-%d %H:%M}"
            shown.add_row(str(row.id), row.reason, row.detail, where, when, replayed)
    Console(markup=False, emoji=False).print(shown)  # details quote what anybody wrote
    if total and total > MOST_SHOWN:
        typer.echo(f"These are the newest {MOST_SHOWN} of {total}.", err=True)


@dead.command(epilog="Example:  tellonce dead show 7")
def show(context: typer.Context, id: Id) -> None:
    """Show why a record was set aside, and its bytes."""
    with opened(context.obj) as here, engine(here.url).connect() as conn:
        row = conn.execute(sa.select(dead_letters).where(dead_letters.c.id == id)).one_or_none()
    if row is None:
        raise _unknown([id])
    typer.echo(f"{row.reason}: {row.detail}", err=True)
    typer.echo(f"{row.topic}, partition {row.partition}, position {row.position}, {row.dead_at}", err=True)
    typer.echo("\n".join(_printed(row.record)))


@dead.command(epilog="Examples:  tellonce dead replay 7 8    tellonce dead replay --all")
def replay(
    context: typer.Context,
    ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
    all: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
) -> None:
    """Append records to the event log once more, after what made them unreadable was put right."""
    if bool(ids) == all:
        raise Invalid("Name the records, or --all.", code="which_ones", hint="See `tellonce dead list`.")
    with opened(context.obj) as here:
        count = _replay(here, ids)
    typer.echo(f"Replayed: {count}.", err=True)


def _replay(here: Instance, ids: list[int] | None) -> int:
    columns = dead_letters.c
    which = columns.id.in_(ids) if ids else columns.replayed_at.is_(None)
    with closing(open_appender(here.settings, here.url)) as appender, engine(here.url).begin() as conn:
        rows = conn.execute(sa.select(dead_letters).where(which).order_by(columns.id).with_for_update()).all()
        if unknown := set(ids or ()) - {row.id for row in rows}:
            raise _unknown(sorted(unknown))
        rules = here.settings.rules()
        for row in rows:
            appender.append([Draft(_key(line, rules), line, True) for line in bytes(row.record).split(b"\n")])
        replayed = dead_letters.update().where(columns.id.in_([row.id for row in rows]))
        conn.execute(replayed.values(replayed_at=sa.func.now()))
    return len(rows)


def _key(line: bytes, rules: Rules) -> str:
    """The key it would have been given; any will do for one that still can't be read."""
    try:
        return str(keys(decode(line), rules)[0])
    except Unreadable:
        return "dead"


def _unknown(ids: list[int]) -> NotFound:
    numbers = ", ".join(map(str, ids))
    return NotFound(f"There is no dead letter {numbers}.", code="no_such_record", hint="See `tellonce dead list`.")


def _printed(record: bytes) -> Iterator[str]:
    """As text if it is text, else sixteen bytes a line."""
    try:
        text = record.decode()
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable() or all(letter.isprintable() or letter in "\n\t" for letter in text):
        yield text
        return
    for start in range(0, len(record), 16):
        part = record[start : start + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{start:08x}  {part.hex(' '):47}  {letters}"
