"""Connections to the one store. Those of services wait for nothing without end: not for an answer, nor for a lock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from select import POLLIN, POLLOUT, poll
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Wait
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from services.pools import AsyncWatchedPool, WatchedPool

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine
    from sqlalchemy.pool import ConnectionPoolEntry

Result = TypeVar("Result")

CONNECT = 5  # seconds to connect, at most
IDLE = 10.0  # seconds after which the server takes a transaction back whose client has stopped in it
PATIENCE = 10.0  # seconds for a statement, of whoever answers requests
LONG_PATIENCE = 20.0  # of who stitches batches: far more than any statement of theirs takes
READ_ONLY = "25006"  # SQLSTATE of a server that has become a standby
# What passes a limit of the server (SQLSTATE 54…) is wrong with a value, such as one that is too long for an index,
# while psycopg counts it with what is wrong with the server.
PASSED = dict.fromkeys(
    ("ProgramLimitExceeded", "StatementTooComplex", "TooManyArguments", "TooManyColumns"), DataError.__name__
)
INTERVAL = 0.1  # seconds between psycopg's looks at the clock and at signals
# The kernel finds out that the other machine is gone; that the other side is silent, `Patient` does.
KEPT_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
# So does the server's, which else would find out after two hours.
KEPT_ALIVE_THERE = {f"tcp_{name.removeprefix('tcp_')}": value for name, value in KEPT_ALIVE.items()}
SERVICE, COMMAND = "tellonce", "tellonce command"  # what sessions are called
# Of a session that waits for the rest of a statement, or for its answer to be taken, no time limit of PostgreSQL takes
# notice (before transaction_timeout, version 17), nor does the kernel where something between the two keeps the
# connection.
FORGOTTEN = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = %s
    AND state = 'active' AND wait_event IN ('ClientRead', 'ClientWrite')
    AND statement_timestamp() - query_start > make_interval(secs => %s)"""
# What a silent connection left on the server, with its locks: until it is ended, or its client is missed there.
LEFT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = ANY(%s) AND datname = current_database() AND usename = current_user AND application_name = %s
    AND state <> 'idle' AND state_change < now() - make_interval(secs => %s)"""
# Planned for the values at hand: a plan for any values at all reads a customer's whole history for one page, 200 times
# slower, and PostgreSQL would turn to it at a statement's tenth run. And for disks without a moving head: reading the
# newest in an index's order must not seem dearer than gathering all there is, and sorting it. To compile a statement
# takes longer than any of ours, and PostgreSQL does so unasked where it expects many rows.
PLANNING = {"plan_cache_mode": "force_custom_plan", "random_page_cost": "1.1", "jit": "off"}
# Planned once, for who says the same few things again and again, whose plans are the same for any values: planning
# them takes as long as doing them.
PLANNED_ONCE = PLANNING | {"plan_cache_mode": "force_generic_plan"}
# Parameters hold what people said, so no error message shows them.
OPTIONS: dict[str, Any] = {"pool_pre_ping": True, "hide_parameters": True, "json_deserializer": orjson.loads}


class Silence(psycopg.OperationalError):
    """The server has not answered in time, and the connection was given up: the network may be half open."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer in {seconds:g} s")


class Patient(psycopg.Connection[Any]):
    """A connection that is given up when the server is silent for longer than the server itself allows a statement."""

    patience: float | None = None
    left: list[int]  # process ids of sessions whose server fell silent, which whoever connects next ends
    # What is done while the server works, a little at a call, until there is no more. On a thread of its own it would
    # take Python's lock from whoever sends the next statement.
    meanwhile: Callable[[], bool] | None = None

    def wait(self, gen: PQGen[Result], interval: float = INTERVAL, timeout: float | None = None) -> Result:
        """As psycopg's own, for every exchange with the server. Raises Silence."""
        gen = self._occupied(gen) if self.meanwhile else gen
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            if timeout is not None or self.patience is None:
                raise
            self.left.append(self.pgconn.backend_pid)
            self.pgconn.finish()
            raise Silence(self.patience) from None

    def _occupied(self, gen: PQGen[Result]) -> PQGen[Result]:
        """The same exchange, that waits only when there is nothing else to do."""
        socket = poll()
        try:
            state = next(gen)
            while True:
                socket.register(self.fileno(), _events(state))
                while self.meanwhile and not socket.poll(0):
                    if not self.meanwhile():
                        self.meanwhile = None
                state = gen.send((yield state))
        except StopIteration as end:
            result: Result = end.value
            return result


class AsyncPatient(psycopg.AsyncConnection[Any]):
    """The same for asyncio."""

    patience: float | None = None

    async def wait(self, gen: PQGen[Result], interval: float = INTERVAL, timeout: float | None = None) -> Result:
        """As psycopg's own. Raises Silence."""
        try:
            return await super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.errors._WaitTimeout:
            if timeout is not None or self.patience is None:
                raise
            self.pgconn.finish()
            raise Silence(self.patience) from None


def engine(
    url: str,
    pool_size: int = 5,
    patience: float | None = None,
    idle: float | None = None,
    planning: Mapping[str, str] = PLANNING,
) -> Engine:
    """An engine on `postgresql://…` by psycopg; connects when first used.

    `patience`: seconds for a statement, after which it fails as if the database were away; None, for commands that
    somebody looks on: as long as it takes. `idle`: seconds that may pass between two statements, where not IDLE.
    `planning`: or PLANNED_ONCE.
    """
    pool: dict[str, Any] = {"pool_size": pool_size, "poolclass": WatchedPool}
    left = list[int]()
    made = create_engine(_psycopg(url), connect_args=_arguments(patience, idle, planning), **pool, **OPTIONS)
    made.dialect.dbapi_exception_translation_map = PASSED

    @event.listens_for(made, "do_connect")
    def connect(dialect: object, record: object, args: list[Any], parameters: dict[str, Any]) -> Patient:
        conn = Patient.connect(*args, **parameters)
        conn.patience, conn.left = _on_this_side(patience), left
        if left:
            _end_left(conn)
        return conn

    return made


def async_engine(
    url: str, pool_size: int = 20, patience: float = PATIENCE, planning: Mapping[str, str] = PLANNING
) -> "AsyncEngine":
    """The same for asyncio; its connections run synchronous functions by `run_sync`.

    Each statement is a transaction of its own: who reads has one to commit, the trace, and is spared two round trips.
    A third is spared as no connection is pinged; one that the server has closed is known by its socket.
    """
    from sqlalchemy.ext.asyncio import create_async_engine  # brings the whole ORM along

    async def connect(*args: Any, **parameters: Any) -> AsyncPatient:
        conn = await AsyncPatient.connect(*args, **parameters)
        conn.patience = _on_this_side(patience)
        return conn

    arguments = {**_arguments(patience, planning=planning), "async_creator_fn": connect}
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "poolclass": AsyncWatchedPool}
    wait = min(patience, CONNECT)
    pool |= {"pool_timeout": wait, "isolation_level": "AUTOCOMMIT"}
    made = create_async_engine(_psycopg(url), connect_args=arguments, **pool, **OPTIONS | {"pool_pre_ping": False})
    made.dialect.dbapi_exception_translation_map = PASSED
    event.listen(made.sync_engine, "checkout", _renew_closed)
    return made


async def listening(url: str, patience: float = PATIENCE) -> AsyncPatient:
    """A connection of its own, to LISTEN."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    conn = await AsyncPatient.connect(plain, autocommit=True, **_arguments(patience))
    conn.patience = _on_this_side(patience)
    return conn


@contextmanager
def occupied(conn: Connection, meanwhile: Callable[[], bool] | None) -> Iterator[None]:
    """A block in which a connection of `engine` does this while the server works; see `Patient`."""
    ours = conn.connection.driver_connection
    assert isinstance(ours, Patient)
    ours.meanwhile = meanwhile
    try:
        yield
    finally:
        ours.meanwhile = None


def end_forgotten(conn: Connection, seconds: float = LONG_PATIENCE) -> int:
    """End sessions of services whose client went silent in the middle of a statement or answer; how many they were.

    They keep their locks, and no service of ours is still there after so many seconds.
    """
    return int(conn.exec_driver_sql(FORGOTTEN, (SERVICE, seconds)).scalar_one())


def is_away(error: Exception) -> bool:
    """Whether it is for want of a database that can be written: nothing is wrong with what was asked."""
    if isinstance(error, DBAPIError):
        lost = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
        return lost or getattr(error.orig, "sqlstate", None) == READ_ONLY
    return isinstance(error, NoConnection)


def _end_left(conn: Patient) -> None:
    """End what silent connections left. A process id may be another's by now, which is not silent for as long."""
    ended = list(conn.left)
    conn.execute(LEFT, (ended, SERVICE, (conn.patience or 0) / 2))
    conn.commit()
    for pid in ended:
        conn.left.remove(pid)


def _renew_closed(conn: object, record: "ConnectionPoolEntry", lent: object) -> None:
    """Has the pool connect anew where the server has said something unasked, which is good-bye. Costs no round trip."""
    ours = record.driver_connection
    assert isinstance(ours, AsyncPatient)
    heard = poll()
    if not ours.closed:
        heard.register(ours.fileno(), POLLIN)
    if ours.closed or heard.poll(0):
        raise InvalidatePoolError("the server has closed the connection")


def _events(state: Wait) -> int:
    """For `poll`, what psycopg waits for."""
    return (POLLIN if state & Wait.R else 0) | (POLLOUT if state & Wait.W else 0)


def _on_this_side(patience: float | None) -> float | None:
    """A little more than the server has, so that its own words are heard."""
    return None if patience is None else patience * 1.1


def _arguments(
    patience: float | None, idle: float | None = None, planning: Mapping[str, str] = PLANNING
) -> dict[str, Any]:
    limits = {"timezone": "UTC", **planning, **KEPT_ALIVE_THERE}
    if patience is not None:
        limits["statement_timeout"] = f"{patience:g}s"
        limits["idle_in_transaction_session_timeout"] = f"{idle or min(patience, IDLE):g}s"
    return {
        "connect_timeout": ceil(min(patience or CONNECT, CONNECT)),
        "application_name": COMMAND if patience is None else SERVICE,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        **KEPT_ALIVE,
    }


def _psycopg(url: str) -> str:
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
