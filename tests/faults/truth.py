"""Whether a deployment kept its word: each accepted event once on one timeline, none that was refused, and all as if
nothing had happened."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.exc import OperationalError

from schemas.codec import decode
from schemas.event import Event
from services import database
from services.analysed import contacts
from services.eventlog import Batch
from services.eventlog.opening import open_reader
from services.settings import Settings
from services.tables import marks
from services.timeline import migrate
from services.timeline.stitch import stitch
from tests.analysed import added_up, kept, recounted
from tests.content import content, difference
from tests.e2e.stacks import wait_for
from tests.faults.load import Ledger
from tests.faults.stand import Stand

STORED = """
    SELECT e.event_id, count(*) AS times, count(i.customer_id) AS timelines
    FROM events e LEFT JOIN identifiers i ON i.id = e.identifier_id WHERE e.source = %s GROUP BY e.event_id"""
BATCH = 500


def settled(stand: Stand, ledger: Ledger, seconds: float = 60) -> None:
    """Wait until each event that has been accepted by now is on exactly one timeline, exactly once."""
    with ledger.lock:
        accepted = frozenset(ledger.accepted)
    engine = stand.engine()
    try:
        found: dict[str, tuple[int, int]] = {}

        def there() -> bool:
            found.clear()
            with suppress(OperationalError), engine.connect() as conn:
                found.update(
                    {id: (times, lines) for id, times, lines in conn.exec_driver_sql(STORED, (ledger.source,))}
                )
            return accepted <= found.keys()

        with suppress(AssertionError):
            wait_for(there, "all that was accepted", seconds)
        lost = accepted - found.keys()
        assert not lost, _report(stand, f"{len(lost)} lost of {len(accepted)}: {sorted(lost)[:5]}")
        wrong = {id: counts for id, counts in found.items() if counts != (1, 1)}
        assert not wrong, f"doubled, or on no timeline (times, timelines): {wrong}"
        assert not found.keys() & ledger.refused, "refused, and there"
        assert found.keys() <= ledger.sent, "nobody sent it"
    finally:
        engine.dispose()


def verify(stand: Stand, ledger: Ledger, received: bool = True, seconds: float = 90) -> None:
    """After the load: the same, nothing is left to do or set aside, and a calm replay of the log gives equal content.

    `received=False`: not comparing when events were received, where a retry may have overtaken the first try.
    """
    drained(stand, seconds)
    settled(stand, ledger, 5)
    engine = stand.engine()
    with engine.connect() as conn:
        for table in ("dead_letters", "conflicts"):
            assert conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0, table
    if "analyser" in stand.parts:
        _analysed(stand, engine, seconds)
    with _replayed(stand, engine) as calm:
        differs = difference(*[_comparable(one, received) for one in (engine, calm)])
    engine.dispose()
    assert not differs, {name: (pair[0][:3], pair[1][:3]) for name, pair in differs.items()}


def _analysed(stand: Stand, engine: sa.Engine, seconds: float) -> None:
    """The analyser goes on with whoever waits longest, and figures are a recount of what they are of."""
    first = sa.select(sa.func.min(marks.c.id))

    def oldest() -> float:
        with engine.connect() as conn:
            return conn.scalars(first).one() or float("inf")

    waiting = oldest()
    wait_for(lambda: oldest() > waiting or waiting == float("inf"), stand.last_words("analyser"), seconds)
    stand.kill("analyser")
    assert kept(engine, contacts), "nothing was found"
    assert recounted(engine) == added_up(engine)


def drained(stand: Stand, seconds: float = 90) -> None:
    """Wait until all that is in the log is stitched."""
    engine = stand.engine()
    with open_reader(_settings(stand), stand.database) as reader:

        def done() -> bool:
            with engine.connect() as conn:
                query = "SELECT partition, position FROM positions WHERE topic = %s"
                positions = {row.partition: row.position for row in conn.exec_driver_sql(query, (reader.log,))}
            return all(positions.get(one, 0) == end for one, end in reader.ends().items())

        try:
            wait_for(done, "the log to be stitched", seconds)
        except AssertionError as late:
            raise AssertionError(_report(stand, str(late))) from None
    engine.dispose()


def _report(stand: Stand, what: str) -> str:
    return "\n".join([what, *map(stand.last_words, stand.names("ingest", "worker"))])


def _settings(stand: Stand) -> Settings:
    return Settings(database=stand.database, log=stand.log, group=f"calm-{uuid4().hex[:8]}")


@contextmanager
def _replayed(stand: Stand, engine: sa.Engine) -> Iterator[sa.Engine]:
    """A new store in which the whole log is stitched, in order and by nobody else."""
    name = f"calm_{uuid4().hex[:8]}"
    with psycopg.connect(stand.database, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = sa.make_url(stand.database).set(database=name).render_as_string(hide_password=False)
    migrate.upgrade(url)
    with engine.connect() as conn:
        secret = bytes(conn.exec_driver_sql("SELECT secret FROM deployment").scalar_one())
    calm, rules = database.engine(url), Settings().rules()
    events = [event for batch in whole_log(stand) for event in _events(batch)]
    for start in range(0, len(events), BATCH):
        with calm.begin() as conn:
            stitch(conn, events[start : start + BATCH], rules, secret)
    yield calm
    calm.dispose()
    with psycopg.connect(stand.database, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def whole_log(stand: Stand) -> Iterator[Batch]:
    """All that is in the log now, and perhaps what still comes, in order within each partition."""
    with open_reader(_settings(stand), stand.database) as reader:
        ends = {partition: end for partition, end in reader.ends().items() if end}
        at: dict[int, int] = {}
        while any(at.get(partition, 0) < end for partition, end in ends.items()):
            batches = reader.poll(0.5)
            held, _ = reader.assigned()
            for partition in held - at.keys() & ends.keys():
                reader.seek(partition, 0)
                at[partition] = 0
            for batch in batches:
                at[batch.partition] = batch.end
                yield batch


def _events(batch: Batch) -> Iterator[Event]:
    for record in batch.records:
        yield from map(decode, record.value.split(b"\n"))


def _comparable(engine: sa.Engine, received: bool) -> dict[str, list[str]]:
    found = content(engine)
    if not received:
        with engine.connect() as conn:
            query = "SELECT source, event_id, event::jsonb - 'recordedtime', interaction_id, identifier_id FROM events"
            found["events"] = sorted(map(repr, conn.exec_driver_sql(query)))
    return found
