"""Pools of database connections that tell how long one was waited for."""

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool, PoolProxiedConnection, QueuePool

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(frozen=True)
class Told:
    """Where one pool tells what it does."""

    seconds: Histogram
    timeouts: Counter


class Watched(Pool):
    """A pool that tells each wait for a connection, once it is told where. Opening and pinging count as waiting."""

    told: Told | None = None

    def connect(self) -> PoolProxiedConnection:
        """A connection. Raises sqlalchemy.exc.TimeoutError when none comes free in time."""
        if self.told is None:
            return super().connect()
        started = perf_counter()
        try:
            return super().connect()
        except NoConnection:
            self.told.timeouts.inc()
            raise
        finally:
            self.told.seconds.observe(perf_counter() - started)

    def recreate(self) -> Self:
        """The same anew, which SQLAlchemy asks for when it disposes of this one."""
        fresh = super().recreate()
        assert isinstance(fresh, type(self))
        fresh.told = self.told
        return fresh


class WatchedPool(Watched, QueuePool):
    """For threads."""


class AsyncWatchedPool(Watched, AsyncAdaptedQueuePool):
    """For asyncio."""


class Pools:
    """The metrics of an application's pools."""

    def __init__(self, registry: CollectorRegistry) -> None:
        one, words = ["pool"], "Time until a database connection was had"
        self._seconds = Histogram("tellonce_pool_wait_seconds", words, one, buckets=BUCKETS, registry=registry)
        words = "Waits for a connection that were given up"
        self._timeouts = Counter("tellonce_pool_timeouts", words, one, registry=registry)
        words = "Connections that are lent out"
        self._used = Gauge("tellonce_pool_connections_used", words, one, registry=registry)
        words = "Connections that may be kept"
        self._size = Gauge("tellonce_pool_connections_limit", words, one, registry=registry)

    def watch(self, name: str, engine: "Engine | AsyncEngine") -> None:
        """Tell of an engine's pool, also of the next one after `dispose`, under a name."""
        pool = _pool(engine)
        pool.told = Told(self._seconds.labels(name), self._timeouts.labels(name))
        self._used.labels(name).set_function(lambda: _pool(engine).checkedout())
        self._size.labels(name).set(pool.size())


def _pool(engine: "Engine | AsyncEngine") -> WatchedPool | AsyncWatchedPool:
    pool = engine.pool
    assert isinstance(pool, WatchedPool | AsyncWatchedPool)
    return pool
