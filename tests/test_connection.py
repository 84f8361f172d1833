"""What a connection holds, however much it is sent and however little of its answers is read."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from services.server import HEADERS, WAITING, Connection
from services.shortcut import Exchange, Headers
from tests.wire import SECONDS, Kept, answers, connected, post

OK = [(b"content-length", b"0")]
REQUEST = post("/", b"one")


class Slow:
    """An application that reads each request, and answers when it may."""

    def __init__(self) -> None:
        self.may = asyncio.Semaphore(0)
        self.read: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.read.append((await receive())["body"])
        await self.may.acquire()
        await send({"type": "http.response.start", "status": 200, "headers": OK})
        await send({"type": "http.response.body", "body": b""})


def _begun(count: int) -> tuple[Slow, Connection, Kept]:
    """A connection that was sent so many requests at once."""
    slow = Slow()
    connection, kept = connected(slow, {})
    connection.data_received(REQUEST * count)
    return slow, connection, kept


async def _until(slow: Slow, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(slow.read) < count:
            await asyncio.sleep(0)


def test_nothing_more_is_read_while_requests_wait_for_the_one_before() -> None:
    async def talk() -> list[bool]:
        slow, _, kept = _begun(3)
        reads = []
        for count in (1, 2, 3):
            await _until(slow, count)
            reads.append(kept.is_read)
            slow.may.release()
        await answers(kept, 3)
        return [*reads, kept.is_read]

    assert asyncio.run(talk()) == [False, False, True, True]


def test_requests_that_were_sent_at_once_are_all_answered() -> None:
    async def talk() -> tuple[int, int]:
        slow, _, kept = _begun(1 + WAITING)
        for _ in range(1 + WAITING):
            slow.may.release()
        return len(await answers(kept, 1 + WAITING)), kept.closed_after

    assert asyncio.run(talk()) == (1 + WAITING, -1)


def test_who_sends_more_than_may_wait_is_let_go_without_an_answer() -> None:
    async def talk() -> tuple[list[bytes], bool]:
        _, _, kept = _begun(WAITING + 2)
        return kept.written, kept.is_closing()

    assert asyncio.run(talk()) == ([], True)


def test_requests_that_wait_are_counted_until_each_has_its_answer() -> None:
    async def talk() -> list[int]:
        before = Connection.asked
        slow, connection, kept = _begun(3)
        asked = [Connection.asked - before]
        slow.may.release()
        await answers(kept, 1)
        asked.append(Connection.asked - before)
        connection.connection_lost(None)
        return [*asked, Connection.asked - before]

    assert asyncio.run(talk()) == [3, 2, 0]


def test_a_request_that_others_wait_for_hears_that_its_client_has_gone() -> None:
    async def talk() -> list[str]:
        heard: list[str] = []

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            heard.extend([(await receive())["type"], (await receive())["type"]])

        connection, _ = connected(application, {})
        connection.data_received(REQUEST * 2)
        await asyncio.sleep(0)
        connection.connection_lost(ConnectionResetError())
        async with asyncio.timeout(1):
            while len(heard) < 2:
                await asyncio.sleep(0)
        return heard

    assert asyncio.run(talk()) == ["http.request", "http.disconnect"]


def test_who_does_not_read_its_answers_does_not_go_the_short_way() -> None:
    async def talk() -> list[bytes]:
        taken: list[bytes] = []

        def take(headers: Headers, body: bytes, exchange: Exchange) -> bool:
            taken.append(body)
            exchange.answer(200, OK, b"")
            return True

        connection, _ = connected(Slow(), {b"/": take})
        connection.pause_writing()
        connection.data_received(REQUEST)
        connection.resume_writing()
        return taken

    assert asyncio.run(talk()) == []


def test_who_reads_nothing_of_an_answer_is_let_go_in_time() -> None:
    async def talk() -> None:
        _, connection, kept = _begun(0)
        Connection.seconds = 0.01
        kept.write(b"an answer")
        connection.pause_writing()
        async with asyncio.timeout(SECONDS):
            while not kept.is_closing():
                await asyncio.sleep(0)

    asyncio.run(talk())


class Read(Kept):
    """A transport whose other side has read something whenever one looks."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def get_write_buffer_size(self) -> int:
        self.left -= 1
        return self.left


def test_who_reads_slowly_is_waited_for() -> None:
    async def talk() -> bool:
        connection, _ = connected(Slow(), {})
        kept = Read(20)
        connection.connection_made(kept)
        Connection.seconds = 0.001
        connection.pause_writing()
        async with asyncio.timeout(SECONDS):
            while kept.left > 5:
                await asyncio.sleep(0)
        return kept.is_closing()

    assert not asyncio.run(talk())


@pytest.mark.parametrize(
    "end", [b"", b"\r\n", b"Content-Length: 3\r\n\r\n"], ids=["in them", "whole", "before its body"]
)
@pytest.mark.parametrize("path", [b"/", b"/short"])
def test_a_request_of_more_headers_than_anybody_has_is_refused(path: bytes, end: bytes) -> None:
    async def talk() -> tuple[bytes, bool]:
        connection, kept = connected(Slow(), {b"/short": lambda *asked: False})
        connection.data_received(REQUEST)
        connection.data_received(b"POST " + path + b" HTTP/1.1\r\n" + b"a:\r\n" * (HEADERS + 2) + end)
        return b"".join(kept.written), kept.is_closing()

    written, is_closing = asyncio.run(talk())
    assert is_closing
    assert written.startswith(b"HTTP/1.1 400 ")


def test_who_does_not_read_its_answers_takes_no_place_of_others() -> None:
    async def talk() -> list[int]:
        before = Connection.asked
        _, connection, _ = _begun(2)
        connection.pause_writing()
        asked = [Connection.asked - before]
        connection.data_received(REQUEST)
        asked.append(Connection.asked - before)
        connection.resume_writing()
        return asked

    assert asyncio.run(talk()) == [0, 0]
