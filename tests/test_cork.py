import asyncio

from services.cork import Cork
from tests.wire import Kept

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


def test_the_head_of_an_answer_goes_with_its_body() -> None:
    async def answer() -> list[bytes]:
        kept = Kept()
        cork = Cork(kept, asyncio.get_running_loop())
        for _ in range(2):
            cork.write(HEAD)
            cork.write(b"{}")
        await asyncio.sleep(0)
        return kept.written

    assert asyncio.run(answer()) == [HEAD + b"{}"] * 2


def test_a_head_without_a_body_goes_at_the_next_turn_and_the_parts_of_a_stream_as_they_come() -> None:
    async def answer() -> list[list[bytes]]:
        kept, seen = Kept(), []
        cork = Cork(kept, asyncio.get_running_loop())
        cork.write(HEAD)
        await asyncio.sleep(0)
        for part in (b"1", b"2"):
            seen.append(list(kept.written))
            cork.write(part)
        return [*seen, kept.written]

    assert asyncio.run(answer()) == [[HEAD], [HEAD, b"1"], [HEAD, b"1", b"2"]]


def test_a_connection_that_is_closed_has_sent_its_head() -> None:
    async def answer() -> Kept:
        kept = Kept()
        cork = Cork(kept, asyncio.get_running_loop())
        cork.write(HEAD)
        cork.close()
        assert cork.is_closing()
        return kept

    kept = asyncio.run(answer())
    assert (kept.written, kept.closed_after) == ([HEAD], 1)
