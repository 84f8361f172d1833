import asyncio

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.server import Connection
from services.shortcut import Exchange, Headers
from tests.wire import Kept, answers, connected, post

TYPE = (b"content-type", b"text/plain")
REQUEST = post("/short", b"one")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what it was given."""
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    body += message.get("body", b"")
    await PlainTextResponse(b"application: " + scope["method"].encode() + b" " + body)(scope, receive, send)


class Taker:
    """Takes what it is given, but for `no`; answers when it is told to."""

    def __init__(self) -> None:
        self.exchanges: list[tuple[Exchange, bytes]] = []

    def take(self, headers: Headers, body: bytes, exchange: Exchange) -> bool:
        if body == b"no":
            return False
        self.exchanges.append((exchange, body))
        return True

    def answer(self, place: int) -> None:
        exchange, body = self.exchanges[place]
        answer = b"short: " + body
        exchange.answer(200, [TYPE, (b"content-length", b"%d" % len(answer))], answer)


def _said(*pieces: bytes) -> list[str]:
    """The bodies of the answers to pieces of one connection; short ones come at its end, in their order."""

    async def talk() -> list[str]:
        taker = Taker()
        connection, kept = connected(application, {b"/short": taker.take})
        for piece in pieces:
            connection.data_received(piece)
        count = b"".join(pieces).count(b"HTTP/1.1")
        for place in range(count):
            if place < len(taker.exchanges):
                taker.answer(place)
            await asyncio.sleep(0)
        return [answer.rpartition(b"\r\n\r\n")[2].decode() for answer in await answers(kept, count)]

    return asyncio.run(talk())


def test_a_post_that_comes_whole_goes_the_short_way() -> None:
    assert _said(REQUEST) == ["short: one"]


@pytest.mark.parametrize(
    "pieces",
    [
        (REQUEST[:-2], REQUEST[-2:]),
        (REQUEST[:-3], REQUEST[-3:]),
        (REQUEST[:20], REQUEST[20:-1], REQUEST[-1:]),
        (post("/short", b"one", {"Expect": "100-continue"})[:-3], b"one"),
    ],
    ids=["cut in the body", "cut before the body", "three pieces", "asks before the body"],
)
def test_a_post_in_pieces_goes_to_the_application(pieces: tuple[bytes, ...]) -> None:
    assert _said(*pieces)[-1] == "application: POST one"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (post("/other", b"one"), "application: POST one"),
        (post("/short?key=1", b"one"), "application: POST one"),
        (post("/short", b"one", method="PUT"), "application: PUT one"),
        (post("/short", b"one", {"Connection": "close"}), "application: POST one"),
        (post("/short", b"one", {"Upgrade": "h2c", "Connection": "upgrade"}), "application: POST "),
        (post("/short", b"no"), "application: POST no"),
        (post("/short", b""), "short: "),
    ],
    ids=["elsewhere", "with a query", "another method", "the last one", "another protocol", "not taken", "empty"],
)
def test_what_is_not_usual_or_not_taken_goes_to_the_application_as_it_came(request_: bytes, said: str) -> None:
    assert _said(request_) == [said]


def test_requests_one_after_the_other_are_answered_in_their_order() -> None:
    no = post("/short", b"no")
    assert _said(REQUEST, no, REQUEST) == ["short: one", "application: POST no", "application: POST one"]
    assert _said(no + REQUEST) == ["application: POST no", "application: POST one"]


async def _asked() -> tuple[Connection, Kept, Taker]:
    """A connection with a request that was taken and is not answered yet."""
    taker = Taker()
    connection, kept = connected(application, {b"/short": taker.take})
    connection.data_received(REQUEST)
    return connection, kept, taker


def test_a_connection_takes_the_next_when_the_last_is_answered() -> None:
    async def talk() -> int:
        connection, kept, taker = await _asked()
        taker.answer(0)
        connection.data_received(REQUEST)
        taker.answer(1)
        return len(kept.written)

    assert asyncio.run(talk()) == 2


def test_who_waits_for_an_answer_counts_until_it_has_it_or_has_gone() -> None:
    async def talk() -> list[int]:
        before = Connection.asked
        connection, _, taker = await _asked()
        asked = [Connection.asked - before]
        taker.answer(0)
        asked.append(Connection.asked - before)
        connection.data_received(REQUEST)
        connection.connection_lost(None)
        return [*asked, Connection.asked - before]

    assert asyncio.run(talk()) == [1, 0, 0]


def test_nothing_is_written_to_who_has_gone() -> None:
    async def talk() -> list[bytes]:
        connection, kept, taker = await _asked()
        connection.connection_lost(ConnectionResetError())
        taker.answer(0)
        return kept.written

    assert asyncio.run(talk()) == []


def test_a_server_that_stops_sends_the_answer_and_says_that_it_is_the_last() -> None:
    async def talk() -> tuple[bytes, int]:
        connection, kept, taker = await _asked()
        connection.shutdown()
        taker.answer(0)
        return kept.written[0], kept.closed_after

    answer, closed_after = asyncio.run(talk())
    assert b"\r\nconnection: close\r\n" in answer
    assert closed_after == 1


def test_what_is_no_request_is_refused_as_ever() -> None:
    async def talk() -> tuple[list[bytes], int]:
        connection, kept, _ = await _asked()
        connection.data_received(b"nonsense\r\n\r\n")
        return kept.written, kept.closed_after

    written, closed_after = asyncio.run(talk())
    assert written[0].startswith(b"HTTP/1.1 400 ")
    assert closed_after == 1
