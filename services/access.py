"""Who may post and who may read: keys of sources and of readers, one-time sign-in links. Only hashes are stored."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.errors import Conflict
from services.identifiers import OWN_SOURCE
from services.tables import keys, sign_ins, sources

CALLER = sa.text("SELECT name, role FROM keys WHERE key_hash = :hash AND revoked_at IS NULL")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # of sources and keys


class Role(StrEnum):
    """What a reader's key allows: `channel` asks for briefs, `agent` works with customers, `analyst` reads
    figures, `admin` does everything."""

    channel = "channel"
    agent = "agent"
    analyst = "analyst"
    admin = "admin"


@dataclass(frozen=True)
class Source:
    """A registered channel system. `kind` is the wire format it posts, such as `events` or `segment`; `secrets` are
    those of its signatures, two while one is replaced."""

    name: str
    kind: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    key_hash: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True)
class Caller:
    """Who reads: the key's name and role."""

    name: str
    role: Role


def digest(key: str) -> bytes:
    """What is stored of a key. Keys are 256 bits of chance, so one round of SHA-256 is enough."""
    return hashlib.sha256(key.encode(errors="replace")).digest()  # half a surrogate pair can't be encoded


def add_source(conn: sa.Connection, name: str, kind: str, key: str | None = None) -> str:
    """Register a source and return its key, which is not kept. Raises Conflict for a name that is taken or ours."""
    if name == OWN_SOURCE:
        raise Conflict(
            f"{name} is the name in which decisions of people speak.", code="name_reserved", hint="Choose another."
        )
    key = key or "src_" + secrets.token_urlsafe(32)
    _add(conn, sources, name=name, kind=kind, key_hash=digest(key))
    return key


def add_key(conn: sa.Connection, name: str, role: Role, key: str | None = None) -> str:
    """Make a reader's key and return it. Raises Conflict for a name that is taken."""
    key = key or "key_" + secrets.token_urlsafe(32)
    _add(conn, keys, name=name, role=role.value, key_hash=digest(key))
    return key


def source_of(conn: sa.Connection, key: str) -> Source | None:
    """The source a key belongs to, unless it is unknown or revoked."""
    return _source(conn, sources.c.key_hash == digest(key))


def source_named(conn: sa.Connection, name: str) -> Source | None:
    """The source of this name, unless it is unknown or revoked."""
    return _source(conn, sources.c.name == name)


def set_secrets(conn: sa.Connection, name: str, secrets: Sequence[str]) -> bool:
    """Replace the secrets of a source's signatures; False if there is no such source."""
    found = sources.c.name == name, sources.c.revoked_at.is_(None)
    return bool(conn.execute(sources.update().where(*found).values(secrets=list(secrets))).rowcount)


def caller_of(conn: sa.Connection, key: str) -> Caller | None:
    """The reader a key belongs to, unless it is unknown or revoked."""
    row = conn.execute(CALLER, {"hash": digest(key)}).one_or_none()
    return Caller(row.name, Role(row.role)) if row else None


def revoke(conn: sa.Connection, table: sa.Table, name: str) -> bool:
    """Make a key of `sources` or `keys` invalid from now on; False if there is none."""
    found = table.c.name == name, table.c.revoked_at.is_(None)
    return bool(conn.execute(table.update().where(*found).values(revoked_at=sa.func.now())).rowcount)


def make_link(conn: sa.Connection, name: str, role: Role, expires_at: datetime) -> str:
    """A token that signs a browser in once, until it expires."""
    token = secrets.token_urlsafe(32)
    conn.execute(sign_ins.insert().values(link_hash=digest(token), name=name, role=role.value, expires_at=expires_at))
    return token


def redeem(conn: sa.Connection, token: str, now: datetime, stay: timedelta = timedelta(hours=12)) -> str | None:
    """Turn a link's token into a cookie, once; None if it is unknown, used or expired."""
    cookie = secrets.token_urlsafe(32)
    found = sign_ins.c.link_hash == digest(token), sign_ins.c.used_at.is_(None), sign_ins.c.expires_at > now
    values = {"cookie_hash": digest(cookie), "used_at": now, "expires_at": now + stay}
    return cookie if conn.execute(sign_ins.update().where(*found).values(**values)).rowcount else None


def caller_of_cookie(conn: sa.Connection, cookie: str, now: datetime) -> Caller | None:
    """Who a browser is signed in as."""
    found = sign_ins.c.cookie_hash == digest(cookie), sign_ins.c.expires_at > now
    row = conn.execute(sa.select(sign_ins.c.name, sign_ins.c.role).where(*found)).one_or_none()
    return Caller(row.name, Role(row.role)) if row else None


def sign_out(conn: sa.Connection, cookie: str) -> None:
    """Forget a browser."""
    conn.execute(sign_ins.delete().where(sign_ins.c.cookie_hash == digest(cookie)))


def _source(conn: sa.Connection, which: sa.ColumnElement[bool]) -> Source | None:
    columns = sources.c.name, sources.c.kind, sources.c.secrets, sources.c.key_hash
    row = conn.execute(sa.select(*columns).where(which, sources.c.revoked_at.is_(None))).one_or_none()
    return Source(row.name, row.kind, tuple(row.secrets), row.key_hash) if row else None


def _add(conn: sa.Connection, table: sa.Table, name: str, **values: object) -> None:
    added = insert(table).values(name=name, **values).on_conflict_do_nothing(index_elements=["name"])
    if conn.execute(added.returning(table.c.name)).one_or_none() is None:
        raise Conflict(f"The name {name!r} is taken.", code="name_taken", hint="Choose another, or revoke that one.")
