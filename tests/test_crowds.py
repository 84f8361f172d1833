"""What was seen with very many others: the next link costs no more than the first, and decides the same."""

from collections.abc import Iterable, Sequence

import pytest
import sqlalchemy as sa

from schemas.event import Event
from services.identifiers import Rules
from services.timeline.stitch import stitch
from tests.builders import event
from tests.content import content, customers, difference, empty

CROWD = Rules().crowd
ACCOUNT, PHONE = "account:crowd", "phone:+3725551234"


def take(engine: sa.Engine, batches: Iterable[Sequence[Event]]) -> None:
    for batch in batches:
        with engine.begin() as conn:
            stitch(conn, batch, Rules(), b"secret")


def crowd(hub: str, others: int) -> list[Event]:
    """A hub seen with so many addresses, one each minute."""
    return [event(hub, f"email:e{n}@example.com", minute=n, id=f"{hub}-{n}") for n in range(others)]


def more() -> list[Event]:
    """What comes after: addresses, one of them known elsewhere, another account's, a device, and some that are late."""
    return [
        event(ACCOUNT, "email:new@example.com", minute=1000),
        event(ACCOUNT, "email:other@example.com", minute=1001),
        event("account:other", "email:other@example.com", minute=1002),
        event(ACCOUNT, "device:d1", minute=1003),
        event(ACCOUNT, "email:late@example.com", minute=-5),
        event(ACCOUNT, "email:later@example.com", "phone:+3725551235", minute=2.5),
        event(PHONE, "email:one@example.com", minute=1004),
        event(ACCOUNT, PHONE, minute=1005),
        event(ACCOUNT, "email:last@example.com", minute=1006),
    ]


def test_links_of_a_crowd_decide_the_same_one_by_one_at_once_and_backwards(engine: sa.Engine) -> None:
    events = [*crowd(ACCOUNT, CROWD + 10), *crowd(PHONE, CROWD + 10), *more()]
    take(engine, [events])
    at_once = content(engine)
    early, late = events[: -len(more()) - 20], events[-len(more()) - 20 :]
    for batches in ([early, *([one] for one in late)], [events[::-1]], [late, early], [early, late[::-1], late]):
        empty(engine)
        take(engine, batches)
        assert not difference(content(engine), at_once)


def test_an_account_keeps_its_first_addresses_and_the_crowd_stays_apart(engine: sa.Engine) -> None:
    take(engine, [crowd(ACCOUNT, CROWD + 50), *([one] for one in crowd(ACCOUNT, CROWD + 60)[-10:])])
    found = customers(engine)
    assert frozenset([ACCOUNT, *(f"email:e{n}@example.com" for n in range(5))]) in found
    assert len(found) == 1 + CROWD + 60 - 5
    with engine.connect() as conn:
        query = "SELECT DISTINCT refused FROM links WHERE refused IS NOT NULL"
        assert conn.exec_driver_sql(query).scalars().all() == ["limit of email"]


@pytest.mark.parametrize("hub", [ACCOUNT, PHONE])
def test_one_more_link_does_not_wait_for_the_others(engine: sa.Engine, hub: str) -> None:
    take(engine, [crowd(hub, CROWD + 10)])
    with engine.begin() as busy, engine.begin() as conn:
        busy.exec_driver_sql("SELECT FROM identifiers WHERE value = 'e50@example.com' FOR UPDATE")
        conn.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        stitch(conn, [event(hub, "email:new@example.com", minute=1000)], Rules(), b"secret")
