"""One process appends for all that take requests on a port: what it is handed, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.eventlog import Draft, LogUnavailable
from services.ingest.carrier import Carrier
from services.ingest.frames import Frames, framed, packed, unpacked
from services.ingest.gate import Gate
from tests.fakes import MemoryLog

DRAFT = Draft("email:mari@example.com", b"x" * 100, True)
drafts = st.builds(Draft, st.text(st.characters(codec="utf-8"), max_size=9), st.binary(max_size=99), st.booleans())


@given(st.lists(drafts, max_size=9))
def test_drafts_come_as_they_went(given: Sequence[Draft]) -> None:
    assert unpacked(packed(given)) == given


@given(st.lists(st.binary(max_size=30), max_size=5), st.data())
def test_frames_come_whole_in_whatever_pieces(bodies: list[bytes], data: st.DataObject) -> None:
    come: list[tuple[int, bytes]] = []
    frames = Frames(lambda _, number, body: come.append((number, body)), lambda _: None)
    rest = b"".join(framed(number, body) for number, body in enumerate(bodies))
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        frames.data_received(rest[:size])
        rest = rest[size:]
    assert come == list(enumerate(bodies))


@asynccontextmanager
async def opened(log: MemoryLog, place: Path, budget: int = 10_000, timeout: float = 5) -> AsyncIterator[None]:
    """A gate, until the block ends; those who hand over are to have gone by then."""
    stop, listening = asyncio.Event(), place.exists
    place.unlink(missing_ok=True)
    serving = asyncio.create_task(Gate(log, budget, timeout).serve(place, None, stop))
    await until(listening)
    yield
    stop.set()
    await serving


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


async def outcome(appended: asyncio.Future[None]) -> str:
    """What became of an append: nothing, or what is said of its failure."""
    async with asyncio.timeout(10):
        [failure] = await asyncio.gather(appended, return_exceptions=True)
    assert failure is None or isinstance(failure, LogUnavailable)
    return str(failure or "")


def test_what_several_processes_hand_over_while_the_log_is_busy_goes_together(tmp_path: Path) -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        one, other = Carrier(tmp_path / "gate", 5), Carrier(tmp_path / "gate", 5)
        async with opened(log, tmp_path / "gate"):
            first = [one.begin([DRAFT])]
            await until(lambda: log.passing == 1)
            first.append(other.begin([DRAFT]))
            await until(lambda: log.passing == 2)  # as many as are on their way at once
            rest = [carrier.begin([DRAFT, DRAFT]) for carrier in (one, other, one)]
            await asyncio.to_thread(one.check)  # so that they have come
            assert not any(appended.done() for appended in (*first, *rest))
            log.gate.set()
            assert [await outcome(appended) for appended in (*first, *rest)] == [""] * 5
            one.close()
            other.close()

    asyncio.run(post())
    assert sorted(len(append) for append in log.appends) == [1, 1, 6]


def test_what_is_wrong_with_the_log_is_told_to_who_handed_over_and_to_who_asks(tmp_path: Path) -> None:
    log = MemoryLog()

    async def post() -> None:
        carrier = Carrier(tmp_path / "gate", 5)
        async with opened(log, tmp_path / "gate"):
            await asyncio.to_thread(carrier.check)
            log.away = True
            assert await outcome(carrier.begin([DRAFT])) == "the log is away"
            with pytest.raises(LogUnavailable, match="the log is away"):
                await asyncio.to_thread(carrier.check)
            log.away = False
            assert await outcome(carrier.begin([DRAFT])) == ""
            carrier.close()

    asyncio.run(post())
    assert log.drafts == [DRAFT]


def test_an_append_that_never_ends_is_given_up_and_the_next_ones_go(tmp_path: Path) -> None:
    class Hangs(MemoryLog):
        hanging = 2  # as many as are on their way at once

        def begin(self, drafts: Sequence[Draft]) -> Future[None] | None:
            self.hanging -= 1
            return Future() if self.hanging >= 0 else None

        def give_up(self, begun: Future[None]) -> None:
            begun.set_exception(LogUnavailable("no answer"))

    log = Hangs()

    async def post() -> None:
        one = Carrier(tmp_path / "gate", 5)
        async with opened(log, tmp_path / "gate", timeout=0.2):
            hanging = [one.begin([DRAFT])]
            await until(lambda: log.hanging == 1)
            hanging.append(one.begin([DRAFT]))
            assert all([await outcome(appended) for appended in hanging])
            assert await outcome(one.begin([DRAFT])) == ""
            one.close()

    asyncio.run(post())


def test_over_the_budget_of_all_the_answer_comes_at_once(tmp_path: Path) -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        carrier = Carrier(tmp_path / "gate", 5)
        async with opened(log, tmp_path / "gate", budget=DRAFT.size):
            first = carrier.begin([DRAFT])
            assert "on their way" in await outcome(carrier.begin([DRAFT]))
            log.gate.set()
            assert await outcome(first) == ""
            carrier.close()

    asyncio.run(post())
    assert log.drafts == [DRAFT]


def test_without_anybody_who_appends_that_is_said_at_once_and_a_new_one_is_found(tmp_path: Path) -> None:
    log = MemoryLog()

    async def post() -> None:
        carrier = Carrier(tmp_path / "gate", 5)
        assert "is away" in await outcome(carrier.begin([DRAFT]))
        with pytest.raises(LogUnavailable, match="is away"):
            await asyncio.to_thread(carrier.check)
        for _ in range(2):
            async with opened(log, tmp_path / "gate"):
                assert await outcome(carrier.begin([DRAFT])) == ""
                carrier.close()

    asyncio.run(post())
    assert log.drafts == [DRAFT, DRAFT]


def test_who_handed_over_is_told_when_the_one_that_appends_is_lost(tmp_path: Path) -> None:
    place = tmp_path / "gate"

    async def post() -> None:
        taken: asyncio.Queue[Frames] = asyncio.Queue()

        def new() -> Frames:
            return Frames(lambda frames, number, body: taken.put_nowait(frames), lambda frames: None)

        carrier = Carrier(place, 5)
        async with await asyncio.get_running_loop().create_unix_server(new, str(place)):
            appended = [carrier.begin([DRAFT]), carrier.begin([DRAFT])]
            (await taken.get()).close()  # as a process does that is killed
            assert ["is away" in await outcome(one) for one in appended] == [True, True]

    asyncio.run(post())


def test_all_that_was_handed_over_is_stored_before_it_ends(tmp_path: Path) -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        stop, place, carrier = asyncio.Event(), tmp_path / "gate", Carrier(tmp_path / "gate", 5)
        serving = asyncio.create_task(Gate(log, 10_000, 5).serve(place, None, stop))
        await until(place.exists)
        appended = carrier.begin([DRAFT])
        await until(lambda: log.passing == 1)
        stop.set()
        assert not (await asyncio.wait([serving], timeout=0.2))[0]
        log.gate.set()
        assert await outcome(appended) == ""
        carrier.close()
        await serving

    asyncio.run(post())
    assert log.drafts == [DRAFT]
