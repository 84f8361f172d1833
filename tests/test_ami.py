"""Asterisk's manager: events are posted as they come, again after a failure, and on a new connection."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, time

import pytest

from services.errors import Unauthorized
from services.ingest.ami import MOST, listen
from services.ingest.sources.asterisk import VENDORS
from tests.sources.posting import becomes, post

WAIT = 20  # seconds
HANGUP = b"Event: Hangup\r\nTimestamp: 1778059862.5\r\nUniqueid: %d\r\nLinkedid: %d\r\n\r\n"
UNWANTED = b"Event: Newstate\r\nUniqueid: 1\r\nLinkedid: 1\r\n\r\n"


class Manager:
    """A manager that lets in whoever knows the secret; `line` is the connection that it has."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(WAIT)
        self.port: int = self._server.getsockname()[1]

    def let_in(self) -> tuple[socket.socket, str]:
        """The next caller's connection and what they asked."""
        line, _ = self._server.accept()
        line.settimeout(WAIT)
        line.sendall(b"Asterisk Call Manager/7.0.3\r\n")
        asked = line.recv(4096).decode()
        good = "Secret: right" in asked
        said = "Success\r\nMessage: Authentication accepted" if good else "Error\r\nMessage: Authentication failed"
        line.sendall(f"Response: {said}\r\n\r\n".encode())
        return line, asked


class Sink:
    """Where events are delivered; it fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.taken: list[bytes] = []
        self.tried: list[bytes] = []
        self.came = Event()
        self._failures = failures
        self.connected: list[bool] = []

    def deliver(self, body: bytes) -> None:
        self.tried.append(body)
        if self._failures:
            self._failures -= 1
            raise OSError("away")
        self.taken.append(body)
        self.came.set()

    def next(self) -> bytes:
        assert self.came.wait(WAIT)
        self.came.clear()
        return self.taken[-1]


@contextmanager
def listening(manager: Manager, sink: Sink) -> Iterator[None]:
    stop = Event()
    where = "127.0.0.1", manager.port, "us", "right"
    thread = Thread(target=listen, args=(*where, sink.deliver, stop, sink.connected.append), daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(WAIT)
    assert not thread.is_alive()


def test_events_of_calls_are_posted_as_they_come_and_others_are_not() -> None:
    manager, sink = Manager(), Sink()
    with listening(manager, sink):
        line, asked = manager.let_in()
        assert "Username: us" in asked
        line.sendall(b"Event: PeerStatus\r\nPeer: SIP/1\r\n\r\nEvent: Hang")
        line.sendall(b"up\r\nTimestamp: 1778059862.5\r\nUniqueid: 1\r\nLinkedid: 1\r\n\r\n" + HANGUP % (2, 2))
        assert sink.next() == HANGUP % (1, 1) + HANGUP % (2, 2)


def test_a_connection_that_ends_is_made_again() -> None:
    manager, sink = Manager(), Sink()
    with listening(manager, sink):
        for number in (1, 2):
            line, _ = manager.let_in()
            line.sendall(HANGUP % (number, number))
            assert sink.next() == HANGUP % (number, number)
            line.close()
    assert sink.connected[:3] == [True, False, True]


def test_what_came_before_the_connection_ended_is_posted() -> None:
    manager, sink = Manager(), Sink(failures=1)
    with listening(manager, sink):
        line, _ = manager.let_in()
        line.sendall(HANGUP % (1, 1) + HANGUP % (2, 2))
        line.close()
        assert sink.next() == HANGUP % (1, 1) + HANGUP % (2, 2)


def test_what_came_before_it_is_stopped_is_posted() -> None:
    manager, posted, stop = Manager(), [], Event()

    def deliver(body: bytes) -> None:
        posted.append(body)
        stop.set()

    Thread(target=lambda: manager.let_in()[0].sendall(HANGUP % (1, 1) * MOST + HANGUP % (2, 2)), daemon=True).start()
    listen("127.0.0.1", manager.port, "us", "right", deliver, stop, lambda is_connected: None)
    assert posted == [HANGUP % (1, 1) * MOST, HANGUP % (2, 2)]


def test_other_events_hold_nothing_back() -> None:
    manager, sink = Manager(), Sink()
    with listening(manager, sink):
        line, _ = manager.let_in()
        line.sendall(HANGUP % (1, 1))
        deadline = monotonic() + WAIT
        while not sink.came.wait(0.2):
            assert monotonic() < deadline
            line.sendall(UNWANTED)
        assert sink.taken == [HANGUP % (1, 1)]


def test_an_event_without_a_time_has_that_of_its_coming_however_late_it_is_posted() -> None:
    manager, sink, began = Manager(), Sink(failures=2), time()
    with listening(manager, sink):
        line, _ = manager.let_in()
        line.sendall(UNWANTED.replace(b"Newstate", b"Hold"))
        assert sink.next().startswith(b"Event: Hold\r\n")
    assert len(set(sink.tried)) == 1
    came = float(sink.tried[0].rpartition(b"Timestamp: ")[2])
    assert began - 1 < came < time() + 1
    (held,) = becomes(VENDORS[0], post(sink.tried[0]))
    assert held["id"] == f"1/1/held/{came:.3f}"


def test_what_is_not_taken_is_posted_again() -> None:
    manager, sink = Manager(), Sink(failures=2)
    with listening(manager, sink):
        line, _ = manager.let_in()
        line.sendall(HANGUP % (1, 1))
        assert sink.next() == HANGUP % (1, 1)
    assert len(sink.taken) == 1


def test_who_is_not_let_in_hears_it() -> None:
    manager = Manager()
    Thread(target=manager.let_in, daemon=True).start()
    with pytest.raises(Unauthorized, match="not let"):
        listen("127.0.0.1", manager.port, "us", "wrong", Sink().deliver, Event(), lambda is_connected: None)
