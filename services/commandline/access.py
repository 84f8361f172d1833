"""`tellonce keys | sign-in`: who may read."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from services import access, ports, tables
from services.access import Role
from services.commandline.opening import opened
from services.database import engine
from services.errors import Invalid, NotFound
from services.settings import Settings

LINK_HOLDS = timedelta(hours=1)

keys = typer.Typer(no_args_is_help=True, help="Keys of whoever reads: bots, agents, analysts.")
app = typer.Typer()
app.add_typer(keys, name="keys")

Name = Annotated[str, typer.Argument(help="A name of letters, digits, dots, dashes and underscores.")]
RoleOption = Annotated[Role, typer.Option(help="What it may do.")]


@keys.command("add", epilog="Example:  KEY=$(tellonce keys add voicebot --role channel)")
def add_key(context: typer.Context, name: Name, role: RoleOption) -> None:
    """Make a key and print it, alone, on standard output. The key is not kept."""
    check(name)
    with opened(context.obj) as here, engine(here.url).begin() as conn:
        typer.echo(access.add_key(conn, name, role))
    where = f"{address(here.settings)}/docs"
    typer.echo(f"{name} may read as {role}, with Authorization: Bearer and this key; see {where}.", err=True)


@keys.command("list", epilog="Example:  tellonce keys list")
def list_keys(context: typer.Context) -> None:
    """Show all keys' names and roles."""
    show(context.obj, tables.keys, "role")


@keys.command("revoke", epilog="Example:  tellonce keys revoke voicebot")
def revoke_key(context: typer.Context, name: Name) -> None:
    """Refuse a key from now on."""
    revoke(context.obj, tables.keys, name)


@app.command("sign-in", epilog="Example:  tellonce sign-in mari --role agent")
def sign_in_link(context: typer.Context, name: Name, role: RoleOption = Role.agent) -> None:
    """Print a link that signs a browser in, once, within an hour."""
    check(name)
    with opened(context.obj) as here, engine(here.url).begin() as conn:
        typer.echo(link(conn, here.settings, name, role))


def link(conn: sa.Connection, settings: Settings, name: str, role: Role) -> str:
    """The address that signs a browser in, once, within LINK_HOLDS."""
    token = access.make_link(conn, name, role, datetime.now(UTC) + LINK_HOLDS)
    return f"{address(settings)}/sign-in/{token}"


def address(settings: Settings) -> str:
    """Where browsers reach the API."""
    return settings.public_url or f"http://{ports.reachable(settings.host)}:{settings.api_port}"


def check(name: str) -> None:
    """Raise Invalid for what can't be a name."""
    if not access.NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} can't be a name.",
            code="invalid_name",
            hint="Use letters, digits, dots, dashes and underscores, 64 at most.",
        )


def show(settings: Settings, table: sa.Table, what: str) -> None:
    """Show a table of names."""
    shown = Table("name", what, "made", "revoked")
    with opened(settings) as here, engine(here.url).connect() as conn:
        for row in conn.execute(sa.select(table).order_by(table.c.name)).mappings():
            revoked = f"{row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else ""
            shown.add_row(row["name"], row[what], f"{row['created_at']:%Y-%m-%d %H:%M}", revoked)
    Console(markup=False, emoji=False).print(shown)


def revoke(settings: Settings, table: sa.Table, name: str) -> None:
    """Refuse a key of a table from now on. Raises NotFound."""
    with opened(settings) as here, engine(here.url).begin() as conn:
        if not access.revoke(conn, table, name):
            raise NotFound(
                f"There is no valid key of {name!r}.",
                code="no_such_name",
                hint=f"See `tellonce {table.name} list`.",
            )
    typer.echo(f"The key of {name} is refused from now on.", err=True)
