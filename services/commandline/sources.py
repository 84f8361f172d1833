"""`tellonce sources`: channel systems that may post, and the wire formats they speak."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services import access, tables
from services.commandline.access import Name, check, reachable, revoke, show
from services.commandline.opening import opened
from services.database import engine
from services.errors import Invalid, NotFound
from services.ingest.bodies import inflate
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Post
from services.ingest.trial import trial

sources = typer.Typer(no_args_is_help=True, help="Channel systems that may post events.")
app = typer.Typer()
app.add_typer(sources, name="sources")

Kind = Annotated[
    str, typer.Option(help="events; a vendor of `sources vendors`; or a channel, for events that name none: email, …")
]


@sources.command("add", epilog="Examples:  KEY=$(tellonce sources add webshop)    "
                 "tellonce sources add support-chat --kind chatwoot --secret S3CRET")  # fmt: skip
def add_source(
    context: typer.Context,
    name: Name,
    kind: Kind = "events",
    secret: Annotated[str | None, typer.Option(help="A vendor's secret, by which its signatures are checked.")] = None,
) -> None:
    """Register a source and print its key, alone, on standard output. The key is not kept."""
    check(name)
    with opened(context.obj) as here, engine(here.url).begin() as conn:
        typer.echo(access.add_source(conn, name, kind))
        access.set_secrets(conn, name, [secret] if secret else [])
    base = f"http://{reachable(here.settings.host)}:{here.settings.ingest_port}"
    vendor = vendors().get(kind)
    if vendor is None:
        typer.echo(f"{name} may post to {base}/v1/events with Authorization: Bearer and this key.", err=True)
    else:
        by = "signed by its secret" if secret else "with ?key= and this key, or signed once it has a secret"
        typer.echo(f"{vendor.title} may post to {base}/v1/sources/{name}, {by}.", err=True)


@sources.command("list", epilog="Example:  tellonce sources list")
def list_sources(context: typer.Context) -> None:
    """Show all sources."""
    show(context.obj, tables.sources, "kind")


@sources.command("revoke", epilog="Example:  tellonce sources revoke webshop")
def revoke_source(context: typer.Context, name: Name) -> None:
    """Refuse a source's key and signatures from now on."""
    revoke(context.obj, tables.sources, name)


@sources.command("vendors", epilog="Example:  tellonce sources vendors")
def list_vendors() -> None:
    """Show the wire formats that are understood: the kinds a source may be of."""
    shown = Table("kind", "what", "signed with")
    for vendor in sorted(vendors().values(), key=lambda one: one.name):
        shown.add_row(vendor.name, vendor.title, vendor.secret)
    Console().print(shown)


@sources.command("secret", epilog="Examples:  tellonce sources secret support-chat S3CRET    "
                 "tellonce sources secret support-chat NEW OLD    tellonce sources secret support-chat")  # fmt: skip
def set_secret(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The source.")],
    secrets: Annotated[list[str] | None, typer.Argument(help="One; two while it is replaced; none: no more.")] = None,
) -> None:
    """Say by which secrets a source's signatures are checked, instead of those before."""
    if len(secrets or ()) > 2:
        hint = "Give the new and the old one."
        raise Invalid("A source has two secrets at most.", code="too_many_secrets", hint=hint)
    with opened(context.obj) as here, engine(here.url).begin() as conn:
        if not access.set_secrets(conn, name, secrets or ()):
            hint = "See `tellonce sources list`."
            raise NotFound(f"There is no valid source {name!r}.", code="no_such_name", hint=hint)
    typer.echo(f"{name}: {len(secrets or ())} secrets.", err=True)


@sources.command("try", epilog="Examples:  tellonce sources try chatwoot message.json    "
                 "tellonce sources try slack event.json --headers headers.txt --secret S")  # fmt: skip
def try_vendor(
    vendor: Annotated[str, typer.Argument(help="Its kind, as `tellonce sources vendors` shows it.")],
    file: Annotated[Path, typer.Argument(help="A body as the vendor posts it; - for standard input.")],
    headers: Annotated[Path | None, typer.Option(help="Its headers: `Name: value` lines, or a JSON object.")] = None,
    secret: Annotated[str | None, typer.Option(help="Check the signature by this secret as well.")] = None,
) -> None:
    """Print the events a payload becomes, as JSON, or why it is refused. Nothing is stored.

    Exit code 1 when anything is refused.
    """
    if not (known := vendors().get(vendor)):
        hint = "See `tellonce sources vendors`."
        raise NotFound(f"No vendor is called {vendor!r}.", code="unknown_vendor", hint=hint)
    body = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    said = _headers(_read(headers)) if headers else {}
    content = inflate(body, said.get("content-encoding", ""), 100_000_000)
    found = trial(known, Post(body, content, said, datetime.now(UTC)), [secret] if secret else [])
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    raise typer.Exit(any("refused" in one for one in found))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFound(f"{file} can't be read: {error.strerror}.", code="no_file", hint="Name another.") from None


def _headers(raw: bytes) -> dict[str, str]:
    words = raw.decode("utf-8", "replace")
    if words.lstrip().startswith("{"):
        return {name.lower(): str(value) for name, value in json.loads(words).items()}
    pairs = (line.partition(":") for line in words.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
