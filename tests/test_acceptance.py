import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.codec import Malformed
from services.access import Source
from services.errors import TooLarge
from services.eventlog import Draft, LogUnavailable
from services.eventlog.budget import Budget
from services.identifiers import Rules
from services.ingest.acceptance import Acceptance, Memory
from services.ingest.groupcommit import GroupCommit, Threads
from tests.builders import document
from tests.fakes import MemoryLog

SHOP = Source("shop", "events")
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
DRAFT = Draft("email:mari@example.com", b"x" * 100)


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.001)


def _commit(log: MemoryLog, budget: int = 10_000, timeout: float = 5, parallel: int = 1) -> GroupCommit:
    return GroupCommit(Threads(log, parallel), Budget(budget), timeout)


def _acceptance(log: MemoryLog, channels: tuple[str, ...] = ("email", "chat"), most: int = 10) -> Acceptance:
    return Acceptance(_commit(log, 1_000_000), Rules(), channels, most)


def _statuses(acceptance: Acceptance, *documents: Any, source: Source = SHOP) -> list[str]:
    """Post documents in one request and say what became of each: its status, or its code."""
    judged = acceptance.judge(source, documents, NOW)
    asyncio.run(acceptance.store(judged))
    return [verdict.get("code") or verdict["status"] for verdict in judged.verdicts]


def test_what_waits_while_the_log_is_busy_goes_together() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        commit = _commit(log)
        first = asyncio.create_task(commit.append([DRAFT]))
        await asyncio.to_thread(log.waiting.wait, 5)
        rest = [asyncio.create_task(commit.append([DRAFT, DRAFT])) for _ in range(3)]
        await asyncio.sleep(0)
        log.gate.set()
        await asyncio.gather(first, *rest)

    asyncio.run(post())
    assert [len(append) for append in log.appends] == [1, 6]


def test_the_first_goes_at_once_and_few_that_follow_soon_go_together() -> None:
    log = MemoryLog()

    async def post() -> None:
        commit = GroupCommit(Threads(log, 2, apart=0.5), Budget(10_000), timeout=5)
        await commit.append([DRAFT])
        first = asyncio.create_task(commit.append([DRAFT]))
        for _ in range(5):  # it would be on its way by now
            await asyncio.sleep(0)
        await asyncio.gather(first, commit.append([DRAFT, DRAFT]))

    asyncio.run(post())
    assert [len(append) for append in log.appends] == [1, 3]


def test_one_who_fails_at_hearing_of_the_end_holds_up_nobody() -> None:
    log = MemoryLog()

    def fail(failure: Exception | None) -> None:
        raise ValueError("not to be told")

    async def post() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        commit = _commit(log, timeout=1)
        commit.begin([DRAFT], fail)
        await commit.append([DRAFT])
        await commit.append([DRAFT])
        return told

    [told] = asyncio.run(post())
    assert str(told["exception"]) == "not to be told"
    assert len(log.drafts) == 3


def test_a_request_is_answered_only_when_its_drafts_are_durable() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        commit = _commit(log)
        posted = asyncio.create_task(commit.append([DRAFT]))
        await asyncio.to_thread(log.waiting.wait, 5)
        assert not posted.done()
        log.gate.set()
        await posted

    asyncio.run(post())
    assert log.drafts == [DRAFT]


def test_a_log_that_is_away_is_told_to_all_who_wait() -> None:
    log = MemoryLog()
    log.away = True

    async def post() -> list[Any]:
        commit = _commit(log)
        return await asyncio.gather(*(commit.append([DRAFT]) for _ in range(3)), return_exceptions=True)

    assert [type(outcome) for outcome in asyncio.run(post())] == [LogUnavailable] * 3


def test_a_log_that_is_back_takes_drafts_again() -> None:
    log = MemoryLog()

    async def post() -> None:
        commit = _commit(log)
        log.away = True
        with pytest.raises(LogUnavailable):
            await commit.append([DRAFT])
        log.away = False
        await commit.append([DRAFT])

    asyncio.run(post())
    assert log.drafts == [DRAFT]


def test_a_log_that_fails_at_beginning_is_told_and_takes_the_next_drafts() -> None:
    class Fails(Threads):
        failures = 1

        def begin(self, drafts: Sequence[Draft]) -> asyncio.Future[None]:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("closed meanwhile")
            return super().begin(drafts)

    log = MemoryLog()

    async def post() -> None:
        commit = GroupCommit(Fails(log), Budget(10_000), timeout=1)
        with pytest.raises(RuntimeError, match="closed meanwhile"):
            await commit.append([DRAFT])
        await commit.append([DRAFT])

    asyncio.run(post())
    assert log.drafts == [DRAFT]


def test_a_log_that_hangs_is_given_up_in_time_and_then_holds_no_more_than_it_has() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        budget = Budget(10_000)
        commit = GroupCommit(Threads(log), budget, timeout=0.01)
        outcomes = await asyncio.gather(*(commit.append([DRAFT]) for _ in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [LogUnavailable] * 3
        with pytest.raises(LogUnavailable):
            await commit.append([DRAFT])
        assert budget.taken == 3 * DRAFT.size  # those in the hands of the log; the later one left the queue
        log.gate.set()
        await _until(lambda: budget.taken == 0)

    asyncio.run(post())
    assert len(log.drafts) == 3


def test_over_the_budget_the_answer_comes_at_once() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        commit = _commit(log, budget=3 * DRAFT.size)
        waiting = [asyncio.create_task(commit.append([DRAFT])) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(LogUnavailable):
            await commit.append([DRAFT])
        log.gate.set()
        await asyncio.gather(*waiting)
        await commit.append([DRAFT])

    asyncio.run(post())
    assert len(log.drafts) == 4


def test_whoever_comes_when_the_first_in_line_has_waited_long_is_told_at_once() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        commit = _commit(log, timeout=2)
        waiting = [asyncio.create_task(commit.append([DRAFT]))]
        await asyncio.to_thread(log.waiting.wait, 5)
        commit.check()  # one is on its way, and nobody in line
        waiting += [asyncio.create_task(commit.append([DRAFT])) for _ in range(3)]
        await asyncio.sleep(0)
        commit.check()
        await _until(lambda: _refuses(commit))
        assert not any(task.done() for task in waiting[1:])
        log.gate.set()
        await asyncio.gather(*waiting)
        commit.check()

    asyncio.run(post())
    assert len(log.drafts) == 4


def _refuses(commit: GroupCommit) -> bool:
    try:
        commit.check()
    except LogUnavailable:
        return True
    return False


def test_who_went_away_while_waiting_is_left_out() -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        budget = Budget(10_000)
        commit = GroupCommit(Threads(log), budget, timeout=5)
        first = asyncio.create_task(commit.append([DRAFT]))
        await asyncio.to_thread(log.waiting.wait, 5)
        gone = asyncio.create_task(commit.append([Draft("gone", b"")]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        log.gate.set()
        await first
        assert budget.taken == 0

    asyncio.run(post())
    assert log.drafts == [DRAFT]


@pytest.mark.parametrize("parallel", [1, 2])
def test_as_many_appends_are_on_their_way_as_the_log_likes(parallel: int) -> None:
    log = MemoryLog()
    log.gate.clear()

    async def post() -> None:
        commit = _commit(log, parallel=parallel)
        posts: list[Awaitable[None]] = []
        for _ in range(4):
            posts.append(asyncio.create_task(commit.append([DRAFT])))
            await asyncio.sleep(0.01)  # so that each finds the append before it on its way
        log.gate.set()
        await asyncio.gather(*posts)

    asyncio.run(post())
    assert sorted(len(append) for append in log.appends) == {1: [1, 3], 2: [1, 1, 2]}[parallel]


def test_good_events_are_stored_beside_bad_ones_and_verdicts_keep_the_order() -> None:
    log = MemoryLog()
    bad = document() | {"time": None}
    statuses = _statuses(_acceptance(log), document(id="1"), bad, 17, Malformed("not_json", "no"), document(id="2"))
    assert statuses == ["accepted", "missing_time", "not_an_event", "not_json", "accepted"]
    assert [event.id for event in log.events] == ["1", "2"]


def test_a_verdict_names_the_event() -> None:
    judged = _acceptance(MemoryLog()).judge(SHOP, [document(id="a"), {"id": "b"}, {"id": 3}], NOW)
    assert [(verdict["index"], verdict["id"]) for verdict in judged.verdicts] == [(0, "a"), (1, "b"), (2, None)]


def test_an_event_carries_its_source_and_when_it_came() -> None:
    log = MemoryLog()
    _statuses(_acceptance(log), document(recordedtime="2001-01-01T00:00:00Z"))
    assert (log.events[0].system, log.events[0].received_at) == ("shop", NOW)


def test_the_key_of_a_record_is_the_strongest_identifier_normalised() -> None:
    log = MemoryLog()
    known = [{"type": "device", "value": "d-1"}, {"type": "email", "value": "Mari@EXAMPLE.com"}]
    _statuses(_acceptance(log), document(data={"identifiers": known}), document(data={}, conversation="c-1"))
    assert [draft.key for draft in log.drafts] == ["email:mari@example.com", "conversation:shop:c-1"]


def test_the_same_event_again_is_a_duplicate_also_with_another_time() -> None:
    log, post = MemoryLog(), document(id="1")
    acceptance = _acceptance(log)
    assert _statuses(acceptance, post, dict(post)) == ["accepted", "duplicate"]
    assert _statuses(acceptance, post | {"time": "2026-05-04T12:00:00Z"}) == ["duplicate"]
    assert len(log.drafts) == 1


def test_an_event_with_the_same_id_and_other_content_is_stored() -> None:
    log, post = MemoryLog(), document(id="1")
    acceptance = _acceptance(log)
    assert _statuses(acceptance, post, post | {"conversation": "other"}) == ["accepted", "accepted"]
    assert len(log.drafts) == 2


def test_the_same_event_of_another_source_is_no_duplicate() -> None:
    log, post = MemoryLog(), document(id="1")
    acceptance = _acceptance(log)
    assert _statuses(acceptance, post) == _statuses(acceptance, post, source=Source("other", "events"))


def test_what_did_not_become_durable_is_no_duplicate() -> None:
    log, post = MemoryLog(), document(id="1")
    acceptance = _acceptance(log)
    log.away = True
    with pytest.raises(LogUnavailable):
        _statuses(acceptance, post)
    log.away = False
    assert _statuses(acceptance, post) == ["accepted"]


def test_a_text_with_half_an_emoji_is_stored_and_is_like_no_other() -> None:
    log, post = MemoryLog(), document(data={"text": "cut \ud83d"})
    acceptance = _acceptance(log)
    assert _statuses(acceptance, post, post) == ["accepted", "accepted"]
    assert log.events[0].extensions["sanitised"] is True


def test_a_channel_that_is_not_registered_is_refused_with_those_that_are() -> None:
    judged = _acceptance(MemoryLog()).judge(SHOP, [document(channel="fax")], NOW)
    assert judged.verdicts[0]["code"] == "unknown_channel"
    assert "email, chat" in (judged.verdicts[0]["message"] or "")


def test_the_kind_of_a_source_is_the_channel_of_what_names_none() -> None:
    log = MemoryLog()
    post = document(type="com.example.lost", channel=None)
    assert _statuses(_acceptance(log), post, source=Source("desk", "chat")) == ["accepted"]
    assert log.events[0].channel == "chat"


def test_more_events_than_a_request_may_have_are_refused_together() -> None:
    log = MemoryLog()
    with pytest.raises(TooLarge) as refusal:
        _statuses(_acceptance(log, most=2), *(document() for _ in range(3)))
    assert refusal.value.code == "too_many_events"
    assert log.drafts == []
    assert _statuses(_acceptance(log, most=2), document(), document()) == ["accepted", "accepted"]


def test_the_memory_forgets_the_oldest() -> None:
    memory = Memory(2)
    memory.add([b"1", b"2"])
    memory.add([b"1", b"3"])
    assert [key in memory for key in (b"1", b"2", b"3")] == [True, False, True]
