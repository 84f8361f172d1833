"""How an instance is: what `tellonce status` says, and what of it is wrong, in words that say what to do next."""

from dataclasses import dataclass, field

from rich.filesize import decimal

from services.pressure import Pressure

BEHIND = 300.0  # seconds after which a customer should have been analysed
LATE = 60.0  # seconds after which an event should have been stitched
LONG = 60.0  # seconds after which a transaction should be over
CROWDED, FULL = 0.75, 0.9  # share of the connections that are taken
SCARCE, SCARCE_SHARE = 5_000_000_000, 0.05  # bytes and share of a disk that should be free; the lesser of both


@dataclass(frozen=True)
class Disk:
    """Bytes of the disk that has the embedded database."""

    free: int
    total: int


@dataclass
class Health:
    """`lag`: records to be stitched, by partition; `lag_change`: how many more they become each second; `oldest`:
    seconds since the oldest of them was received; `workers` that showed life in the last ten seconds; `marked`:
    marks of customers to be analysed, 100,000 at most; `marked_for`: seconds since the first of them; `mailboxes`:
    seconds since each was looked at; `mail`: what the mail listener says, where it can be asked.

    `approximate`: the counts that are estimates. `conflicts_today`: of the last 24 hours. `red`: what is wrong, in
    words; nothing when all is well. `warnings`: what somebody should look at, though all works.
    """

    log: str
    events: int = 0
    customers: int = 0
    sources: dict[str, str] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=dict)
    lag: dict[int, int] = field(default_factory=dict)
    oldest: float | None = None
    mailboxes: dict[str, float] = field(default_factory=dict)
    mail: str | None = None
    red: list[str] = field(default_factory=list)
    lag_change: float | None = None
    workers: int = 0
    marked: int = 0
    marked_for: float = 0.0
    conflicts: int = 0
    conflicts_today: int = 0
    approximate: list[str] = field(default_factory=list)
    database: Pressure | None = None
    disk: Disk | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """Records to be stitched."""
        return sum(self.lag.values())


def judge(found: Health) -> None:
    """Say what is wrong, in `red`, and what to look at, in `warnings`."""
    _judge_lag(found)
    _judge_marks(found)
    if found.database:
        _judge_database(found, found.database)
    if found.disk and found.disk.free < min(SCARCE, SCARCE_SHARE * found.disk.total):
        found.red.append(
            f"The disk of the data folder has {decimal(found.disk.free)} left of {decimal(found.disk.total)}; when it "
            "is full, events are refused. Free some space, or move the folder to a larger disk."
        )
    if found.dead_letters:
        found.warnings.append(
            f"{sum(found.dead_letters.values()):,} records were set aside: see why by `tellonce dead list`; when the "
            "reason is gone, `tellonce dead replay`."
        )
    if found.conflicts_today:
        found.warnings.append(
            f"{found.conflicts_today:,} times in the last day a source sent other content under an id it had used. The "
            "first is on the timeline, the others are in the table `conflicts`: let the source give each event its own."
        )


def _judge_marks(found: Health) -> None:
    if found.marked_for > BEHIND:
        found.warnings.append(
            f"Customers have waited for {found.marked_for:.0f} s to be analysed: issues and figures are behind. See "
            "that `tellonce analyse` runs (`tellonce up` starts it); several of them share the work."
        )


def _judge_lag(found: Health) -> None:
    late = found.oldest is not None and found.oldest > LATE
    since = f"Events have waited for {found.oldest:.0f} s to be stitched" if found.oldest is not None else ""
    if found.waiting and not found.workers:
        what = since or f"{found.waiting:,} records wait to be stitched"
        found.red.append(
            f"{what}, and no worker runs: start one by `tellonce timeline`, or everything by `tellonce up`."
        )
    elif late and found.lag_change is not None and found.lag_change < 0:
        left = found.waiting / -found.lag_change
        found.red.append(f"{since}; the workers catch up, and will have in about {left:.0f} s.")
    elif late and found.lag_change:
        found.red.append(
            f"{since}, and {found.lag_change:.0f} records a second come that are not: run more workers, up to one for "
            "each partition, and see in `tellonce_batch_seconds` whether the database is slow."
        )
    elif late:
        found.red.append(f"{since}, and it does not move: see the worker's log for `waiting` and `partition_lost`.")


def _judge_database(found: Health, database: Pressure) -> None:
    taken = f"{database.connections} of {database.limit} connections to PostgreSQL are taken"
    if database.connections >= FULL * database.limit:
        found.red.append(f"{taken}: raise `max_connections`, or run fewer services on it.")
    elif database.connections >= CROWDED * database.limit:
        found.warnings.append(f"{taken}.")
    if database.oldest > LONG:
        whose = f"session {database.pid} ({database.session})" if database.pid else database.session
        end = f"SELECT pg_terminate_backend({database.pid})" if database.pid else "COMMIT or ROLLBACK PREPARED"
        found.red.append(
            f"A transaction is open for {database.oldest:.0f} s, {whose}; meanwhile live streams show nothing new and "
            f"no space is freed. End it in its client or by `{end}`; `idle_in_transaction_session_timeout` prevents it."
        )
