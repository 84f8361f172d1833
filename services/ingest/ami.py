"""Asterisk's manager (AMI): reads its events for as long as it is told to, and posts them to a source's address.

What happens while there is no connection is lost: the manager keeps nothing. So a post that is not taken waits in the
connection and is tried again; nothing is read meanwhile. An event without a time, which the manager says only by
`timestampevents=yes`, gets that of its coming, so that it is the same however late and often it is posted. Our own
instead of a library: the protocol is lines of text, and the one kept library for it brings an event loop and a way of
its own to reconnect.
Source: Asterisk's documentation of the manager's TCP protocol.
"""

import socket
from collections.abc import Callable, Iterator
from http.client import HTTPException
from threading import Event
from time import monotonic, perf_counter, time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import structlog

from services.errors import Unauthorized
from services.ingest.sources.asterisk_calls import MANAGER_EVENTS
from services.logs import kind

WANTED = frozenset(MANAGER_EVENTS) | {"cel", "cdr"}
MOST = 100  # events in one post
SILENCE = 1.0  # seconds without a word, or since the first of those at hand came, after which they are posted
PING = 20  # silences, after which the manager is asked whether it is there, and twice as many until it is given up
LONGEST = 100_000  # bytes of an event
PATIENCE = 10.0  # seconds for a connection or an answer
PAUSES = (1, 2, 5, 10, 30)  # seconds between tries, the last for all further ones

Deliver = Callable[[bytes], None]
Tell = Callable[[bool], object]
Timed = Callable[[int, float], object]
log = structlog.get_logger()


def listen(host: str, port: int, user: str, secret: str, deliver: Deliver, stop: Event, tell: Tell) -> None:
    """Read and deliver events until `stop`; connect again whenever the connection ends. Raises Unauthorized.

    `tell` is told whether there is a connection.
    """
    tries = 0
    while not stop.is_set():
        try:
            with socket.create_connection((host, port), PATIENCE) as connection:
                for posted in _posts(connection, user, secret, stop, tell):
                    tries = 0
                    _until_taken(deliver, posted, stop)
        except OSError as error:
            tell(False)
            log.warning("ami_disconnected", host=host, error=kind(error))
        stop.wait(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1


def poster(address: str, timed: Timed) -> Deliver:
    """What posts to a source's address. It raises OSError, HTTPException unless that is answered.

    `timed` is told of each post: its status, 0 where there was no answer, and its seconds.
    """

    def deliver(body: bytes) -> None:
        started, status = perf_counter(), 0
        try:
            with urlopen(Request(address, body, {"Content-Type": "text/plain"}), timeout=PATIENCE) as answer:
                status = answer.status
        except HTTPError as error:
            status = error.code
            raise
        finally:
            timed(status, perf_counter() - started)

    return deliver


def _until_taken(deliver: Deliver, body: bytes, stop: Event) -> None:
    tries, is_last = 0, stop.is_set()
    while True:
        try:
            return deliver(body)
        except (OSError, HTTPException) as error:
            status = error.code if isinstance(error, HTTPError) else None
            log.warning("ami_not_posted", error=kind(error), status=status)
            if is_last or status in (400, 413):  # it never will be
                return
        is_last = stop.wait(PAUSES[min(tries, len(PAUSES) - 1)])
        tries += 1


def _posts(connection: socket.socket, user: str, secret: str, stop: Event, tell: Tell) -> Iterator[bytes]:
    """Events as they come, several in one. Raises OSError when the connection ends, Unauthorized."""
    _ask(connection, Action="Login", Username=user, Secret=secret, Events="on")
    ready: list[bytes] = []
    since = 0.0
    for block in _blocks(connection, stop):
        fields = dict(_field(line) for line in (block or b"").splitlines())
        if fields.get("response") == "Error" and "authentication" in fields.get("message", "").lower():
            raise Unauthorized("The manager does not let this user in.", code="ami_login", hint="See manager.conf.")
        if fields.get("response") == "Success":
            tell(True)
        if block and fields.get("event", "").lower() in WANTED:
            since = since if ready else monotonic()
            ready.append(block if "timestamp" in fields else b"%b\r\nTimestamp: %.6f" % (block, time()))
        if ready and (block is None or len(ready) >= MOST or monotonic() - since >= SILENCE):
            yield b"\r\n\r\n".join(ready) + b"\r\n\r\n"
            ready = []


def _blocks(connection: socket.socket, stop: Event) -> Iterator[bytes | None]:
    """Whole blocks of lines, and None in each silence and before it ends.

    Raises OSError when the connection ends or stays silent.
    """
    held, silences = b"", 0
    connection.settimeout(SILENCE)
    while not stop.is_set():
        try:
            more = connection.recv(65536)
        except TimeoutError:
            silences += 1
            if silences % PING == 0:
                _ask(connection, Action="Ping")
            if silences > 2 * PING:
                raise ConnectionAbortedError("the manager is silent") from None
            yield None
            continue
        except OSError:
            more = b""
        if not more:
            yield None
            raise ConnectionResetError("the manager closed the connection")
        silences = 0
        *whole, held = (held + more).split(b"\r\n\r\n")
        yield from whole
        if len(held) > LONGEST:
            yield None
            raise ConnectionAbortedError("an event is too long")
    yield None


def _ask(connection: socket.socket, **fields: str) -> None:
    lines = [f"{name}: {value}".replace("\r", "").replace("\n", "") for name, value in fields.items()]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("utf-8", "replace").partition(":")
    return name.strip().lower(), value.strip()
