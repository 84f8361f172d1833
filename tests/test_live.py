"""The live stream on a real server: nothing missed, nothing twice, nobody else's."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from fastapi.sse import ServerSentEvent

from services.access import Role
from services.api import live
from services.api.app import create_app
from services.database import async_engine
from services.eventlog.opening import open_appender
from tests.builders import event
from tests.house import MAIL, PHONE, SETTINGS, House

PATIENCE = 20.0
pytestmark = pytest.mark.timeout(60)  # a stream that says nothing keeps its connection alive all the same


@pytest.fixture
def url(house: House, database_url: str) -> Iterator[str]:
    """The address of a server on the house's database."""
    appender = open_appender(SETTINGS, database_url)
    app = create_app(SETTINGS, database_url, appender)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    appender.close()


@contextmanager
def follow(house: House, url: str, id: str, after: str = "", **headers: str) -> Iterator[Iterator[Any]]:
    """What a customer's stream says, from when the context begins; waits for each."""
    address = f"{url}/v1/customers/{id}/stream" + (f"?after={after}" if after else "")
    by = house.by(Role.agent) | headers
    with httpx2.Client(timeout=PATIENCE) as client, client.sse(address, headers=by) as said:
        yield (one for one in said if one.data)


def texts(said: Iterator[Any], count: int) -> list[str]:
    """The words of the next so many events; what else is said is passed over."""
    events = (one for one in said if one.event == "event")
    return [next(events).json()["event"]["data"]["text"] for _ in range(count)]


def test_what_happens_is_told_as_it_is_committed_and_only_to_whom_it_concerns(house: House, url: str) -> None:
    house.happened(event(MAIL), event(PHONE))
    with follow(house, url, house.id(MAIL)) as said:
        first = next(said)
        assert (first.event, first.json()["id"]) == ("customer", house.id(MAIL))
        house.happened(event(PHONE, text="somebody else's"))
        house.happened(event(MAIL, text="one"))
        house.happened(event(MAIL, text="two"))
        assert texts(said, 2) == ["one", "two"]


def test_an_event_comes_with_what_is_needed_to_show_it(house: House, url: str) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    with follow(house, url, id) as said:
        next(said)
        house.happened(event(MAIL, minute=1, text="Hello"))
        told = next(said).json()
    [newest] = house.get(f"/v1/customers/{id}/timeline", view="flat", limit=1)["items"]
    assert told == newest


def test_nothing_is_missed_and_nothing_told_twice_over_connections(house: House, url: str) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    with follow(house, url, id) as said:
        next(said)
        house.happened(*(event(MAIL, text=f"{i}", minute=i) for i in range(3)))
        seen = [next(said) for _ in range(2)]
    house.happened(*(event(MAIL, text=f"{i}", minute=-i) for i in range(3, 300)))
    words = {one.json()["event"]["data"]["text"] for one in seen}
    with follow(house, url, id, **{"Last-Event-ID": seen[-1].id}) as said:
        rest = texts(said, 298)
        house.happened(event(MAIL, text="last"))
        assert texts(said, 1) == ["last"]
    assert len(rest) == len(set(rest))
    assert words | set(rest) == {f"{i}" for i in range(300)}
    assert words.isdisjoint(rest)


def test_a_stream_starts_where_the_customer_was_read(house: House, url: str) -> None:
    house.happened(event(MAIL, text="read"))
    id = house.id(MAIL)
    place = house.get(f"/v1/customers/{id}")["live"]
    house.happened(event(MAIL, text="in between"))
    with follow(house, url, id, after=place) as said:
        assert texts(said, 1) == ["in between"]


def test_a_transaction_that_commits_late_is_not_skipped(house: House, url: str) -> None:
    house.happened(event(MAIL, PHONE))
    with follow(house, url, house.id(MAIL)) as said:
        next(said)
        with house.engine.begin() as slow:
            slow.execute(sa.text("SELECT pg_current_xact_id()"))  # it began before the other
            house.happened(event(PHONE, text="quick"))
            house.stitch(slow, event(MAIL, text="slow"))
        assert texts(said, 2) == ["slow", "quick"]


def test_who_the_customer_is_is_told_when_identifiers_come_and_go(house: House, url: str) -> None:
    house.happened(event(MAIL), event(PHONE, minute=5))
    left, right = house.id(MAIL), house.id(PHONE)
    with follow(house, url, right) as said:
        alone = next(said).json()
        house.post(f"/v1/customers/{left}/merge", {"with": right})
        merged = next(one for one in said if one.event == "customer").json()
        house.post(f"/v1/customers/{left}/unmerge", {"identifiers": [{"id": right}]})
        parted = next(one for one in said if one.event == "customer").json()
    assert (alone["id"], merged["id"], parted["id"]) == (right, left, right)
    assert alone["members"] == parted["members"] != merged["members"]
    assert [one["value"] for one in merged["identifiers"]] == ["mari@example.com", "+37255512345"]


def test_a_place_from_before_a_restore_is_reset_and_the_stream_goes_on(house: House, url: str) -> None:
    house.happened(event(MAIL))
    with follow(house, url, house.id(MAIL), after=f"{10**15}-{uuid4()}") as said:
        assert [next(said).event, next(said).event] == ["reset", "customer"]
        house.happened(event(MAIL, text="afterwards"))
        assert texts(said, 1) == ["afterwards"]


def test_what_is_no_place_is_refused_before_anything_is_streamed(house: House) -> None:
    house.happened(event(MAIL))
    answer = house.ask(f"/v1/customers/{house.id(MAIL)}/stream", after="yesterday")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_a_stream_outlives_the_loss_of_the_listening_connection(house: House, url: str) -> None:
    house.happened(event(MAIL))
    with follow(house, url, house.id(MAIL)) as said:
        next(said)
        with house.engine.connect() as conn:
            listening = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN timeline'"
            ended = conn.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text(listening)).all()
        assert ended
        house.happened(event(MAIL, text="still here"))
        assert texts(said, 1) == ["still here"]


def test_open_streams_are_counted_and_traced(house: House, url: str) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    with follow(house, url, id, **{"X-Reason": "desk"}) as said:
        next(said)
        assert "tellonce_api_open_streams 1.0" in httpx2.get(f"{url}/metrics").text
    assert [(str(one.customer_id), one.what, one.reason) for one in house.reads()[1:]] == [(id, "stream", "desk")]
    deadline = time.monotonic() + PATIENCE
    while "tellonce_api_open_streams 0.0" not in httpx2.get(f"{url}/metrics").text:
        assert time.monotonic() < deadline, "the stream was not ended"


def test_a_connection_ends_after_its_time_so_that_who_it_is_is_asked_again(house: House, database_url: str) -> None:
    house.happened(event(MAIL))

    async def whole(id: UUID) -> list[ServerSentEvent]:
        engine = async_engine(database_url)
        watch = live.Watch(database_url, engine)
        said = [one async for one in live.stream(engine, watch, id, live.Place(0), life=0.1)]
        await engine.dispose()
        assert not watch.followers
        return said

    assert [one.event for one in asyncio.run(whole(UUID(house.id(MAIL))))] == [None, "customer", "event"]
