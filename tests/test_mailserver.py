"""Mails handed over by SMTP and LMTP, by Python's own clients."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services import access
from services.eventlog import Appender
from services.eventlog.budget import Budget
from services.identifiers import Rules
from services.ingest.acceptance import Acceptance
from services.ingest.groupcommit import GroupCommit, Threads
from services.ingest.keys import Keys
from services.ingest.mailserver import SECONDS, Ports, Reception, listen
from services.ingest.measures import Measures
from services.ours import Ours
from tests.brokers import free_port
from tests.fakes import MemoryLog

KEY = "src_support"
SMALL = 50_000


def mail(id: str = "one@example.ee", words: str = "Where is my parcel?") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "mari@example.ee", "support@shop.example", f"<{id}>"
    message["Date"] = "Mon, 4 May 2026 10:00:00 +0300"
    message.set_content(words)
    return message


@dataclass
class Post:
    """A running server."""

    smtp_port: int
    lmtp_port: int
    measures: Measures

    def smtp(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=30)

    def lmtp(self) -> smtplib.LMTP:
        return smtplib.LMTP("127.0.0.1", self.lmtp_port)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(*private) + made.public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def serving(
    engine: sa.Engine, appender: Appender, certificate: Path, most: int = SMALL, patience: float = SECONDS
) -> Iterator[Post]:
    """A server whose mails go to this log."""
    with engine.begin() as conn:
        access.add_source(conn, "support", "email", KEY)
        access.add_source(conn, "sales", "email")
        access.add_source(conn, "chat", "chatwoot")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    loop, stop, measures = asyncio.new_event_loop(), asyncio.Event(), Measures()
    keys, commits = Keys(engine, 2), GroupCommit(Threads(appender), Budget(10**7), 2)
    reception = Reception(Acceptance(commits, Rules(), ("email",), 10), keys, measures, Ours.of(["shop.example"]))
    found = Post(free_port(), free_port(), measures)
    ports = Ports("127.0.0.1", found.smtp_port, found.lmtp_port, tls, patience=patience)
    server = Thread(target=lambda: loop.run_until_complete(listen(ports, reception, most, stop)))
    server.start()
    for port in (found.smtp_port, found.lmtp_port):
        _answers(port)
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stop.set)
        server.join(20)
        keys.close()
        commits.close()


@pytest.fixture
def post(engine: sa.Engine, log: MemoryLog, certificate: Path) -> Iterator[Post]:
    with serving(engine, log, certificate) as found:
        yield found


def _answers(port: int) -> None:
    deadline = monotonic() + 30
    while monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionRefusedError:
            continue
    raise AssertionError("nobody listens")


def test_a_mail_is_for_the_source_that_its_recipient_names(post: Post, log: MemoryLog) -> None:
    with post.smtp() as client:
        client.send_message(mail(), to_addrs=["support+tag@any.example"])
        client.send_message(mail("two@example.ee"), from_addr="", to_addrs=["Sales@any.example"])
    first, second = log.events
    assert (first.id, first.source, first.data["automatic"]) == ("one@example.ee", "support", "none")
    assert (second.source, second.data["automatic"]) == ("sales", "bounce")
    assert first.data["recipients"] == ["support+tag@any.example"]


def test_a_recipient_who_is_no_source_of_mails_is_refused_and_the_others_are_not(post: Post, log: MemoryLog) -> None:
    with post.smtp() as client:
        refused = client.send_message(mail(), to_addrs=["support@x.ee", "nobody@x.ee", "chat@x.ee"])
    assert {name: code for name, (code, _) in refused.items()} == {"nobody@x.ee": 550, "chat@x.ee": 550}
    assert len(log.events) == 1


def test_a_mail_again_is_one_event(post: Post, log: MemoryLog) -> None:
    for _ in range(2):
        with post.smtp() as client:
            client.send_message(mail())
    assert len(log.events) == 1


def test_while_the_log_is_away_the_sender_is_asked_to_try_again(post: Post, log: MemoryLog) -> None:
    log.away = True
    with post.smtp() as client, pytest.raises(smtplib.SMTPDataError) as away:
        client.send_message(mail())
    assert away.value.smtp_code == 451
    log.away = False
    with post.smtp() as client:
        client.send_message(mail())
    assert [one.id for one in log.events] == ["one@example.ee"]


def test_while_the_keys_are_away_nobody_is_refused_for_good(post: Post, engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE sources RENAME TO gone")
    with post.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as away:
        client.send_message(mail())
    assert {code for code, _ in away.value.recipients.values()} == {451}


def test_by_lmtp_each_recipient_is_answered_for(post: Post, log: MemoryLog) -> None:
    client = post.lmtp()
    client.ehlo()
    client.mail("mari@example.ee")
    assert [client.rcpt(f"{name}@x.ee")[0] for name in ("support", "sales", "nobody")] == [250, 250, 550]
    client.putcmd("data")
    assert client.getreply()[0] == 354
    client.send(bytes(mail()).replace(b"\n", b"\r\n") + b"\r\n.\r\n")
    assert [client.getreply()[0] for _ in range(2)] == [250, 250]
    assert client.noop()[0] == 250
    client.quit()
    assert sorted(one.source for one in log.events) == ["sales", "support"]


def test_what_is_too_large_is_refused_for_each_recipient(post: Post, log: MemoryLog) -> None:
    client = post.lmtp()
    client.ehlo()
    client.mail("mari@example.ee")
    client.rcpt("support@x.ee")
    client.rcpt("sales@x.ee")
    client.putcmd("data")
    client.getreply()
    client.send(bytes(mail(words="x" * 60 + "\n")) * 600 + b"\r\n.\r\n")
    assert [client.getreply()[0] for _ in range(2)] == [552, 552]
    assert client.noop()[0] == 250
    with post.smtp() as sender, pytest.raises(smtplib.SMTPResponseException) as large:
        sender.send_message(mail(words="x\n" * SMALL))
    assert large.value.smtp_code == 552
    assert not log.events


def asked_for(post: Post) -> smtplib.SMTP:
    """A client whose mail is asked for."""
    client = post.smtp()
    client.ehlo()
    client.mail("mari@example.ee")
    client.rcpt("support@x.ee")
    client.putcmd("data")
    assert client.getreply()[0] == 354
    return client


def send(client: smtplib.SMTP, words: bytes, times: int, pace: float = 0.0) -> None:
    """Send words again and again, as slowly as it is said."""
    for _ in range(times):
        client.send(words)
        Event().wait(pace)


def test_a_line_without_an_end_is_given_up(post: Post) -> None:
    for before in (b"", b"x\r\n" * SMALL):  # and after the mail is too large already
        client = asked_for(post)
        client.send(before)
        with pytest.raises((OSError, smtplib.SMTPServerDisconnected)):
            send(client, b"x" * 100_000, times=300)


def test_a_mail_may_take_longer_than_a_silence(engine: sa.Engine, log: MemoryLog, certificate: Path) -> None:
    with serving(engine, log, certificate, most=1_000_000, patience=4) as post:
        client = asked_for(post)
        client.send(bytes(mail()).replace(b"\n", b"\r\n"))
        send(client, b"And it goes on.\r\n", times=30, pace=0.2)
        client.send(b".\r\n")
        assert [client.getreply()[0], client.noop()[0]] == [250, 250]
    assert len(log.events) == 1


def test_a_silent_or_dripping_client_is_given_up(engine: sa.Engine, log: MemoryLog, certificate: Path) -> None:
    with serving(engine, log, certificate, patience=1) as post:
        with pytest.raises(smtplib.SMTPServerDisconnected):
            asked_for(post).getreply()
        with pytest.raises((OSError, smtplib.SMTPServerDisconnected)):
            send(asked_for(post), b"x", times=600, pace=0.1)


def test_what_is_no_mail_is_refused_for_good(post: Post) -> None:
    with post.smtp() as client, pytest.raises(smtplib.SMTPDataError) as why:
        client.sendmail("a@b.ee", ["support@x.ee"], "only words\r\n")
    assert why.value.smtp_code == 554


def test_who_signs_in_with_a_sources_key_writes_to_that_source(post: Post, log: MemoryLog, certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    for name, mechanism in (("anybody", "auth_plain"), ("support", "auth_login")):
        with smtplib.SMTP("localhost", post.smtp_port, timeout=30) as client:
            client.starttls(context=trusting)
            client.ehlo()
            client.user, client.password = name, KEY
            assert client.auth(mechanism.removeprefix("auth_"), getattr(client, mechanism))[0] == 235
            client.send_message(mail(f"{mechanism}@example.ee"), to_addrs=["whoever@x.ee"])
    assert {one.source for one in log.events} == {"support"}
    with post.smtp() as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login("support", "wrong")


def test_long_lines_and_other_alphabets_arrive(post: Post, log: MemoryLog) -> None:
    with post.smtp() as client:
        client.ehlo()
        raw = b"From: mari@example.ee\r\nMessage-ID: <l@x>\r\nSubject: \xd1\x87\r\n\r\n"
        raw += b"a" * 20_000 + b"\r\n..dot\r\n"
        client.sendmail("mari@example.ee", ["support@x.ee"], raw, ["SMTPUTF8", "BODY=8BITMIME"])
    (event,) = log.events
    assert event.data["subject"] == "ч"
    assert event.text == "a" * 20_000 + "\n..dot"


def test_mails_are_timed_and_answers_that_take_nothing_are_counted(post: Post, log: MemoryLog) -> None:
    with post.smtp() as client:
        client.send_message(mail(), to_addrs=["support@x.ee", "nobody@x.ee"])
        log.away = True
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(mail("two@example.ee"))
    with post.smtp() as client, pytest.raises(smtplib.SMTPResponseException):
        client.send_message(mail(words="x\n" * SMALL))
    log.away = False
    with post.lmtp() as client:
        client.ehlo()
        client.sendmail("", ["sales@x.ee"], bytes(mail("three@example.ee")))

    def seen(name: str, **labels: str) -> float | None:
        return post.measures.registry.get_sample_value(f"tellonce_ingest_{name}", labels)

    assert seen("events_total", verdict="accepted") == 2
    times = [("smtp", "250"), ("smtp", "451"), ("lmtp", "250")]
    assert [seen("request_seconds_count", route=route, status=status) for route, status in times] == [1, 1, 1]
    assert [seen("refused_total", code=code) for code in ("smtp_550", "smtp_552")] == [1, 1]
    assert seen("unavailable_total", code="smtp_451") == 1
