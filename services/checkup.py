"""Looking how an instance is: asks the database and the log, quickly however much there is."""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import disk_usage

import sqlalchemy as sa

from schemas.codec import Unreadable, decode
from services import counting, ports, pressure
from services.database import engine
from services.eventlog import EVENTS, LogUnavailable, Reader, Record
from services.eventlog.opening import open_reader
from services.eventlog.sharing import SILENCE
from services.health import Disk, Health, judge
from services.settings import Settings
from services.tables import conflicts, dead_letters, log_readers, mailboxes, positions, sources

PATIENCE = 15.0  # seconds to find the oldest event that was not stitched
APART = 1.0  # seconds between two looks at the lag, to see where it goes
DAY = timedelta(days=1)
MARKED = sa.text("""
    SELECT count(*), coalesce(extract(epoch FROM now() - min(marked_at)), 0)::float
    FROM (SELECT marked_at FROM marks ORDER BY id LIMIT 100000) marked""")


def look(settings: Settings, url: str, data: Path | None = None) -> Health:
    """Ask the database, which must answer, and the log, which may be away. `data`: the embedded database's folder."""
    store = engine(url, pool_size=1)
    health = Health(settings.log)
    with store.connect() as conn:
        _count(conn, health)
        health.workers = _workers(conn, settings.group)
        health.database = pressure.look(conn)
    if settings.mail_port:
        _ask_the_mail_listener(settings.host, settings.mail_port, health)
    if data:
        usage = disk_usage(data)
        health.disk = Disk(usage.free, usage.total)
    # A group of its own, so that it takes no partition from the workers.
    watching = settings.model_copy(update={"group": f"{settings.group}.status", "batch_size": 1})
    with open_reader(watching, url) as reader:
        try:
            _look_at_the_log(store, reader, health)
        except LogUnavailable as away:
            hint = "Until it does events are refused with 503; check --log (TELLONCE_LOG) and that its server runs."
            health.red.append(f"The event log does not answer: {away.message} {hint}")
    store.dispose()
    judge(health)
    return health


def _count(conn: sa.Connection, health: Health) -> None:
    to_replay = dead_letters.c.replayed_at.is_(None)
    reasons = sa.select(dead_letters.c.reason, sa.func.count()).where(to_replay).group_by(dead_letters.c.reason)
    valid = sources.c.revoked_at.is_(None)
    kinds = sa.select(sources.c.name, sources.c.kind).where(valid).order_by(sources.c.name)
    counts = {
        "events": counting.events(conn),
        "customers": counting.customers(conn),
        "conflicts": counting.rows(conn, conflicts),
    }
    for name, count in counts.items():
        setattr(health, name, count.number)
    health.approximate = [name for name, count in counts.items() if not count.exact]
    lately = sa.select(conflicts.c.seen_at).where(conflicts.c.seen_at > sa.func.now() - DAY).limit(counting.FEW)
    health.conflicts_today = conn.scalars(sa.select(sa.func.count()).select_from(lately.subquery())).one()
    health.dead_letters = dict(conn.execute(reasons).all())
    health.sources = dict(conn.execute(kinds).all())
    health.marked, health.marked_for = conn.execute(MARKED).one()
    since = sa.extract("epoch", sa.func.now() - mailboxes.c.updated_at)
    health.mailboxes = {name: float(ago) for name, ago in conn.execute(sa.select(mailboxes.c.name, since))}


def _ask_the_mail_listener(host: str, port: int, health: Health) -> None:
    is_ready, words = ports.readiness(host, port)
    health.mail = "ready" if is_ready else "not ready"
    if not is_ready:
        health.red.append(f"The mail listener is not ready (its port for that is {port}): {words}")


def _workers(conn: sa.Connection, group: str) -> int:
    columns = log_readers.c
    ours = columns.topic == EVENTS, columns.group == group, columns.seen_at > sa.func.now() - SILENCE
    return conn.scalars(sa.select(sa.func.count()).select_from(log_readers).where(*ours)).one()


def _look_at_the_log(store: sa.Engine, reader: Reader, health: Health) -> None:
    done, started = _positions(store, reader), time.monotonic()
    health.lag = _lag(done, reader)
    if not health.waiting:
        return
    health.oldest = _oldest(reader, {one: done.get(one, 0) for one, lag in health.lag.items() if lag > 0})
    time.sleep(max(APART - (time.monotonic() - started), 0))
    now, seconds = _lag(_positions(store, reader), reader), time.monotonic() - started
    health.lag_change = (sum(now.values()) - health.waiting) / seconds


def _lag(done: dict[int, int], reader: Reader) -> dict[int, int]:
    return {one: end - done.get(one, 0) for one, end in sorted(reader.ends().items())}


def _positions(store: sa.Engine, reader: Reader) -> dict[int, int]:
    where = sa.select(positions.c.partition, positions.c.position).where(positions.c.topic == reader.log)
    with store.connect() as conn:
        return dict(conn.execute(where).all())


def _oldest(reader: Reader, wanted: dict[int, int]) -> float | None:
    """Seconds since the oldest of the records at these positions was received, as far as they can be read."""
    ages: list[float] = []
    seen: set[int] = set()
    change, deadline = -1, time.monotonic() + PATIENCE
    while wanted.keys() - seen and time.monotonic() < deadline:
        for batch in reader.poll(0.5):
            if batch.partition not in seen and batch.records:
                ages += _age(batch.records[0])
            seen.add(batch.partition)
        held, now = reader.assigned()
        if now != change:
            change = now
            for partition in held & wanted.keys():
                reader.seek(partition, wanted[partition])
    return max(ages, default=None)


def _age(record: Record) -> list[float]:
    with suppress(Unreadable):
        event = decode(record.value.split(b"\n", 1)[0])
        return [(datetime.now(UTC) - (event.received_at or event.occurred_at)).total_seconds()]
    return []
