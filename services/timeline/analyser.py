"""The analyser: keeps what is found of customers up to date, a few marked customers to a transaction.

A process of its own, so that stitching never waits for it, and of less importance than all others: who asks or
posts comes first. Its sessions in the database are not, so it rests the longer, the longer events wait to be stitched.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from time import monotonic
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from services.database import LONG_PATIENCE, is_away
from services.database import engine as make_engine
from services.eventlog.postgres import trim, waited
from services.logs import kind
from services.server import aside
from services.settings import Settings
from services.tables import marks
from services.timeline import sentences
from services.timeline.analysis import MOST, analyse, put_off, take
from services.timeline.closings import close
from services.timeline.learning import Latest, agree, is_due, learn
from services.timeline.measures import Analyses
from services.timeline.transactions import AGAIN

log = structlog.get_logger()

PAUSE = 0.25  # seconds until marks are looked for again where there were none
LONG = 2.0  # seconds after which a transaction takes fewer customers: another that needs them waits for it
THOUGHT = 300.0  # seconds for a customer who has said much, where the processor is others'
LOOK = 15.0  # seconds between looks at how long customers wait, and whether a day is over
EASY, REST, LONGEST = 1.0, 9.0, 10.0  # seconds that events may wait; rest, in times of work; seconds of it
BREATH = 1.0  # seconds of rest or work between looks whether the database is there
LEARNING, LEARNING_LOCK = 60.0, 7_350_002  # seconds between looks whether there is more to learn


@dataclass
class Analyser:
    """The loop. `stop` ends `run` after the customers at hand."""

    engine: sa.Engine
    latest: Latest
    measures: Analyses = field(default_factory=Analyses)
    sentences: str | None = None  # the model that is to be asked, by `sentences.name`
    log_days: int | None = None  # for which the event log keeps what is on the timelines
    most: int = MOST  # customers to the next transaction
    due: float = 0.0  # seconds to rest before it
    breathed: float = 0.0

    def run(self, stop: Flag) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        pause, looked_at, learned_at, agreed = PAUSE, float("-inf"), float("-inf"), False
        while not stop.is_set():
            try:
                if not agreed:
                    self._agree()
                    agreed = True
                idle = not self.step()
                if monotonic() - looked_at > LOOK:
                    self._look()
                    self._close()
                    self._trim()
                    looked_at = monotonic()
                if idle and monotonic() - learned_at > LEARNING:
                    self._learn()
                    learned_at = monotonic()
                self.measures.beat.alive()
                pause = PAUSE
                if idle:
                    stop.wait(PAUSE)
                else:
                    self.rest(stop)
            except DBAPIError as error:
                if not is_away(error):  # nor a deadlock, after which the same again will do
                    raise
                self.measures.beat.away()
                log.warning("waiting", error=kind(error), detail=str(error.orig).partition("\n")[0], seconds=pause)
                stop.wait(pause)
                pause = min(pause * 2, 5.0)

    def step(self, clock: Callable[[], float] = monotonic) -> int:
        """Analyse some customers; how many were marked. Raises what the database failed with for want of itself."""
        began, most = clock(), self.most
        self.most = 1  # should it fail: those who together take too long would take as long again
        marks: Sequence[Any] = ()
        try:
            with self.engine.begin() as conn:
                behind, marks = waited(conn), take(conn, most)
                done = analyse(conn, marks, self.latest, datetime.now(UTC).date(), lambda: self._breathe(conn))
        except DBAPIError as error:
            if not self._put_off(marks, error):
                raise
            return 0
        self.due = resting(clock() - began, behind)
        self.most = max(most // 2, 1) if clock() - began > LONG else min(most * 2, MOST)
        if done.marked:
            self.measures.seconds.observe(clock() - began)
            self.measures.customers.inc(len(done.marked))
            self.measures.failed.inc(done.failed)
        return len(done.marked)

    def _put_off(self, marks: Sequence[Any], error: DBAPIError) -> bool:
        """Whether it fails for somebody's sake. Each is tried alone then, and who fails alone keeps nobody waiting:
        what is wrong with their values stays so until something new comes, else they are tried when all others were.
        """
        theirs, alone = isinstance(error, DataError | IntegrityError), len({one.customer_id for one in marks}) == 1
        if alone and (theirs or is_away(error)) and getattr(error.orig, "sqlstate", None) not in AGAIN:
            with self.engine.begin() as conn:  # which fails as well where the database is away
                put_off(conn, marks, again=not theirs)
            detail = str(error.orig).partition("\n")[0]
            log.error("not_analysed", customer=str(marks[0].customer_id), error=kind(error), detail=detail)
            self.measures.failed.inc()
            return True
        return theirs

    def rest(self, stop: Flag) -> None:
        """Let stitching go first for as long as is due, and say meanwhile that all is well."""
        until = monotonic() + self.due
        while (left := until - monotonic()) > 0 and not stop.wait(min(left, BREATH)):
            self._look()
            self.measures.beat.alive()

    def _breathe(self, conn: sa.Connection) -> None:
        """In long work: say that all is well, having seen that the database is there."""
        if monotonic() - self.breathed > BREATH:
            conn.exec_driver_sql("SELECT")
            self.measures.beat.alive()
            self.breathed = monotonic()

    def _look(self) -> None:
        with self.engine.connect() as conn:
            oldest = sa.select(marks.c.marked_at).order_by(marks.c.id).limit(1).scalar_subquery()
            waited = conn.scalars(sa.select(sa.extract("epoch", sa.func.now() - oldest))).one()
        self.measures.waiting.set(float(waited or 0))

    def _close(self) -> None:
        """Close the days that are over, each in a transaction of its own."""
        due: object = True
        while due:
            with self.engine.begin() as conn:
                due = close(conn, datetime.now(UTC))

    def _trim(self) -> None:
        """Take old records from the log, some to a transaction, for a moment at most: the rest has time."""
        due, began = self.log_days is not None, monotonic()
        while due and monotonic() - began < BREATH:
            with self.engine.begin() as conn:
                due = trim(conn, datetime.now(UTC) - timedelta(days=self.log_days or 0)) > 0

    def _agree(self) -> None:
        """Once, so that analysers set otherwise do not undo each other's for ever: who starts last is heard."""
        with self.engine.begin() as conn:
            conn.execute(sa.select(sa.func.pg_advisory_xact_lock(LEARNING_LOCK)))
            if texts := agree(conn, self.sentences):
                log.info("learned", texts=texts)
                self.measures.lessons.inc()

    def _learn(self) -> None:
        """Learn where there is twice as much to learn from; of several analysers one does."""
        with self.engine.begin() as conn:
            alone = conn.scalars(sa.select(sa.func.pg_try_advisory_xact_lock(LEARNING_LOCK))).one()
            if alone and is_due(conn):
                log.info("learned", texts=learn(conn))
                self.measures.lessons.inc()


def resting(worked: float, behind: float) -> float:
    """Seconds to rest after so many of work, while events have waited for so many to be stitched.

    At most nine tenths of the time, so that customers are analysed however much comes.
    """
    return min(worked * min(behind / EASY, REST), LONGEST)


def run(settings: Settings, url: str, stop: Flag) -> None:
    """Run one analyser until `stop` is set, with its `/healthz`, `/readyz` and `/metrics` on `analyse_port`.

    Raises Unavailable where a sentence model is asked for that is not installed.
    """
    engine = make_engine(url, pool_size=1, patience=LONG_PATIENCE, idle=THOUGHT)
    model = sentences.name() if settings.embeddings else None
    analyser = Analyser(engine, Latest(settings.facts()), sentences=model, log_days=settings.log_days)
    app = analyser.measures.beat.app("The analyser waits for its database.")
    with aside(app, settings.host, settings.analyse_port):
        try:
            analyser.run(stop)
        finally:
            engine.dispose()
