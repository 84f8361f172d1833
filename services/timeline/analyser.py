"""The analyser: keeps what is found of customers up to date, a few marked customers to a transaction.

A process of its own, so that stitching never waits for it, and of less importance than all others: who asks or
posts comes first.
"""

import os
from datetime import UTC, datetime
from threading import Event as Flag
from time import monotonic

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from services.database import LONG_PATIENCE, is_away
from services.database import engine as make_engine
from services.logs import kind
from services.settings import Settings
from services.timeline.analysis import analyse
from services.timeline.learning import Latest, is_due, learn

log = structlog.get_logger()

PAUSE = 0.25  # seconds until marks are looked for again where there were none
NICE = 5
LEARNING, LEARNING_LOCK = 60.0, 7_350_002  # seconds between looks whether there is more to learn


def run(settings: Settings, url: str, stop: Flag) -> None:
    """Analyse marked customers until `stop` is set; a database that is away is waited for."""
    os.nice(NICE)
    engine, latest = make_engine(url, pool_size=1, patience=LONG_PATIENCE), Latest(settings.facts())
    pause, learned_at = PAUSE, float("-inf")
    while not stop.is_set():
        try:
            with engine.begin() as conn:
                marked = analyse(conn, latest, datetime.now(UTC).date())
            pause = PAUSE
            if not marked and monotonic() - learned_at > LEARNING:
                _learn(engine)
                learned_at = monotonic()
            elif not marked:
                stop.wait(PAUSE)
        except DBAPIError as error:
            if not is_away(error):  # nor a deadlock, after which the same again will do
                raise
            log.warning("waiting", error=kind(error), detail=str(error.orig).partition("\n")[0], seconds=pause)
            stop.wait(pause)
            pause = min(pause * 2, 5.0)
    engine.dispose()


def _learn(engine: sa.Engine) -> None:
    """Learn where there is twice as much to learn from; of several analysers one does."""
    with engine.begin() as conn:
        alone = conn.scalars(sa.select(sa.func.pg_try_advisory_xact_lock(LEARNING_LOCK))).one()
        if alone and is_due(conn):
            log.info("learned", texts=learn(conn))
