"""Keys: what is given out once, what is kept, and who may not be called what."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from services import access
from services.access import Caller, Role
from services.errors import Conflict
from services.tables import keys

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def test_only_the_hash_of_a_key_is_kept(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        key = access.add_key(conn, "ivr", Role.channel)
        (stored,) = conn.execute(sa.select(keys.c.key_hash)).one()
        assert key.encode() not in bytes(stored)
        assert access.caller_of(conn, key) == Caller("ivr", Role.channel)


def test_half_a_surrogate_pair_is_nobodys_key(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        assert access.source_of(conn, "\ud800") is None


def test_a_name_is_given_once(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        access.add_source(conn, "shop", "events")
        with pytest.raises(Conflict, match="taken"):
            access.add_source(conn, "shop", "events")


def test_no_source_may_speak_in_tellonces_own_name(engine: sa.Engine) -> None:
    with engine.begin() as conn, pytest.raises(Conflict, match="decisions"):
        access.add_source(conn, "tellonce", "events")


def test_a_sign_in_link_works_once_and_not_after_it_expired(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        link = access.make_link(conn, "mari", Role.agent, NOW + timedelta(hours=1))
        late = access.make_link(conn, "mari", Role.agent, NOW - timedelta(seconds=1))
        cookie = access.redeem(conn, link, NOW)
        assert cookie
        assert access.caller_of_cookie(conn, cookie, NOW) == Caller("mari", Role.agent)
        assert access.caller_of_cookie(conn, cookie, NOW + timedelta(days=1)) is None
        assert access.redeem(conn, link, NOW) is None
        assert access.redeem(conn, late, NOW) is None
