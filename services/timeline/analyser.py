"""The analyser: keeps what is found of customers up to date, a few marked customers to a transaction.

A process of its own, so that stitching never waits for it, and of less importance than all others: who asks or
posts comes first.
"""

import os
from datetime import UTC, datetime
from threading import Event as Flag

import structlog
from sqlalchemy.exc import DBAPIError

from services.database import LONG_PATIENCE, is_away
from services.database import engine as make_engine
from services.logs import kind
from services.timeline.analysis import analyse
from services.timeline.similarity import shipped

log = structlog.get_logger()

PAUSE = 0.25  # seconds until marks are looked for again where there were none
NICE = 5


def run(url: str, stop: Flag) -> None:
    """Analyse marked customers until `stop` is set; a database that is away is waited for."""
    os.nice(NICE)
    engine, by = make_engine(url, pool_size=1, patience=LONG_PATIENCE), shipped()
    pause = PAUSE
    while not stop.is_set():
        try:
            with engine.begin() as conn:
                marked = analyse(conn, by, datetime.now(UTC).date())
            pause = PAUSE
            if not marked:
                stop.wait(PAUSE)
        except DBAPIError as error:
            if not is_away(error):  # nor a deadlock, after which the same again will do
                raise
            log.warning("waiting", error=kind(error), detail=str(error.orig).partition("\n")[0], seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, 5.0)
    engine.dispose()
