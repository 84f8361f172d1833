"""Records that can't be read or stored: set aside once, with reason and bytes; too many of them stop the worker."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from services.errors import Problem
from services.eventlog import DEAD, Appender, Draft, Record

log = structlog.get_logger()


class TooManyDead(Problem):
    """More records than the configured share can't be read: more likely a bad deploy than bad records."""


class DeadLetter(NamedTuple):
    """A record, or those of its lines that are bad, set aside with a stable reason and what was wrong in words."""

    record: Record
    reason: str
    detail: str


class DeadLetters:
    """Those of one worker: at most a `share` of the last `window` records. `appender`: announces them."""

    def __init__(self, appender: Appender, share: float, window: int) -> None:
        self._appender = appender
        self._share = share
        self._window = window
        self._recent: deque[bool] = deque(maxlen=window)

    def remember(self, conn: sa.Connection) -> None:
        """Count those of the last hour, so that a restart doesn't start the share anew."""
        query = "SELECT count(*) FROM dead_letters WHERE dead_at > now() - interval '1 hour' AND replayed_at IS NULL"
        self._recent.extend([True] * min(conn.exec_driver_sql(query).scalar_one(), self._window))

    def set_aside(self, conn: sa.Connection, topic: str, letters: Sequence[DeadLetter], records: int) -> None:
        """Keep the letters among so many records in the store, once each, and append them to their own topic.

        Raises TooManyDead, and then none of them is kept.
        """
        if not letters:
            return
        self._halt_if_too_many(len(letters), records)
        insert = """INSERT INTO dead_letters (topic, partition, position, reason, detail, record)
                    VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (topic, partition, position) DO NOTHING"""
        for record, reason, detail in letters:
            where = topic, record.partition, record.position
            conn.exec_driver_sql(insert, (*where, reason, detail, record.value))
            log.error("record_set_aside", partition=record.partition, position=record.position, reason=reason)
        drafts = [Draft(f"{one.record.partition}-{one.record.position}", one.record.value) for one in letters]
        self._appender.append(drafts, DEAD)

    def committed(self, dead: int, records: int) -> None:
        """Count a batch of which so many are dead."""
        self._recent.extend([True] * dead + [False] * (records - dead))

    def _halt_if_too_many(self, dead: int, records: int) -> None:
        if sum(self._recent) + dead > max(self._share * self._window, 1):
            raise TooManyDead(
                f"{sum(self._recent) + dead} of the last {len(self._recent) + records} records can't be read, more "
                f"than the share of {self._share:.0%} of {self._window}. Nothing of this batch was set aside.",
                code="too_many_dead",
                hint="See `tellonce dead list`; go back to the version before, or raise TELLONCE_DEAD_SHARE.",
            )
