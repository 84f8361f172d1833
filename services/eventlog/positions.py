"""Where the reading of each partition is, kept beside its data and fenced against readers that lost it."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.tables import positions


class Fenced(Exception):
    """Another reader has claimed the partition since, or reading did not start where the position is.

    Nothing may be written: roll back, and a moment later claim anew what is still held.
    """


class Claim(NamedTuple):
    """Where to read on, and the generation under which positions may be advanced."""

    position: int
    generation: int


def claim(conn: sa.Connection, topic: str, partition: int, start: int = 0) -> Claim:
    """Take a partition over; every claim before is void. `start`: where to begin when it was never read."""
    values = {"topic": topic, "partition": partition, "position": start, "generation": 1}
    taken = insert(positions).values(values).on_conflict_do_update(
        index_elements=["topic", "partition"], set_={"generation": positions.c.generation + 1}
    )  # fmt: skip
    row = conn.execute(taken.returning(positions.c.position, positions.c.generation)).one()
    return Claim(row.position, row.generation)


def advance(conn: sa.Connection, topic: str, partition: int, first: int, end: int, generation: int) -> None:
    """Move the position from `first` to `end`, in the transaction that stores what lies between.

    Raises Fenced.
    """
    columns = positions.c
    mine = columns.topic == topic, columns.partition == partition, columns.generation == generation
    moved = positions.update().where(*mine, columns.position == first).values(position=end)
    if not conn.execute(moved).rowcount:
        raise Fenced(f"{topic}, partition {partition}, at {first}: claimed by another reader, or read out of turn.")
