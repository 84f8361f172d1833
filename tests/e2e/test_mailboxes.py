"""Mailboxes that are read by IMAP, in a real Dovecot."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest
import sqlalchemy as sa
from imapclient.exceptions import IMAPClientError, LoginError

from services.eventlog import LogUnavailable
from services.files import Item
from services.ingest.mailboxes import Account, Mailbox
from tests.e2e.mailservers import PASSWORD, USER, Dovecot, Relay, dovecot
from tests.e2e.stacks import wait_for
from tests.test_mailserver import certificate, mail  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[Dovecot]:  # noqa: F811
    with dovecot(certificate) as running:
        yield running


class Kept:
    """What was read; may be `away`."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.away = False

    def __call__(self, items: Sequence[Item]) -> None:
        if self.away:
            raise LogUnavailable("it is away")
        self.ids += [item.raw.partition(b"Message-ID: <")[2].partition(b">")[0].decode() for item in items]


Make = Callable[..., Mailbox]


@pytest.fixture
def relay(server: Dovecot) -> Iterator[Relay]:
    between = Relay(server.port)
    yield between
    between.close()


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def box(server: Dovecot, engine: sa.Engine, kept: Kept) -> Iterator[Make]:
    """Makes a reader of a folder that is new and empty."""
    client = server.client()
    client.create_folder("Wish")

    def make(password: str = PASSWORD, port: int = server.port, **options: object) -> Mailbox:
        account = Account("127.0.0.1", USER, lambda: password, port, "none")
        fields = {"account": account, "folder": "Wish", "engine": engine, "keep": kept, "most": 1_000_000, "poll": 0.2}
        return Mailbox(**(fields | options))

    yield make
    server.client().delete_folder("Wish")


def deliver(server: Dovecot, *ids: str, words: str = "Hello") -> None:
    client = server.client()
    for id in ids:
        client.append("Wish", bytes(mail(id, words)))
    client.logout()


@contextmanager
def running(box: Mailbox) -> Iterator[None]:
    stop = Flag()
    thread = Thread(target=box.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def looked(box: Mailbox) -> int:
    with box.account.connected() as client:
        return box.read(client, Flag())


def test_each_mail_is_read_once_whoever_reads(server: Dovecot, box: Make, kept: Kept) -> None:
    deliver(server, "1", "2")
    assert [looked(box()), looked(box())] == [2, 0]
    deliver(server, "3")
    assert looked(box()) == 1
    assert kept.ids == ["1", "2", "3"]


def test_what_comes_is_read_as_it_comes_and_nothing_is_changed(server: Dovecot, box: Make, kept: Kept) -> None:
    with running(box()):
        for id in ("1", "2"):
            deliver(server, id)
            wait_for(lambda id=id: id in kept.ids, "the mail to be read")  # type: ignore[misc]
    client = server.client()
    client.select_folder("Wish", readonly=True)
    assert not client.search("SEEN")


def test_a_server_that_goes_away_is_waited_for(server: Dovecot, box: Make, kept: Kept) -> None:
    deliver(server, "1")
    connected: list[bool] = []
    with running(box(tell=connected.append)):
        wait_for(lambda: kept.ids == ["1"], "the first mail")
        assert connected == [True]
        server.down()
        wait_for(lambda: not connected[-1], "it to say so")
        server.up()
        deliver(server, "2")
        wait_for(lambda: kept.ids == ["1", "2"], "the second mail")
    assert connected[-1]


def test_a_connection_that_ends_without_a_word_is_made_again(
    server: Dovecot, box: Make, kept: Kept, relay: Relay
) -> None:
    connected: list[bool] = []
    with running(box(port=relay.port, tell=connected.append)):
        wait_for(lambda: b"+ idling" in relay.passed, "it to wait for mail")
        relay.cut()
        wait_for(lambda: connected == [True, False, True], "it to say so, and to be back")
        deliver(server, "1")
        wait_for(lambda: kept.ids == ["1"], "the mail")


@pytest.mark.parametrize("word", [b"SEARCH", b"FETCH", b"IDLE"])
def test_what_comes_while_it_is_busy_does_not_wait_for_the_next_mail(
    server: Dovecot, box: Make, kept: Kept, relay: Relay, word: bytes
) -> None:
    relay.before[word] = lambda: deliver(server, "2")
    deliver(server, "1")
    with running(box(port=relay.port)):
        wait_for(lambda: kept.ids == ["1", "2"], "both mails")
    assert not relay.before, "the second came at that word"


def test_while_the_log_is_away_nothing_counts_as_read(server: Dovecot, box: Make, kept: Kept) -> None:
    deliver(server, "1")
    kept.away = True
    with pytest.raises(LogUnavailable):
        looked(box())
    kept.away = False
    assert looked(box()) == 1


def test_a_folder_that_was_made_anew_is_read_from_its_beginning(server: Dovecot, box: Make, kept: Kept) -> None:
    deliver(server, "1", "2")
    looked(box())
    client = server.client()
    client.delete_folder("Wish")
    client.create_folder("Wish")
    deliver(server, "3")
    assert looked(box()) == 1
    assert kept.ids == ["1", "2", "3"]


def test_what_is_there_at_the_first_look_may_be_left_out(server: Dovecot, box: Make, kept: Kept) -> None:
    deliver(server, "1")
    assert looked(box(only_new=True)) == 0
    deliver(server, "2")
    assert looked(box(only_new=True)) == 1
    assert kept.ids == ["2"]


def test_a_mail_that_is_too_large_holds_up_nothing(server: Dovecot, box: Make, kept: Kept) -> None:
    deliver(server, "1", words="x\n" * 9_000)
    deliver(server, "2")
    assert [looked(box(most=5_000)), looked(box(most=5_000))] == [1, 0]
    assert kept.ids == ["2"]


def test_a_wrong_password_or_folder_is_said_at_once(box: Make) -> None:
    with pytest.raises(LoginError):
        box("wrong").run(Flag())
    with pytest.raises(IMAPClientError, match=r"(?i)doesn't exist"):
        box(folder="Nowhere").run(Flag())


def test_it_may_be_encrypted(server: Dovecot, box: Make, kept: Kept, certificate: Path) -> None:  # noqa: F811
    tls = ssl.create_default_context(cafile=str(certificate))
    with running(box(account=Account("localhost", USER, lambda: PASSWORD, server.port, "starttls", tls=tls))):
        for id in ("1", "2"):
            deliver(server, id)
            wait_for(lambda id=id: id in kept.ids, "the mail to be read")  # type: ignore[misc]
    with pytest.raises(ssl.SSLCertVerificationError):
        Account("localhost", USER, lambda: PASSWORD, server.port, "starttls").connected()
