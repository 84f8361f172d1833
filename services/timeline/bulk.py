"""Many rows at once: arrays for set-wise SQL (`unnest`) and COPY, both packed here in PostgreSQL's binary format.

Packed by hand, since a driver that asks each value for its type costs several times as much (benchmarks/bench).
Ids are their 16 bytes. Source: PostgreSQL, "COPY", Binary Format; `array_recv` and `timestamptz_recv`.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from struct import Struct
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy.exc import DBAPIError

from services.timeline.steps import Stepwise

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NULL = b"\xff\xff\xff\xff"
SIXTEEN = b"\0\0\0\x10"  # the length before a uuid
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
LENGTH = Struct("!i").pack
EIGHT = Struct("!iq").pack
ARRAY = Struct("!iiIii").pack
FALSE, TRUE = b"\0\0\0\1\0", b"\0\0\0\1\1"
LATELY = 20_000  # values lately packed; most come several times in a batch


class Array(bytes):
    """A one-dimensional array as PostgreSQL reads it; made by the functions below."""

    oid = 0


Pack = Callable[[Iterable[Any]], Array]


class Uuids(Array):
    """uuid[]"""

    oid = 2951


class Times(Array):
    """timestamptz[]"""

    oid = 1185


class Texts(Array):
    """text[]"""

    oid = 1009


class Numbers(Array):
    """bigint[]"""

    oid = 1016


class Flags(Array):
    """boolean[]"""

    oid = 1000


class Blobs(Array):
    """bytea[]"""

    oid = 1001


def uuids(ids: Iterable[bytes]) -> Uuids:
    """uuid[] of ids of 16 bytes."""
    ids = tuple(ids)
    return Uuids(ARRAY(1, 0, 2950, len(ids), 1) + (SIXTEEN + SIXTEEN.join(ids) if ids else b""))


def optional_uuids(ids: Iterable[bytes | None]) -> Uuids:
    """uuid[] with NULLs in it."""
    return Uuids(_array(2950, [field(id) for id in ids]))


def blobs(values: Iterable[bytes]) -> Blobs:
    """bytea[]"""
    return Blobs(_array(17, [field(value) for value in values]))


def times(moments: Iterable[datetime | None]) -> Times:
    """timestamptz[]"""
    return Times(_array(1184, [*map(time, moments)]))


def texts(values: Iterable[str | None]) -> Texts:
    """text[]"""
    return Texts(_array(25, [*map(word, values)]))


def numbers(values: Iterable[int]) -> Numbers:
    """bigint[]"""
    return Numbers(_array(20, [EIGHT(8, value) for value in values]))


def flags(values: Iterable[bool]) -> Flags:
    """boolean[]"""
    return Flags(_array(16, [TRUE if value else FALSE for value in values]))


def field(value: bytes | None) -> bytes:
    """Bytes (an id, a blob) with their length before them."""
    return NULL if value is None else LENGTH(len(value)) + value


@lru_cache(maxsize=LATELY)
def time(moment: datetime | None) -> bytes:
    """A timestamptz with its length before it: microseconds since 2000."""
    if moment is None:
        return NULL
    since = moment - EPOCH
    return EIGHT(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


@lru_cache(maxsize=LATELY)
def word(value: str | None) -> bytes:
    """A text with its length before it; for those that come again and again."""
    return NULL if value is None else field(value.encode())


def columns(packs: Sequence[Pack], rows: Sequence[Sequence[Any]]) -> Stepwise[Sequence[Array]]:
    """Rows as arrays, one for each column and each in a step; none for no rows."""
    packed = list[Array]()
    for pack, column in zip(packs if rows else (), zip(*rows, strict=True), strict=True):
        packed.append(pack(column))
        yield
    return packed


def copy(conn: sa.Connection, table: str, columns: str, rows: Iterable[bytes]) -> None:
    """COPY packed rows (the fields of `columns`, each with its length before it) into a table. Raises DBAPIError."""
    count = Struct("!h").pack(columns.count(",") + 1)
    statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)"
    try:
        with closing(conn.connection.cursor()) as cursor, cursor.copy(statement) as writer:
            writer.write(HEADER + b"".join([part for row in rows for part in (count, row)]) + TRAILER)
    except psycopg.Error as error:  # as for every other statement: what can be waited for is told by its class
        raise DBAPIError.instance(statement, None, error, psycopg.Error, dialect=conn.dialect) from error


def _array(oid: int, fields: Sequence[bytes]) -> bytes:
    return ARRAY(1, 1, oid, len(fields), 1) + b"".join(fields)


def _dumper(kind: type[Array]) -> type[Dumper]:
    class Packed(Dumper):
        oid = kind.oid
        format = Format.BINARY

        def dump(self, obj: bytes) -> bytes:
            return obj

    return Packed


for kind in Array.__subclasses__():
    psycopg.adapters.register_dumper(kind, _dumper(kind))
