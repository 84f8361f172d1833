"""How the readers of a group share a topic's partitions: each shows in the database that it lives, and all count alike.

Kafka's own groups are not used for it: kafka-python 3.0.12 drops a join that completes between two polls, so that
readers who work between polls rebalance for ever or hold nothing. Positions are in the database anyway.
"""

import os
import socket
from collections.abc import Collection
from datetime import timedelta
from threading import Event as Flag
from threading import Thread
from time import monotonic
from uuid import uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from services.eventlog import LogUnavailable
from services.tables import log_readers

log = structlog.get_logger()

BEAT = 1.0  # seconds between signs of life
SILENCE = timedelta(seconds=10)  # after which a reader counts as gone
PATIENCE = 300.0  # seconds without a poll after which a reader counts as stuck, and keeps silent


class Share:
    """One reader's share. A thread shows life while the reader is busy with a batch. `engine`: its own.

    For a moment two readers may count differently and hold the same partition.
    """

    def __init__(self, engine: sa.Engine, topic: str, group: str) -> None:
        self.held: frozenset[int] = frozenset()
        self.changes = 0
        self._engine = engine
        self._group = {"topic": topic, "group": group}
        self._name = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
        self._asked_at = self._counted_at = float("-inf")
        self._left = Flag()
        self._thread = Thread(target=self._live, name="log-reader", daemon=True)
        self._thread.start()

    def refresh(self, partitions: Collection[int]) -> bool:
        """Once a beat: see who reads and deal the partitions out; whether that changed what is held.

        Raises LogUnavailable.
        """
        self._asked_at = monotonic()
        if self._asked_at - self._counted_at < BEAT:
            return False
        try:
            readers = self._readers()
        except DBAPIError as error:
            raise LogUnavailable(f"The readers' list can't be read: {_first_line(error)}.") from error
        self._counted_at = monotonic()
        place = readers.index(self._name)
        held = frozenset(partition for partition in partitions if partition % len(readers) == place)
        if held == self.held:
            return False
        self.held, self.changes = held, self.changes + 1
        return True

    def leave(self) -> None:
        """Go at once, so that the others take over; again does nothing."""
        if self._left.is_set():
            return
        self._left.set()
        self._thread.join()
        try:
            with self._engine.begin() as conn:
                conn.execute(log_readers.delete().where(*self._mine()))
        except DBAPIError as error:
            log.warning("log_reader_left_silently", detail=_first_line(error), until=str(SILENCE))
        self._engine.dispose()

    def _readers(self) -> list[str]:
        """The readers that live, in one order for all; whoever looks first removes the silent.

        One that was stopped while it showed life has its row locked: it is passed over, not waited for.
        """
        columns = log_readers.c
        silent = columns.seen_at < sa.func.now() - SILENCE
        with self._engine.begin() as conn:
            free = sa.select(columns.reader).where(*self._ours(), silent).with_for_update(skip_locked=True)
            conn.execute(log_readers.delete().where(*self._ours(), columns.reader.in_(free)))
            if not conn.execute(self._alive()).rowcount:
                conn.execute(log_readers.insert().values(**self._group, reader=self._name))
            found = sa.select(columns.reader).where(*self._ours(), ~silent).order_by(columns.reader)
            return list(conn.scalars(found))

    def _live(self) -> None:
        while not self._left.wait(BEAT):
            if monotonic() - self._asked_at < PATIENCE:
                try:
                    with self._engine.begin() as conn:
                        conn.execute(self._alive())
                except DBAPIError as error:
                    log.warning("log_reader_not_seen", detail=_first_line(error))

    def _alive(self) -> sa.Update:
        return log_readers.update().where(*self._mine()).values(seen_at=sa.func.now())

    def _ours(self) -> list[sa.ColumnElement[bool]]:
        return [log_readers.c[name] == value for name, value in self._group.items()]

    def _mine(self) -> list[sa.ColumnElement[bool]]:
        return [*self._ours(), log_readers.c.reader == self._name]


def _first_line(error: DBAPIError) -> str:
    return str(error).partition("\n")[0]
