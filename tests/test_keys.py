import asyncio
import base64
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from starlette.requests import Request

from services import access, database
from services.access import Source
from services.errors import Unauthorized, Unavailable
from services.ingest.credentials import in_request
from services.ingest.keys import FRESH, KEPT, Keys
from services.tables import sources


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key(engine: sa.Engine) -> str:
    with engine.begin() as conn:
        return access.add_source(conn, "shop", "segment")


def _source(keys: Keys, *candidates: str) -> Source:
    return asyncio.run(keys.source_of(iter(candidates)))


def _revoke(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        access.revoke(conn, sources, "shop")


def test_a_key_is_its_sources(engine: sa.Engine, key: str) -> None:
    assert _source(Keys(engine, 5), key) == Source("shop", "segment")
    assert _source(Keys(engine, 5), "other", key) == Source("shop", "segment")


@pytest.mark.parametrize("candidates", [[], ["unknown"]])
def test_without_a_valid_key_nobody_is_let_in(engine: sa.Engine, candidates: list[str]) -> None:
    with pytest.raises(Unauthorized):
        _source(Keys(engine, 5), *candidates)


def test_a_revoked_key_is_refused_within_seconds(engine: sa.Engine, key: str, clock: Clock) -> None:
    keys = Keys(engine, 5, clock)
    _source(keys, key)
    _revoke(engine)
    assert _source(keys, key).name == "shop"
    clock.now += FRESH
    with pytest.raises(Unauthorized):
        _source(keys, key)


def test_a_key_that_was_refused_counts_as_soon_as_it_is_made(engine: sa.Engine) -> None:
    keys = Keys(engine, 5)
    with pytest.raises(Unauthorized):
        _source(keys, "src_later")
    with engine.begin() as conn:
        access.add_source(conn, "shop", "events", key="src_later")
    assert _source(keys, "src_later").name == "shop"


def _breakable(engine: sa.Engine) -> Callable[[], None]:
    """A switch after which the engine gives no connection, as if the database had gone."""
    gone = False

    @sa.event.listens_for(engine, "checkout")
    def refuse(*_: object) -> None:
        if gone:
            raise sa.exc.OperationalError("connect", {}, Exception("the database is gone"))

    def break_it() -> None:
        nonlocal gone
        gone = True
        engine.dispose()

    return break_it


def test_a_database_that_is_away_does_not_stop_a_known_source(engine: sa.Engine, key: str, clock: Clock) -> None:
    break_it = _breakable(engine)
    keys = Keys(engine, 5, clock)
    _source(keys, key)
    break_it()
    clock.now += KEPT - 1
    assert _source(keys, key).name == "shop"
    clock.now += FRESH
    with pytest.raises(Unavailable):
        _source(keys, key)


def test_a_database_that_is_away_can_not_say_who_an_unknown_source_is() -> None:
    nowhere = database.engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable) as refusal:
        _source(Keys(nowhere, 5), "src_unknown")
    assert refusal.value.headers["Retry-After"] == "1"


def test_many_requests_with_one_key_ask_the_database_once(engine: sa.Engine, key: str) -> None:
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    async def together() -> None:
        keys = Keys(engine, 5)
        await asyncio.gather(*(keys.source_of(iter([key])) for _ in range(20)))

    asyncio.run(together())
    assert len([statement for statement in asked if "sources" in statement]) == 1


def _request(authorization: str = "", query: str = "") -> Request:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    return Request({"type": "http", "headers": headers, "query_string": query.encode()})


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "query", "found"),
    [
        (_basic("k-1:"), "", ["k-1"]),
        (_basic("k-1"), "", ["k-1"]),
        (_basic("shop:k-1"), "", ["shop", "k-1"]),
        ("bearer  k-1 ", "", ["k-1"]),
        ("", "writeKey=k-1", ["k-1"]),
        (_basic("k-1:"), "writeKey=k-2", ["k-1", "k-2"]),
        ("Basic ???", "", []),
        ("Basic /w==", "", []),
        ("Digest k-1", "", []),
        ("", "writeKey=", []),
    ],
)
def test_keys_are_found_where_clients_put_them(authorization: str, query: str, found: list[str]) -> None:
    assert list(in_request(_request(authorization, query))) == found
