"""Connections to the one store."""

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Engine, create_engine, make_url

from services.pools import AsyncWatchedPool, WatchedPool

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

ARGUMENTS = {"connect_timeout": 5, "application_name": "tellonce", "options": "-c timezone=UTC"}
# Parameters hold what people said, so no error message shows them.
OPTIONS: dict[str, Any] = {
    "pool_pre_ping": True,
    "hide_parameters": True,
    "json_deserializer": orjson.loads,
    "connect_args": ARGUMENTS,
}


def engine(url: str, pool_size: int = 5) -> Engine:
    """An engine on `postgresql://…` by psycopg; connects when first used."""
    return create_engine(_psycopg(url), pool_size=pool_size, poolclass=WatchedPool, **OPTIONS)


def async_engine(url: str, pool_size: int = 20) -> "AsyncEngine":
    """The same for asyncio; its connections run synchronous functions by `run_sync`."""
    from sqlalchemy.ext.asyncio import create_async_engine  # brings the whole ORM along

    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 5, "poolclass": AsyncWatchedPool}
    return create_async_engine(_psycopg(url), **pool, **OPTIONS)


def _psycopg(url: str) -> str:
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
