"""`tellonce mail`: mails by SMTP and LMTP, and those in a mailbox."""

import asyncio
import signal
import ssl
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services import ports
from services.commandline.opening import Instance, located, opened
from services.commandline.parts import Attached
from services.database import engine
from services.errors import Invalid
from services.eventlog import Appender
from services.eventlog.budget import Budget
from services.eventlog.opening import open_appender
from services.ingest.acceptance import Acceptance
from services.ingest.groupcommit import GroupCommit, Threads
from services.ingest.keys import Keys
from services.ingest.measures import Measures, TimedAppender
from services.ingest.operations import application
from services.server import aside
from services.settings import Settings


class Security(StrEnum):
    """How a mailbox is encrypted."""

    tls = "tls"
    starttls = "starttls"
    none = "none"


mail = typer.Typer(no_args_is_help=True, help="Mails by SMTP and LMTP, and those in a mailbox.")
StatusPort = Annotated[int | None, typer.Option(help="Port of /healthz, /readyz and /metrics; none if left out.")]

app = typer.Typer()
app.add_typer(mail, name="mail")


@mail.command("listen", epilog="Examples:  tellonce mail listen --lmtp-port 2424    "
              "tellonce mail listen --smtp-port 2525 --host 0.0.0.0 --certificate mx.pem --key mx.key")  # fmt: skip
def listen_(
    context: typer.Context,
    smtp_port: Annotated[int | None, typer.Option(help="Take mails by SMTP on this port.")] = None,
    lmtp_port: Annotated[int | None, typer.Option(help="Take mails by LMTP on this port.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")] = None,
    source: Annotated[str | None, typer.Option(help="Source of mails whose recipient names none.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Certificates for STARTTLS, in PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Their private key, in PEM.")] = None,
    sign_in: Annotated[
        bool | None, typer.Option("--sign-in/--no-sign-in", help="SMTP clients have to sign in with a source's key.")
    ] = None,
    status_port: StatusPort = None,
    attached: Attached = False,
) -> None:
    """Take mails that a mail server hands over; each is accepted when the event log has it.

    `NAME@` or `NAME+anything@` any domain is for the source NAME, made by `tellonce sources add NAME --kind email`.
    """
    given = {
        "smtp_port": smtp_port, "lmtp_port": lmtp_port, "host": host, "mail_source": source,
        "mail_certificate": certificate, "mail_key": key, "mail_sign_in": sign_in, "mail_port": status_port,
    }  # fmt: skip
    told = context.obj.model_copy(update={name: value for name, value in given.items() if value is not None})
    if not (told.smtp_port or told.lmtp_port):
        raise Invalid("There is no port to listen on.", code="no_port", hint="Give --smtp-port or --lmtp-port.")
    wanted = {"--smtp-port": told.smtp_port, "--lmtp-port": told.lmtp_port, "--status-port": told.mail_port}
    for option, port in wanted.items():
        if port:
            ports.check(told.host, port, option)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with located(told) as here, closing(open_appender(here.settings, here.url)) as appender:
        asyncio.run(_serve(here, appender, _tls(told)))


@mail.command("read", epilog="Example:  TELLONCE_IMAP_PASSWORD=… tellonce mail read imap.example.com "
              "support@shop.example --source support")  # fmt: skip
def read_(
    context: typer.Context,
    host: Annotated[str, typer.Argument(help="The IMAP server.")],
    user: Annotated[str, typer.Argument(help="The account.")],
    folder: Annotated[list[str] | None, typer.Option(help="Folders to read; INBOX.")] = None,
    source: Annotated[str, typer.Option(help="Name of the source.")] = "mail",
    port: Annotated[int | None, typer.Option(help="Left out: 993, or 143 without TLS from the start.")] = None,
    security: Annotated[Security, typer.Option(help="How it is encrypted.")] = Security.tls,
    token: Annotated[bool, typer.Option("--token", help="The password is a token for XOAUTH2.")] = False,
    password_file: Annotated[
        Path | None, typer.Option(help="File of the password, read at each sign-in; else TELLONCE_IMAP_PASSWORD.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Certificates in PEM that it is checked by.")] = None,
    only_new: Annotated[bool, typer.Option("--only-new", help="Leave out what is there at the first look.")] = False,
    poll: Annotated[float, typer.Option(help="Seconds between looks, where the server can't tell by itself.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="End when all that is there is read.")] = False,
    status_port: StatusPort = None,
) -> None:
    """Read the mails of a mailbox by IMAP, each once, and go on with what comes. Nothing is changed there.

    How far it has come is kept in the database. A folder of sent mails gives the answers, with TELLONCE_MAIL_OWN.
    """
    from services.commandline.mailbox import Wanted, read

    wanted = Wanted(
        host, user, folder or ["INBOX"], source, port, security, token, password_file, certificate, only_new, poll, once
    )
    if status_port:
        ports.check(context.obj.host, status_port, "--status-port")
    with opened(context.obj) as here, closing(open_appender(here.settings, here.url)) as appender:
        read(here, appender, wanted, status_port)


async def _serve(here: Instance, appender: Appender, tls: ssl.SSLContext | None) -> None:
    from services.ingest.mailserver import Ports, Reception, listen

    settings, store = here.settings, engine(here.url, pool_size=2, patience=here.settings.append_timeout)
    keys, budget = Keys(store, settings.append_timeout), Budget(settings.byte_budget)
    measures = Measures(budget)
    measures.pools.watch("keys", store)
    commits = GroupCommit(Threads(TimedAppender(appender, measures)), budget, settings.append_timeout)
    acceptance = Acceptance(commits, settings.rules(), settings.channels, settings.max_events, settings.masking())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    wanted = Ports(settings.host, settings.smtp_port, settings.lmtp_port, tls, settings.mail_sign_in)
    reception = Reception(acceptance, keys, measures, settings.ours(), settings.mail_source)
    needed = {"event log": appender.check, "database of the sources' keys": keys.check}
    try:
        typer.echo(f"Listening for mails on {settings.host}: {_said(settings)}.", err=True)
        with aside(application(measures.registry, needed), settings.host, settings.mail_port):
            await listen(wanted, reception, settings.max_mail, stop)
    finally:
        commits.close()
        keys.close()
        store.dispose()


def _said(settings: Settings) -> str:
    found = {"SMTP": settings.smtp_port, "LMTP": settings.lmtp_port}
    return ", ".join(f"{name} {port}" for name, port in found.items() if port)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.mail_certificate:
        return None
    try:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(settings.mail_certificate, settings.mail_key)
    except (OSError, ssl.SSLError) as error:
        hint = "Give --certificate and --key as files in PEM that belong together."
        raise Invalid(f"The certificate can't be used: {error}.", code="bad_certificate", hint=hint) from None
    return context
