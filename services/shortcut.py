"""The short way of a request that came whole: one call takes it, one write answers it.

uvicorn makes a task, an event and a cycle of messages for each request, so that a body may come in pieces and an answer
go in pieces; for a small post that costs more than all that is done with it.
"""

from collections.abc import Callable, Sequence

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

Headers = Sequence[tuple[bytes, bytes]]


class Exchange:
    """A request that was taken, and its answer; to uvicorn's protocol it is one of its cycles."""

    __slots__ = ("_send", "disconnected", "keep_alive", "more_body", "response_complete")

    def __init__(self, send: Callable[[bytes, bool], None]) -> None:
        """`send`: sends a whole answer; whether it is the last of its connection."""
        self._send = send
        self.disconnected = self.response_complete = self.more_body = False
        self.keep_alive = True

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the answer, once, to who is still there."""
        self.response_complete = True
        if self.disconnected:
            return
        sent = [STATUS_LINE[status], *(b"%b: %b\r\n" % header for header in headers)]
        if not self.keep_alive:
            sent.append(b"connection: close\r\n")
        self._send(b"".join([*sent, b"\r\n", body]), not self.keep_alive)

    @property
    def message_event(self) -> "Exchange":
        """Nobody waits for a message."""
        return self

    def set(self) -> None:
        """See `message_event`."""


# Takes a request's headers (names in lower case) and its body, or says False, and then all is as if it had not been
# asked: the application does it.
Take = Callable[[Headers, bytes, Exchange], bool]
