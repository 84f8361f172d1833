"""The command line, `tellonce`: options that hold for all commands, and errors as one clear line."""

import os
import sys
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import OperationalError

from services import logs
from services.errors import Invalid, Problem
from services.logs import Level
from services.settings import Settings

GLOBAL = ("--data", "--database", "--log", "--log-level")

app = typer.Typer(
    name="tellonce",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Further settings by TELLONCE_… variables. Try it:  tellonce up",
)
# Which file has which commands. Only the one that is asked for is loaded, which halves the time a command takes.
ROOMS = {
    "up": {"up"},
    "parts": {"ingest", "timeline", "analyse", "api", "migrate"},
    "sources": {"sources"},
    "access": {"keys", "sign-in"},
    "imports": {"import", "rebuild"},
    "status": {"status"},
    "dead": {"dead"},
    "backups": {"backup", "restore"},
    "mail": {"mail"},
    "asterisk": {"ami"},
}
SERVING = {"ingest", "timeline", "analyse", "api", "mail"}


@app.callback()
def options(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(envvar="TELLONCE_DATA", help="Folder of the embedded PostgreSQL.")
    ] = None,
    database: Annotated[
        str | None, typer.Option(envvar="TELLONCE_DATABASE", help="postgresql://… instead of the embedded one.")
    ] = None,
    log: Annotated[
        str | None, typer.Option(envvar="TELLONCE_LOG", help="Event log: postgres, or kafka://host:port,…")
    ] = None,
    log_level: Annotated[
        Level | None, typer.Option(envvar="TELLONCE_LOG_LEVEL", help="Of the log lines on standard error.")
    ] = None,
) -> None:
    """One timeline per customer over every channel, so that nobody has to explain the same issue twice.

    The options below may stand before or after a command. Without them a command works on the tellonce that runs
    for this account, or else on the data in the account's own folder.
    """
    if log_level:
        os.environ["TELLONCE_LOG_LEVEL"] = log_level  # for the children of `up`
    serves = context.invoked_subcommand in SERVING
    logs.set_up(log_level or (Level.info if serves else Level.warning))
    folder = data.expanduser().absolute() if data else None
    context.obj = _settings({"data": folder, "database": database, "log": log})


def _settings(given: dict[str, object]) -> Settings:
    """The settings of the environment, and those given. Raises Invalid."""
    try:
        return Settings.model_validate({name: value for name, value in given.items() if value is not None})
    except (ValidationError, SettingsError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            words = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        else:
            words = str(error)
        hint = "Correct the variable TELLONCE_… of that name."
        raise Invalid(f"The settings can't be read: {words}.", code="invalid_settings", hint=hint) from None


def main(arguments: list[str] | None = None) -> None:
    """The entry point of `tellonce`. Raises SystemExit."""
    words = globals_first(sys.argv[1:] if arguments is None else arguments)
    _load(words)
    try:
        app(words, prog_name="tellonce")
    except Problem as problem:
        _fail(f"{problem.message} {problem.hint}")
    except OperationalError as away:
        _fail(f"The database does not answer: {str(away.orig).splitlines()[0]}")


def _load(words: list[str]) -> None:
    """Add the commands of the room that is asked for; of all rooms where none is."""
    asked = [room for room, names in ROOMS.items() if not names.isdisjoint(words)] or list(ROOMS)
    app.registered_commands.clear()
    app.registered_groups.clear()
    for room in asked:
        commands: typer.Typer = import_module(f"services.commandline.{room}").app
        app.registered_commands += commands.registered_commands
        app.registered_groups += commands.registered_groups


def globals_first(arguments: list[str]) -> list[str]:
    """Options that hold for all commands may stand behind the command's name; click wants them before it."""
    first: list[str] = []
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in GLOBAL:
            first += [word, *islice(words, 1)]
        else:
            (first if word.partition("=")[0] in GLOBAL else rest).append(word)
    return first + rest


def _fail(words: str) -> NoReturn:
    typer.secho(f"tellonce: {words}", fg="red", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
