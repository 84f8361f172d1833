"""The HTTP server of the services: uvicorn, where no connection may take time or memory without end.

uvicorn itself waits for a request for ever, and holds headers of any size. A proxy in front needs no settings for it;
what is left to it is how many connections one address may have.
"""

import resource
from asyncio import BaseTransport, TimerHandle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services.cork import Cork
from services.errors import Unavailable
from services.flow import Flow
from services.shortcut import Exchange, Take

MERCY = 2.0  # seconds beyond the time for a request in which the application may say so itself
IDLE_SECONDS = 75  # between requests: more than the usual minute of proxies, which else would meet a closed door
HEADER_BYTES = 64_000  # and trailers, of a request; their parser copies the whole for every piece that comes
HEADERS = 200  # of a request: as objects, short ones take thirty times their bytes
FRAME_BYTES = 1  # for each byte of a body: who sends it in chunks of a few bytes each wants to keep us busy
REQUEST_BYTES = 40_000_000  # as sent; mails with attachments are the longest
UNFINISHED_BYTES = 128_000_000  # of all requests that are not whole yet
WAITING = 100  # requests of a connection that wait for the answer to one before
FILES = 65_536  # that a process opens at most, where the system lets it
OWN_FILES = 200  # kept for the database, the log and whatever else is not a connection
STOP_SECONDS = 5  # for streams that are open when it is stopped
ASIDE_SECONDS = 5.0  # for a request to what is served aside
NONE: Mapping[bytes, Take] = {}


class Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn takes a second Ctrl-C for leave to drop everything."""

    def __init__(
        self,
        application: Starlette,
        host: str,
        port: int,
        seconds: float,
        requests: int | None = None,
        shortcuts: Mapping[bytes, Take] = NONE,
    ) -> None:
        """`seconds`: until a request must be whole; `requests`: at once, others are told to come again; `shortcuts`:
        who takes posts that came whole, by their address."""
        super().__init__(
            uvicorn.Config(
                application, host, port, http=Connection, ws="none", log_config=None, access_log=False,
                server_header=False, proxy_headers=False, timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )  # fmt: skip
        Connection.most, Connection.seconds = _more_files() - OWN_FILES, seconds + MERCY
        Connection.requests, Connection.shortcuts = requests, shortcuts

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Connection(HttpToolsProtocol):
    """One connection; it is closed when a request does not become whole within its limits, and when nothing of an
    answer is read for as long.

    `most`: connections at once; `seconds`: until a request is whole; `unfinished`: bytes of those that are not;
    `requests`: at once, of those that are whole; `asked`: those that wait for their answer; `shortcuts`: by address.
    """

    most, seconds = FILES, MERCY
    requests: int | None = None
    shortcuts = NONE
    unfinished = asked = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._whole = self._in_header = False
        self._asked = 0
        self._bytes = self._body = 0  # of the request that is not whole: all, and what of it is its body
        self._end: TimerHandle | None = None
        self._take: Take | None = None  # who may take the request that is being read
        self._held = b""  # its body so far
        self._running: RequestResponseCycle | Exchange | None = None  # what is answered next, or was last
        self._unread: TimerHandle | None = None  # the next look whether an answer is read

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._cork = Cork(self.transport, self.loop)
        self.transport = self._cork  # type: ignore[assignment]
        self.flow = Flow(self.transport, self.pipeline)
        if len(self.connections) > self.most:
            self.transport.close()
        else:
            self._end = self.loop.call_later(self.seconds, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle()
        self._answered(self._asked)
        self.resume_writing()
        if self._running:  # uvicorn tells but the last that came
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._take and not self.transport.is_closing():
            self._begin()
        if self._whole or self.transport.is_closing():
            return
        self._bytes += len(data)
        Connection.unfinished += len(data)
        if self._end and self._bytes > HEADER_BYTES + FRAME_BYTES * self._body:  # not in the piece in which it began
            self._refuse()
        elif self._bytes > REQUEST_BYTES or Connection.unfinished > UNFINISHED_BYTES:
            self._close()
        elif self._end is None:
            self._end = self.loop.call_later(self.seconds, self._close)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._answered(self._asked)  # what waits now waits for its client
        self._look_again()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._whole, self._in_header = False, True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_header:  # else a trailer, which would come to the headers of a request that is under way
            if len(self.headers) == HEADERS:
                raise ValueError  # ends the parsing of what has come: the answer is 400
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_header = False
        is_full = self.requests is not None and Connection.asked >= self.requests
        self.app = _busy if is_full else self.config.loaded_app
        take = self.shortcuts.get(self.url)
        if take and not is_full and self._is_usual():
            self._take, self._held = take, b""
        elif len(self.pipeline) < WAITING:
            super().on_headers_complete()
        else:
            self._close()
            raise ConnectionAbortedError  # see on_header

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        if self._take:
            self._held += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._take:
            self._hand_over(self._take)
        super().on_message_complete()
        self._whole = True
        self._settle()
        if not self.cycle.response_complete and not self.flow.write_paused:
            self._asked += 1
            Connection.asked += 1

    def send(self, answer: bytes, is_last: bool) -> None:
        """Send a whole answer."""
        self._cork.write_whole(answer)
        if is_last:
            self._cork.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        if self._asked:
            self._answered(1)
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _is_usual(self) -> bool:
        """Whether the request is a post in a usual connection that waits for no other answer and reads what it has."""
        parser, before = self.parser, self.cycle
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and (before is None or before.response_complete)
            and not self.flow.write_paused
        )

    def _hand_over(self, take: Take) -> None:
        """Have a request taken that has come whole, or else give it to the application."""
        exchange = Exchange(self.send)
        if take(self.headers, self._held, exchange):
            self._take, self._held = None, b""
            self.cycle = self._running = exchange  # type: ignore[assignment]
        else:
            self._begin()

    def _begin(self) -> None:
        """Give the request to the application."""
        self._take = None
        super().on_headers_complete()
        if self._held:
            super().on_body(self._held)
            self._held = b""

    def _answered(self, count: int) -> None:
        self._asked -= count
        Connection.asked -= count

    def _settle(self) -> None:
        """Nothing is waited for now."""
        Connection.unfinished -= self._bytes
        self._bytes = self._body = 0
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _look_again(self) -> None:
        self._unread = self.loop.call_later(self.seconds, self._look, self.transport.get_write_buffer_size())

    def _look(self, before: int) -> None:
        """Whether something was read of what is to be sent."""
        if self.transport.get_write_buffer_size() < before:
            self._look_again()
        else:
            self.transport.abort()

    def _refuse(self) -> None:
        """Say why, unless an answer is under way."""
        if self._in_header:
            self.send_400_response("The headers are too large.")
        else:
            self._close()

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


@contextmanager
def aside(application: Starlette, host: str, port: int | None) -> Iterator[None]:
    """Serve an application while the block does something else, by a thread; without a port nothing is served."""
    if port is None:
        yield
        return
    server = Server(application, host, port, ASIDE_SECONDS)
    thread = Thread(target=server.run, daemon=True, name="aside")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)


async def _busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Instead of the application: more requests are under way than are answered soon."""
    problem = Unavailable("More requests come than are answered soon.", code="busy")
    await JSONResponse(problem.body, problem.status, problem.headers)(scope, receive, send)


def _more_files() -> int:
    """Let the process open as many files as it may; how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return FILES if soft == resource.RLIM_INFINITY else soft
