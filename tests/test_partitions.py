"""Which partition a key belongs to, and which drafts share a record."""

from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafkas

from services.eventlog import Draft
from services.eventlog.partitions import RECORD, murmur2, partition_of, rows


@given(st.binary(max_size=40))
def test_a_key_is_hashed_as_kafkas_own_clients_do(data: bytes) -> None:
    assert murmur2(data) == kafkas(data) & 0xFFFFFFFF


@given(st.lists(st.builds(Draft, st.text("ab", max_size=3), st.binary(max_size=9), st.booleans())), st.integers(1, 4))
def test_every_line_is_in_a_record_of_its_partition_in_order(drafts: list[Draft], partitions: int) -> None:
    found = rows(drafts, partitions)
    for partition in range(partitions):
        lines = [line for row in found if row.partition == partition for line in row.lines]
        assert lines == [draft.value for draft in drafts if partition_of(draft.key, partitions) == partition]
    assert all(row.value == b"\n".join(row.lines) for row in found)


def test_those_that_may_share_a_record_and_no_others() -> None:
    drafts = [Draft("a", b"1", True), Draft("b", b"2", True), Draft("c", b"3"), Draft("d", b"4", True)]
    assert [(row.key, row.value) for row in rows(drafts, 1)] == [("a", b"1\n2"), ("c", b"3"), ("d", b"4")]


def test_a_record_grows_to_its_size_and_a_larger_event_has_one_of_its_own() -> None:
    halves = [Draft("a", b"x" * (RECORD // 2), True)] * 3
    large = Draft("a", b"x" * (2 * RECORD), True)
    assert [len(row.lines) for row in rows([*halves, large, *halves], 1)] == [1, 1, 1, 1, 1, 1, 1]
    quarters = [Draft("a", b"x" * (RECORD // 4), True)] * 7
    assert [len(row.lines) for row in rows([*quarters, large, *quarters], 1)] == [3, 3, 1, 1, 3, 3, 1]
