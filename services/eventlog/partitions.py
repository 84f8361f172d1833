"""Which partition a key belongs to, and drafts as the records of their partitions."""

from collections.abc import Iterable
from dataclasses import dataclass
from struct import unpack_from

from services.eventlog import Draft

RECORD = 32_000  # bytes to which events share a record: each record costs as much as several events in it
MASK, MULTIPLIER, SEED = 0xFFFFFFFF, 0x5BD1E995, 0x9747B28C


@dataclass(slots=True)
class Row:
    """A record to be: `key` is that of its first draft."""

    partition: int
    key: str
    lines: list[bytes]
    size: int

    @property
    def value(self) -> bytes:
        """The lines of all its drafts."""
        return b"\n".join(self.lines) if len(self.lines) > 1 else self.lines[0]


def rows(drafts: Iterable[Draft], partitions: int) -> list[Row]:
    """The records of drafts, within a partition in their order; neighbours that may share one do."""
    found: list[Row] = []
    last: dict[int, Row] = {}
    for key, value, shares in drafts:
        partition, size = partition_of(key, partitions), len(value)
        row = last.get(partition) if shares else None
        if row and row.size + size < RECORD:
            row.lines.append(value)
            row.size += size + 1
            continue
        row = Row(partition, key, [value], size if shares else RECORD)
        last[partition] = row
        found.append(row)
    return found


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, as Kafka's own clients choose it: murmur2 of its bytes."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """32 bits. As Kafka's `Utils.murmur2`; kafka-python's goes byte by byte and takes four times as long."""
    length = len(data)
    hashed = SEED ^ length
    for word in unpack_from(f"<{length // 4}I", data):
        word = word * MULTIPLIER & MASK
        hashed = (hashed * MULTIPLIER ^ (word ^ word >> 24) * MULTIPLIER) & MASK
    if rest := length % 4:
        hashed = (hashed ^ int.from_bytes(data[-rest:], "little")) * MULTIPLIER & MASK
    hashed = (hashed ^ hashed >> 13) * MULTIPLIER & MASK
    return hashed ^ hashed >> 15
