import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from services.api.bodies import Bounded
from services.errors import Invalid, Problem, TooLarge
from services.eventlog import LogUnavailable
from services.eventlog.budget import Budget
from services.ingest.bodies import Portion, TooSlow, inflate, read

BODY = b'{"id": "1", "text": "\xc3\x95htust!"}' * 20


async def _chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _read(*chunks: bytes, limit: int = 1000, headers: dict[str, str] | None = None) -> bytes:
    return asyncio.run(read(_chunks(*chunks), headers or {}, limit, 5, lambda size: None))


def test_a_body_is_read_whole_however_it_is_cut() -> None:
    assert _read(b"ab", b"", b"c" * 998) == b"ab" + b"c" * 998


def test_a_body_that_announces_too_many_bytes_is_not_read() -> None:
    async def never() -> AsyncIterator[bytes]:
        raise AssertionError("it was read")
        yield b""

    with pytest.raises(TooLarge) as refusal:
        asyncio.run(read(never(), {"content-length": "1001"}, 1000, 5, lambda size: None))
    assert refusal.value.code == "body_too_large"


@pytest.mark.parametrize(("length", "status"), [("0" * 5000 + "2", 200), ("9" * 5000, 413)])
def test_the_api_takes_a_length_of_any_digits(length: str, status: int) -> None:
    client = TestClient(Bounded(Starlette(routes=[Route("/", lambda _: Response(), methods=["POST"])])))
    assert client.post("/", content=b"ab", headers={"Content-Length": length}).status_code == status


def test_zeros_before_a_length_say_nothing() -> None:
    assert _read(b"ab", headers={"content-length": "0" * 5000 + "2"}) == b"ab"
    with pytest.raises(TooLarge):
        _read(b"ab", headers={"content-length": "9" * 5000})


def test_a_body_that_grows_too_large_is_refused_while_it_comes() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 300

    with pytest.raises(TooLarge):
        asyncio.run(read(endless(), {"content-length": "5"}, 1000, 5, lambda size: None))


def test_a_body_that_stops_coming_is_given_up() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    with pytest.raises(TooSlow) as refusal:
        asyncio.run(read(stuck(), {}, 1000, 0.01, lambda size: None))
    assert (refusal.value.status, refusal.value.code) == (408, "body_too_slow")


def test_a_body_whose_sender_went_away_is_a_refusal_and_no_fault_of_ours() -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield b"x"
        raise ClientDisconnect

    with pytest.raises(Invalid) as refusal:
        asyncio.run(read(cut(), {}, 1000, 5, lambda size: None))
    assert refusal.value.code == "body_cut_off"


def test_bytes_of_bodies_count_against_the_budget_until_they_are_done_with() -> None:
    budget = Budget(1000)
    with Portion(budget) as take:
        take(600)
        with pytest.raises(LogUnavailable), Portion(budget) as other:
            other(600)
        assert budget.taken == 600
    assert budget.taken == 0


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("", BODY),
        ("identity", BODY),
        ("gzip", gzip.compress(BODY)),
        ("X-GZIP ", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, level=1)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
    ],
)
def test_a_body_is_inflated_by_its_encoding(encoding: str, raw: bytes) -> None:
    assert inflate(raw, encoding, limit=len(BODY)) == BODY


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", BODY),
        ("gzip", gzip.compress(BODY)[:-9]),
        ("gzip", gzip.compress(BODY) + b"more"),
        ("deflate", gzip.compress(BODY)),
        ("br", BODY),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY))),
    ],
)
def test_a_broken_or_foreign_encoding_is_refused(encoding: str, raw: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        inflate(raw, encoding, limit=10_000)
    assert refusal.value.code == "bad_encoding"


@pytest.mark.parametrize("raw", [gzip.compress(bytes(50_000_000)), gzip.compress(b"x" * 600) * 2])
def test_a_bomb_is_refused_by_what_it_would_become(raw: bytes) -> None:
    with pytest.raises(Problem) as refusal:
        inflate(raw, "gzip", limit=1000)
    assert (refusal.value.status, refusal.value.code) == (413, "body_too_large")
