"""Mails that real programs hand over to a running tellonce: swaks, a Postfix that forwards, a Dovecot that is read."""

import smtplib
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from tests.brokers import free_port
from tests.e2e.mailservers import PASSWORD, USER, dovecot, postfix, program
from tests.e2e.stacks import Stack, embedded, wait_for
from tests.fakes import MemoryLog
from tests.test_mailserver import certificate, mail, serving  # noqa: F401 - a fixture

SMTP, LMTP, STATUS = free_port(), free_port(), free_port()
SOURCES = ("sales", "support")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, certificate: Path) -> Iterator[Stack]:  # noqa: F811
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TELLONCE_SMTP_PORT", str(SMTP))
        environment.setenv("TELLONCE_LMTP_PORT", str(LMTP))
        environment.setenv("TELLONCE_MAIL_PORT", str(STATUS))
        environment.setenv("TELLONCE_LOG_LEVEL", "debug")
        environment.setenv("TELLONCE_MAIL_CERTIFICATE", str(certificate))
        environment.setenv("TELLONCE_MAIL_OWN", '["shop.example"]')
        folder = tmp_path_factory.mktemp("stack")
        with embedded(folder) as running:
            running.environment["written"] = str(folder / "up.log")
            running.environment["key"] = running.tellonce("sources", "add", "support", "--kind", "email")
            running.environment["agent"] = running.tellonce("keys", "add", "desk", "--role", "agent")
            wait_for(_listens, "the mail server")
            yield running


def _listens() -> bool:
    try:
        smtplib.SMTP("127.0.0.1", SMTP, timeout=10).quit()
    except OSError:
        return False
    return True


def told(stack: Stack, address: str) -> str:
    """What the brief by a mail address says; empty for nobody."""
    by = {"Authorization": f"Bearer {stack.environment['agent']}"}
    answer = requests.get(f"{stack.api}/v1/brief", params={"email": address}, headers=by, timeout=30)
    return answer.text if answer.status_code == 200 else ""


def arrives(stack: Stack, address: str, words: str) -> None:
    wait_for(lambda: words in told(stack, address), f"{words!r} on the timeline of {address}")


def test_a_mail_by_swaks_with_starttls_and_the_sources_key_is_on_the_timeline(stack: Stack) -> None:
    command = [
        program("swaks", needs_root=False), "--server", f"127.0.0.1:{SMTP}", "--from", "swaks@example.ee", "--to",
        "anybody@shop.example", "--tls", "--auth", "PLAIN", "--auth-user", "x", "--auth-password",
        stack.environment["key"], "--header", "Subject: Hi", "--body", "Swaks asks where the parcel is",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    arrives(stack, "swaks@example.ee", "Swaks asks where the parcel is")
    wrong = [word if word != stack.environment["key"] else "wrong" for word in command]
    assert subprocess.run(wrong, capture_output=True, timeout=120).returncode != 0


def test_what_postfix_forwards_by_lmtp_arrives_and_its_queue_is_empty(stack: Stack) -> None:
    with postfix(LMTP) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
            for number in range(3):
                message = mail(f"postfix-{number}@example.ee", f"Postfix brings number {number}")
                message.replace_header("From", f"postfix{number}@example.ee")
                client.send_message(message, to_addrs=["support@shop.example"])
        for number in range(3):
            arrives(stack, f"postfix{number}@example.ee", f"Postfix brings number {number}")
        wait_for(lambda: not server.waiting(), "Postfix's queue to be empty")


def test_a_card_in_a_mail_never_reaches_the_timeline(stack: Stack) -> None:
    message = mail("card@example.ee", "My card is 4111 1111 1111 1111 indeed")
    message.replace_header("From", "card@example.ee")
    with smtplib.SMTP("127.0.0.1", SMTP, timeout=60) as client:
        client.send_message(message)
    arrives(stack, "card@example.ee", "My card is ****1111 indeed")


def test_a_whole_mail_by_http_is_the_same_mail(stack: Stack) -> None:
    message = mail("http@example.ee", "By HTTP it is the same")
    message.replace_header("From", "http@example.ee")
    by = {"Authorization": f"Bearer {stack.environment['key']}", "Content-Type": "message/rfc822"}
    for _ in range(2):
        answer = requests.post(f"{stack.ingest}/v1/sources/support", data=bytes(message), headers=by, timeout=30)
        assert answer.status_code == 200, answer.text
    arrives(stack, "http@example.ee", "By HTTP it is the same")


def test_a_mailbox_is_read_by_the_command(stack: Stack, certificate: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "password").write_text(PASSWORD)
    with dovecot(certificate) as server:
        client = server.client()
        parties = ["imap@example.ee", "help@shop.example"]
        for id, (sender, receiver) in (("in", parties), ("out", reversed(parties))):
            message = mail(f"{id}@example.ee", f"Mailbox has {id}")
            message.replace_header("From", sender)
            message.replace_header("To", receiver)
            client.append("INBOX", bytes(message))
        words = ("mail", "read", "localhost", USER, "--port", str(server.port), "--security", "starttls", "--once")
        files = ("--certificate", str(certificate), "--password-file", str(tmp_path / "password"))
        assert "2 mails" in stack.tellonce(*words, *files)
        assert "0 mails" in stack.tellonce(*words, *files)
    arrives(stack, "imap@example.ee", "Mailbox has in")
    arrives(stack, "imap@example.ee", "Mailbox has out")


def test_what_listens_for_mails_is_seen(stack: Stack) -> None:
    address = f"http://127.0.0.1:{STATUS}"
    with smtplib.SMTP("127.0.0.1", SMTP, timeout=60) as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.send_message(mail("seen@example.ee"), to_addrs=["nobody@shop.example"])
    assert requests.get(f"{address}/readyz", timeout=30).json() == {"status": "ready"}
    assert 'tellonce_ingest_refused_total{code="smtp_550"} 1.0' in requests.get(f"{address}/metrics", timeout=30).text
    status = stack.tellonce("status")
    assert "mail listener" in status
    assert "ready" in status


def test_no_log_line_says_who_wrote_or_what_however_much_is_logged(stack: Stack) -> None:
    message = mail("logged@example.ee", "My cupboard is sauerkraut")
    message.replace_header("From", "leelo@example.ee")
    with smtplib.SMTP("127.0.0.1", SMTP, timeout=60) as client:
        client.sendmail("leelo@example.ee", ["support@shop.example"], bytes(message))
        client.docmd("leelo@example.ee")
    arrives(stack, "leelo@example.ee", "My cupboard is sauerkraut")
    written = Path(stack.environment["written"]).read_text(errors="replace")
    assert '"mail"' in written, "its own line is there"
    assert not [word for word in ("leelo", "sauerkraut", stack.environment["key"]) if word in written.lower()]


def test_postfix_tries_again_while_the_log_is_away_and_loses_and_doubles_nothing(
    engine: sa.Engine,
    log: MemoryLog,
    certificate: Path,  # noqa: F811
) -> None:
    log.away = True
    ids = [f"again-{number}@example.ee" for number in range(3)]
    with serving(engine, log, certificate) as post, postfix(post.lmtp_port) as server:
        with smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
            for id in ids:
                client.send_message(mail(id), to_addrs=["support@shop.example", "sales@shop.example"])
        put_off = partial(post.measures.registry.get_sample_value, "tellonce_ingest_unavailable_total")
        wait_for(lambda: (put_off({"code": "lmtp_451"}) or 0) >= 2 * len(ids), "each receiver to be put off")
        assert server.waiting() >= len(ids)
        log.away = False
        wait_for(lambda: not server.waiting(), "Postfix's queue to be empty")
    assert sorted((one.id, one.source) for one in log.events) == sorted((id, name) for id in ids for name in SOURCES)
