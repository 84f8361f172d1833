"""Reads mailboxes until it is told to stop: `tellonce mail read`."""

import os
import signal
import ssl
from collections.abc import Sequence
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import NamedTuple

import structlog
import typer
from imapclient.exceptions import IMAPClientError

from services.commandline.opening import Instance
from services.database import engine
from services.errors import Invalid, Problem
from services.eventlog import Appender
from services.files import Item
from services.importing import Import
from services.ingest.mailboxes import Account, Mailbox
from services.ingest.measures import Measures, Peer, TimedAppender
from services.ingest.operations import application
from services.ingest.sources import mail
from services.ingest.sources.mail import Receipt
from services.server import aside

log = structlog.get_logger()


class Wanted(NamedTuple):
    """What is to be read, as the command's options say."""

    host: str
    user: str
    folders: Sequence[str]
    source: str
    port: int | None
    security: str
    by_token: bool
    password_file: Path | None
    certificate: Path | None
    only_new: bool
    poll: float
    once: bool

    def password(self) -> str:
        """The password, or token, as it is now. Raises Invalid."""
        try:
            said = self.password_file.read_text() if self.password_file else os.environ["TELLONCE_IMAP_PASSWORD"]
            return said.strip()
        except (OSError, KeyError):
            hint = "Set TELLONCE_IMAP_PASSWORD, or name a file by --password-file."
            raise Invalid("There is no password for the mailbox.", code="no_password", hint=hint) from None

    def account(self) -> Account:
        """The account. Raises Invalid."""
        try:
            tls = ssl.create_default_context(cafile=str(self.certificate)) if self.certificate else None
        except (OSError, ssl.SSLError) as error:
            hint = "Name a file with certificates in PEM."
            raise Invalid(f"The certificate can't be used: {error}.", code="bad_certificate", hint=hint) from None
        return Account(self.host, self.user, self.password, self.port, self.security, self.by_token, tls)


def read(here: Instance, appender: Appender, wanted: Wanted, status_port: int | None = None) -> None:
    """Read until told to stop, each folder in a thread of its own. Raises Problem.

    `status_port`: of its `/healthz`, `/readyz` and `/metrics`, if these are wanted.
    """
    wanted.password()
    account, settings, measures = wanted.account(), here.settings, Measures()
    store = engine(here.url, pool_size=2 + len(wanted.folders), patience=settings.append_timeout)
    ours, source, stop = settings.ours(), wanted.source, Flag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    measures.pools.watch("mailbox", store)

    def refuse(item: Item, code: str, message: str) -> None:
        measures.turned_away(code)
        log.warning("mail_refused", mail=item.where, code=code)

    timed = TimedAppender(appender, measures)
    taking = Import(store, timed, settings.rules(), lambda tally: None, refuse, settings.masking())

    def keep(items: Sequence[Item]) -> None:
        kept = taking.run(items, lambda item: mail.event(item.raw, Receipt(item.written_at, ours), source))
        measures.accepted(kept.accepted)

    peers = {folder: Peer(f"mailbox {folder}", measures) for folder in wanted.folders}
    boxes = [
        Mailbox(account, folder, store, keep, settings.max_mail, wanted.poll, wanted.only_new, peer.tell)
        for folder, peer in peers.items()
    ]
    needed = {f"mailbox {folder}": peer.check for folder, peer in peers.items()} | {"event log": appender.check}
    try:
        with aside(application(measures.registry, needed), settings.host, status_port):
            _all(boxes, stop, wanted.once)
    except (IMAPClientError, OSError) as error:
        hint = "Check the account, its password and the folder's name."
        raise Invalid(f"The mailbox can't be read: {error}.", code="mailbox_refused", hint=hint) from None
    finally:
        store.dispose()


def _all(boxes: Sequence[Mailbox], stop: Flag, once: bool) -> None:
    """Read all; the first that fails stops the others. Raises what it failed with."""
    failures: list[BaseException] = []

    def one(box: Mailbox) -> None:
        try:
            if once:
                with box.account.connected() as client:
                    typer.echo(f"{box.name}: {box.read(client, stop)} mails.")
            else:
                box.run(stop)
        except (IMAPClientError, OSError, Problem) as error:
            failures.append(error)
            stop.set()

    threads = [Thread(target=one, args=(box,), name=box.folder) for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(1)  # so that signals are heard
    if failures:
        raise failures[0]
