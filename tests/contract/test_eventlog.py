"""What the event log promises, on both: Kafka, and a table in PostgreSQL."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, suppress

import pytest
import sqlalchemy as sa

from services.errors import TooLarge
from services.eventlog import LARGEST, Batch, Draft, LogUnavailable
from services.eventlog.partitions import partition_of
from services.eventlog.positions import Fenced, advance, claim
from tests.contract.logs import PARTITIONS, Log, Work, append_when_back, step_when_back, until

Away = Callable[[], AbstractContextManager[None]]

APPEND_AND_DIE = """
import os, sys
from services.eventlog import Draft
from tests.contract.logs import Log
appender = Log(*sys.argv[1:]).appender()
appender.append([Draft("a", b"1"), Draft("b", b"2")])
os._exit(9)
"""

READ_AND_HANG = """
import sys, time
from services import database
from tests.contract.logs import Log, Work
work = Work(database.engine(sys.argv[1]), Log(*sys.argv[2:]).reader())
while not work.step(advancing=False):
    pass
print("read", flush=True)
time.sleep(600)
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes what a test has opened."""
    with ExitStack() as stack:
        yield stack


def append(log: Log, *values: bytes, key: str | None = None) -> None:
    with closing(log.appender()) as appender:
        appender.append([Draft(key or value.decode("latin-1"), value) for value in values])


def read(log: Log, engine: sa.Engine, count: int) -> list[tuple[int, int, bytes]]:
    """So many records, with a new reader that commits."""
    with log.reader() as reader:
        work = Work(engine, reader)
        until(lambda: len(work.done) >= count, work.step)
    return work.done


def values(records: list[tuple[int, int, bytes]]) -> list[bytes]:
    return sorted(value for _, _, value in records)


def test_order_is_kept_within_a_partition_under_many_threads(log: Log, engine: sa.Engine) -> None:
    threads, each = 8, 25

    def write(name: int) -> None:
        for number in range(each):
            appender.append([Draft(f"key {name % 4}", f"{name} {number} {part}".encode()) for part in range(2)])

    with closing(log.appender()) as appender, ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, range(threads)))
    records = read(log, engine, threads * each * 2)
    assert len(records) == threads * each * 2
    for partition in range(PARTITIONS):
        positions = [position for one, position, _ in records if one == partition]
        assert positions == list(range(len(positions)))
    for name in range(threads):
        own = [value for _, _, value in records if value.startswith(b"%d " % name)]
        assert own == [b"%d %d %d" % (name, number, part) for number in range(each) for part in range(2)]


def test_a_key_has_one_partition_and_the_same_on_both_logs(log: Log, engine: sa.Engine) -> None:
    keys = [f"email:{number}@example.ee" for number in range(40)] + ["phone:+3725551234", "Õie"]
    with closing(log.appender()) as appender:
        for _ in range(2):
            appender.append([Draft(key, key.encode()) for key in keys])
    found = {(value.decode(), partition) for partition, _, value in read(log, engine, 2 * len(keys))}
    assert found == {(key, partition_of(key, PARTITIONS)) for key in keys}
    assert len({partition for _, partition in found}) == PARTITIONS


def test_drafts_that_may_share_a_record_do_and_their_lines_keep_the_order(log: Log, engine: sa.Engine) -> None:
    drafts = [Draft(f"key {number % 7}", b"%d" % number, True) for number in range(100)]
    with closing(log.appender()) as appender:
        appender.append([*drafts, Draft("key 0", b"alone")])
    records = read(log, engine, PARTITIONS + 1)
    assert len(records) == PARTITIONS + 1
    for partition in range(PARTITIONS):
        lines = [value for one, _, value in records if one == partition and value != b"alone"]
        own = [draft.value for draft in drafts if partition_of(draft.key, PARTITIONS) == partition]
        assert lines == [b"\n".join(own)]


def test_appenders_of_several_processes_leave_no_gap_and_no_double(log: Log, engine: sa.Engine) -> None:
    """Each has a connection of its own; they meet on the same partitions."""
    each = 30

    def write(name: int) -> None:
        with closing(log.appender()) as appender:
            for number in range(each):
                appender.append([Draft(key, f"{name} {number} {key}".encode()) for key in "abcdef"])

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    records = read(log, engine, 3 * each * 6)
    for partition in range(PARTITIONS):
        assert [at for one, at, _ in sorted(records) if one == partition] == list(
            range(sum(one == partition for one, _, _ in records))
        )
    assert len(set(records)) == len({value for _, _, value in records}) == 3 * each * 6


def test_what_was_appended_survives_the_process_that_appended_it(log: Log, engine: sa.Engine) -> None:
    died = subprocess.run([sys.executable, "-c", APPEND_AND_DIE, *vars(log).values()], capture_output=True)
    assert died.returncode == 9, died.stderr.decode()
    assert values(read(log, engine, 2)) == [b"1", b"2"]


def test_what_a_killed_reader_had_read_is_read_again(log: Log, engine: sa.Engine) -> None:
    append(log, *(b"%d" % number for number in range(12)))
    url = engine.url.render_as_string(hide_password=False)
    script = [sys.executable, "-c", READ_AND_HANG, url, *vars(log).values()]
    with subprocess.Popen(script, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"read\n"
        process.kill()
    assert sorted(int(value) for _, _, value in read(log, engine, 12)) == list(range(12))


def test_what_a_reader_could_not_commit_it_reads_again_after_seek(log: Log, engine: sa.Engine) -> None:
    append(log, b"1", b"2", key="one")
    with log.reader(batch_size=1) as reader:
        work = Work(engine, reader)
        batches: list[Batch] = []
        until(lambda: batches, lambda: batches.extend(work.step(advancing=False)))
        reader.seek(batches[0].partition, batches[0].first)
        until(lambda: len(work.done) == 2, work.step)
    assert [value for _, _, value in work.done] == [b"1", b"2"]


def test_readers_share_the_partitions_as_they_come_and_go(log: Log, engine: sa.Engine, stack: ExitStack) -> None:
    appender = stack.enter_context(closing(log.appender()))
    works = [Work(engine, stack.enter_context(log.reader())) for _ in range(3)]
    appended = 0

    def held(*some: Work) -> list[int]:
        return sorted(partition for work in some for partition in work.reader.assigned()[0])

    def shared(*some: Work) -> bool:
        return held(*some) == list(range(PARTITIONS)) and all(work.reader.assigned()[0] for work in some)

    def append_and_read(*some: Work) -> None:
        nonlocal appended
        appender.append([Draft(str(number), b"%d" % number) for number in range(appended, appended + 30)])
        appended += 30
        until(lambda: sum(len(work.done) for work in works) >= appended, *(work.step for work in some))

    first, second, third = works
    until(lambda: shared(first), first.step)
    append_and_read(first)
    until(lambda: shared(first, second), first.step, second.step)
    append_and_read(first, second)
    until(lambda: shared(*works), *(work.step for work in works))
    append_and_read(*works)
    first.reader.close()
    until(lambda: shared(second, third), second.step, third.step)
    append_and_read(second, third)
    done = [record for work in works for record in work.done]
    assert sorted(int(value) for _, _, value in done) == list(range(appended))
    assert second.done
    assert third.done


def test_a_reader_that_lost_its_claim_and_resumes_late_writes_nothing(
    log: Log, engine: sa.Engine, stack: ExitStack
) -> None:
    append(log, b"1", b"2", key="one")
    partition = partition_of("one", PARTITIONS)
    late = Work(engine, stack.enter_context(log.reader(batch_size=1)))
    batches: list[Batch] = []
    until(lambda: batches, lambda: batches.extend(late.step(advancing=False)))
    with engine.begin() as conn:
        other = claim(conn, late.reader.log, partition)
        advance(conn, late.reader.log, partition, other.position, other.position + 1, other.generation)
    late.commit(batches[0])
    assert late.done == []
    until(lambda: late.done, late.step)  # it claims anew, and begins where the other got to
    assert late.done == [(partition, 1, b"2")]


def test_a_position_moves_once_from_where_it_is_and_only_by_the_last_claim(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        mine = claim(conn, "events", 0, start=5)
        assert mine.position == 5
        advance(conn, "events", 0, 5, 8, mine.generation)
    with engine.begin() as conn, pytest.raises(Fenced):
        advance(conn, "events", 0, 5, 8, mine.generation)
    with engine.begin() as conn:
        assert claim(conn, "events", 0).position == 8
    with engine.begin() as conn, pytest.raises(Fenced):
        advance(conn, "events", 0, 8, 9, mine.generation)


def test_a_partition_waits_until_it_is_told_where_to_start(log: Log, engine: sa.Engine) -> None:
    append(log, b"1", b"2", b"3", key="one")
    partition = partition_of("one", PARTITIONS)
    with log.reader() as reader:
        until(lambda: len(reader.assigned()[0]) == PARTITIONS, lambda: reader.poll(0.1))
        assert reader.poll(0.5) == []
        reader.seek(partition, 1)
        batches: list[Batch] = []
        until(lambda: batches, lambda: batches.extend(reader.poll(0.1)))
        assert [(one.position, one.value) for one in batches[0].records] == [(1, b"2"), (2, b"3")]
        assert (batches[0].partition, batches[0].first, batches[0].end) == (partition, 1, 3)
        with pytest.raises(ValueError, match="isn't held"):
            reader.seek(PARTITIONS, 0)


def test_a_poll_brings_no_more_than_a_batch_and_starves_no_partition(log: Log, engine: sa.Engine) -> None:
    with closing(log.appender()) as appender:
        appender.append([Draft(str(number), b"%d" % number) for number in range(300)])
    with log.reader(batch_size=10) as reader:
        work = Work(engine, reader)
        batches: list[Batch] = []
        until(lambda: len({batch.partition for batch in batches}) == PARTITIONS, lambda: batches.extend(work.step()))
        assert max(len(batch.records) for batch in batches) <= 10
        until(lambda: len(work.done) == 300, work.step)


def test_a_poll_takes_no_more_than_a_few_records_of_the_largest(log: Log, engine: sa.Engine) -> None:
    value = bytes(LARGEST - 10)
    with closing(log.appender()) as appender:
        for number in range(18):
            append_when_back(appender, [Draft(str(number), value)])
    with log.reader() as reader:
        work = Work(engine, reader)
        sizes: list[int] = []

        def step() -> None:
            sizes.append(sum(len(record.value) for batch in work.step() for record in batch.records))

        until(lambda: len(work.done) == 18, step)
    assert max(sizes) <= 16_000_000 + LARGEST


def test_partitions_that_are_added_are_shared_and_never_taken_away(
    log: Log, engine: sa.Engine, stack: ExitStack
) -> None:
    works = [Work(engine, stack.enter_context(log.reader())) for _ in range(2)]

    def held() -> list[int]:
        return sorted(partition for work in works for partition in work.reader.assigned()[0])

    steps = [work.step for work in works]
    until(lambda: held() == [0, 1, 2], *steps)
    log.make(partitions=5)
    log.make(partitions=2)
    until(lambda: held() == [0, 1, 2, 3, 4], *steps)


def test_the_ends_tell_how_much_there_is(log: Log, engine: sa.Engine) -> None:
    append(log, b"1", b"2", b"3", key="one")
    with log.reader() as reader:
        ends = reader.ends()
    assert ends == {
        partition: 3 if partition == partition_of("one", PARTITIONS) else 0 for partition in range(PARTITIONS)
    }


@pytest.mark.parametrize("value", [b"", b"\x00\xff\xfe not JSON", b"x" * 1_000_000, b"\n" * (LARGEST - 1)], ids=len)
def test_any_bytes_pass_unharmed(log: Log, engine: sa.Engine, value: bytes) -> None:
    append(log, value, key="k")
    assert values(read(log, engine, 1)) == [value]


def test_a_record_above_the_limit_is_refused_with_its_whole_append(log: Log, engine: sa.Engine) -> None:
    with closing(log.appender()) as appender:
        with pytest.raises(TooLarge):
            appender.append([Draft("a", b"fits"), Draft("b", b"x" * LARGEST)])
        appender.append([Draft("a", b"next")])
    assert values(read(log, engine, 1)) == [b"next"]


def test_a_reader_steps_over_what_retention_has_taken(log: Log, engine: sa.Engine) -> None:
    append(log, b"1", b"2", b"3", key="one")
    partition = partition_of("one", PARTITIONS)
    with log.reader() as reader:
        until(lambda: partition in reader.assigned()[0], lambda: reader.poll(0.1))
        reader.seek(partition, 0)
        log.drop(partition, 2)
        batches: list[Batch] = []
        until(lambda: any(batch.records for batch in batches), lambda: batches.extend(reader.poll(0.1)))
    assert batches[0].first == 0
    assert batches[-1].end == 3
    assert [record.value for batch in batches for record in batch.records] == [b"3"]


def test_a_reader_steps_over_records_that_are_all_gone(log: Log, engine: sa.Engine) -> None:
    append(log, b"1", b"2", b"3", key="one")
    partition = partition_of("one", PARTITIONS)
    log.drop(partition, 3)
    with log.reader() as reader:
        until(lambda: partition in reader.assigned()[0], lambda: reader.poll(0.1))
        reader.seek(partition, 1)
        batches: list[Batch] = []
        until(lambda: batches, lambda: batches.extend(reader.poll(0.1)))
    assert batches == [Batch(partition, 1, 3, ())]


def test_an_appender_checks_green_and_appends_nothing_of_nothing(log: Log, engine: sa.Engine) -> None:
    keys = "abcdefgh"
    with closing(log.appender()) as appender:
        appender.check()
        appender.append([])
        appender.append([Draft(key, key.encode()) for key in keys])
    records = read(log, engine, len(keys))
    assert values(records) == [key.encode() for key in keys]
    firsts = {partition: position for partition, position, _ in reversed(records)}
    assert firsts == dict.fromkeys(range(PARTITIONS), 0)


def test_a_log_that_is_away_is_said_to_be_and_is_used_again_when_back(
    log: Log, engine: sa.Engine, away: Away, stack: ExitStack
) -> None:
    appender = stack.enter_context(closing(log.appender(timeout=2)))
    work = Work(engine, stack.enter_context(log.reader()))
    append_when_back(appender, [Draft("a", b"before")])
    until(lambda: work.done, work.step)
    with away():
        with pytest.raises(LogUnavailable):
            appender.append([Draft("a", b"lost")])
        with pytest.raises(LogUnavailable):
            appender.check()
        with suppress(LogUnavailable):
            assert work.reader.poll(0.1) == []
    append_when_back(appender, [Draft("a", b"after")])
    until(lambda: b"after" in values(work.done), lambda: step_when_back(work))


def test_what_opens_while_the_log_is_away_works_when_it_is_back(
    log: Log, engine: sa.Engine, away: Away, stack: ExitStack
) -> None:
    with away():
        appender = stack.enter_context(closing(log.appender(timeout=2)))
        work = Work(engine, stack.enter_context(log.reader()))
        with pytest.raises(LogUnavailable):
            work.reader.poll(0.1)
    append_when_back(appender, [Draft("a", b"1")])
    until(lambda: work.done, lambda: step_when_back(work))
