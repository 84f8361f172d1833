"""`tellonce sources`: channel systems that may post, and the wire formats they speak."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.table import Table

from services import access, ports, tables
from services.commandline.access import Name, check, revoke, show
from services.commandline.opening import opened
from services.database import engine
from services.errors import Invalid, NotFound
from services.ingest import errands
from services.ingest.bodies import inflate
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Post, Vendor
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
    channels = context.obj.channels
    if kind not in {"events", *vendors(), *channels}:
        hint = f"It is events, a vendor that `tellonce sources vendors` shows, or a channel: {', '.join(channels)}."
        raise Invalid(f"There is no kind {kind!r}.", code="no_such_kind", hint=hint)
    with opened(context.obj) as here, engine(here.url).begin() as conn:
        typer.echo(access.add_source(conn, name, kind))
        access.set_secrets(conn, name, [secret] if secret else [])
    settings = here.settings
    base = settings.ingest_url or f"http://{ports.reachable(settings.host)}:{settings.ingest_port}"
    vendor = vendors().get(kind)
    if vendor is None or kind in channels:
        typer.echo(f"{name} may post to {base}/v1/events with Authorization: Bearer and this key.", err=True)
    if vendor:
        by = "signed by its secret" if secret and vendor.verify else "with ?key= and this key"
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
        shown.add_row(vendor.name, vendor.title, vendor.secret if vendor.verify else "")
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
                 "tellonce sources try slack event.json --headers headers.txt --secret S    "
                 "tellonce sources try ga4 /dev/null --url 'https://shop.example/mp/collect?…'")  # fmt: skip
def try_vendor(
    context: typer.Context,
    vendor: Annotated[str, typer.Argument(help="Its kind, as `tellonce sources vendors` shows it.")],
    file: Annotated[Path, typer.Argument(help="A body as the vendor posts it; - for standard input.")],
    headers: Annotated[
        Path | None,
        typer.Option(help="Its headers: `Name: value` lines, maybe after `POST /path HTTP/1.1`, or a JSON object."),
    ] = None,
    secret: Annotated[str | None, typer.Option(help="Check the signature by this secret as well.")] = None,
    url: Annotated[str | None, typer.Option(help="The public address it was posted to, where that matters.")] = None,
    method: Annotated[str | None, typer.Option(help="Left out: POST, or what the headers begin with.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="The certificate its signature is checked by; left out: fetched.")
    ] = None,
) -> None:
    """Print the events a payload becomes, as JSON, or why it is refused or becomes none. Nothing is stored.

    Exit code 1 when anything is refused.
    """
    if not (known := vendors().get(vendor)):
        hint = "See `tellonce sources vendors`."
        raise NotFound(f"No vendor is called {vendor!r}.", code="unknown_vendor", hint=hint)
    body = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    post = replace(_post(body, _read(headers) if headers else b"", url, method), ours=context.obj.ours())
    if secret:
        post = replace(post, certificate=_read(certificate) if certificate else errands.fetched(known, post))
    found = trial(known, post, [secret] if secret else [], context.obj.masking())
    typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    if told := _silence(known, found):
        typer.echo(told, err=True)
    raise typer.Exit(any("refused" in one for one in found))


def _silence(vendor: Vendor, found: Sequence[Mapping[str, Any]]) -> str:
    """Why a post that is not refused becomes no event."""
    if not found:
        known = ", ".join(theirs for theirs, ours in vendor.becomes.items() if not ours.startswith("nothing"))
        return (
            "Nothing in this payload becomes an event: it is of a kind that is acknowledged and passed over, or lacks "
            f"what an event needs. Of {vendor.title} these become events: {known}. See docs/sources.md."
        )
    return "This is a handshake: it is answered so, and becomes no event." if "handshake" in found[0] else ""


def _post(body: bytes, head: bytes, url: str | None, method: str | None) -> Post:
    """A post out of files. Raises Invalid, TooLarge."""
    asked, headers = _headers(head)
    address = urlsplit(url or asked[1])
    scheme, host = headers.get("x-forwarded-proto", "https"), headers.get("x-forwarded-host", headers.get("host", ""))
    origin = f"{address.scheme}://{address.netloc}" if address.netloc else f"{scheme}://{host}"
    target = address.path + ("?" + address.query if address.query else "")
    path = re.sub(r".*/v1/sources/[^/]*/?", "", address.path)
    content = inflate(body, headers.get("content-encoding", ""), 100_000_000)
    return Post(body, content, headers, datetime.now(UTC), method or asked[0], path, target, origin)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFound(f"{file} can't be read: {error.strerror}.", code="no_file", hint="Name another.") from None


def _pairs(words: str) -> list[tuple[str, str]]:
    """The headers of a JSON object. Raises Invalid."""
    try:
        return [(name, str(value)) for name, value in json.loads(words).items()]
    except json.JSONDecodeError as error:
        hint = "Correct them, or write `Name: value` lines."
        message = f"The headers begin like JSON, but are none: {error}."
        raise Invalid(message, code="bad_headers", hint=hint) from None


def _headers(raw: bytes) -> tuple[tuple[str, str], dict[str, str]]:
    """Method and target, if the first line says them, and the headers."""
    words = raw.decode("utf-8", "replace")
    asked = re.match(r"([A-Z]+) (\S+) HTTP/", words)
    if words.lstrip().startswith("{"):
        pairs = _pairs(words)
    else:
        lines = words.splitlines()[1 if asked else 0 :]
        pairs = [(name, value) for name, colon, value in (line.partition(":") for line in lines) if colon]
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    return (asked[1], asked[2]) if asked else ("POST", ""), headers
