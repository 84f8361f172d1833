"""Real mail servers in processes of their own: Dovecot for IMAP, Postfix that forwards by LMTP."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from imapclient import IMAPClient

from tests.brokers import free_port
from tests.e2e.stacks import open_folder, wait_for

USER, PASSWORD = "support", "secret"
DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = no
mail_location = maildir:{home}/mail/%u
first_valid_uid = 1
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={home}/mail/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def program(name: str, needs_root: bool = True) -> str:
    """Where a program is; without it, or without the right to run it, the test is skipped, and fails in CI."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    if found and (os.geteuid() == 0 or not needs_root):
        return found
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not here, or needs root")


@dataclass
class Dovecot:
    """A running Dovecot with one account; its certificate is `certificate`."""

    port: int
    start: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def client(self) -> IMAPClient:
        """Somebody else at the mailbox."""
        client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=30)
        client.login(USER, PASSWORD)
        return client

    def up(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(self.start)
        wait_for(self._answers, "Dovecot to answer")

    def down(self) -> None:
        """Stop it."""
        if self.process:
            self.process.terminate()
            self.process.wait(30)

    def _answers(self) -> bool:
        try:
            self.client().logout()
        except (OSError, IMAPClient.Error):
            return False
        return True


@contextmanager
def dovecot(certificate: Path) -> Iterator[Dovecot]:
    """Dovecot on a free port, with STARTTLS by a file that holds key and certificate."""
    command = program("dovecot")
    with open_folder() as home:
        port = free_port()
        (home / "mail").mkdir()
        shutil.chown(home / "mail", "nobody", "nogroup")
        config = home / "dovecot.conf"
        words = {"home": home, "port": port, "certificate": certificate, "password": PASSWORD}
        config.write_text(DOVECOT.format(**words))
        found = Dovecot(port, [command, "-F", "-c", str(config)], home / "log")
        found.up()
        try:
            yield found
        finally:
            found.down()


class Relay:
    """Stands between a mail server and its clients, on `port`: what `before` has for a word happens once, before a
    client's words with it go on. `passed` is what was said on both sides."""

    def __init__(self, to: int) -> None:
        self.before: dict[bytes, Callable[[], object]] = {}
        self.passed = b""
        self._to = to
        self._ends: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections without a word."""
        for end in self._ends:
            with suppress(OSError):  # that has ended already
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # when it is closed
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._ends += [client, server]
                Thread(target=self._pass, args=(client, server, self.before), daemon=True).start()
                Thread(target=self._pass, args=(server, client, {}), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket, before: dict[bytes, Callable[[], object]]) -> None:
        with suppress(OSError):
            while words := one.recv(65_536):
                for word in [word for word in before if word in words]:
                    before.pop(word)()
                other.sendall(words)
                self.passed += words
            other.shutdown(socket.SHUT_WR)


@dataclass
class Postfix:
    """A running Postfix that hands all mails over by LMTP."""

    port: int
    queue: Path

    def waiting(self) -> int:
        """How many mails are in its queue."""
        kinds = ("incoming", "active", "deferred", "maildrop")
        return sum(1 for kind in kinds for file in (self.queue / kind).rglob("*") if file.is_file())


@contextmanager
def postfix(lmtp_port: int) -> Iterator[Postfix]:
    """Postfix on a free port, whose next hop is an LMTP server here; it tries again every second."""
    command = program("postfix")
    with open_folder() as home:
        port, queue, data, config = free_port(), home / "queue", home / "data", home / "etc"
        for made in (queue, data, config):
            made.mkdir()
        shutil.chown(data, "postfix")
        settings = {
            "compatibility_level": "3.6", "queue_directory": queue, "data_directory": data, "mydestination": "",
            "myhostname": "mx.shop.example", "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4",
            "relay_domains": "shop.example", "relay_transport": f"lmtp:inet:127.0.0.1:{lmtp_port}",
            "mynetworks": "127.0.0.0/8", "local_recipient_maps": "", "alias_maps": "", "smtputf8_enable": "yes",
            "minimal_backoff_time": "1s", "maximal_backoff_time": "2s", "queue_run_delay": "1s",
            "smtpd_relay_restrictions": "permit_mynetworks,reject", "maillog_file": home / "log",
            "maillog_file_prefixes": home, "master_service_disable": "",
        }  # fmt: skip
        (config / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (config / "master.cf").write_text(MASTER.format(port=port))
        environment = os.environ | {"MAIL_CONFIG": str(config)}
        run = [command, "-c", str(config)]
        subprocess.run([*run, "start"], check=True, env=environment, capture_output=True, timeout=60)
        try:
            yield Postfix(port, queue)
        finally:
            subprocess.run([*run, "stop"], env=environment, capture_output=True, timeout=60)


MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""
