"""What people do to customers: notes, merges, unmerges, and that all of it is remembered through a replay."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from schemas.event import Author, Event, Role
from services.errors import Conflict, NotFound
from services.identifiers import Rules, identifier_id, normalise
from services.timeline import commands
from services.timeline.commands import Desk
from services.timeline.rebuild import rebuild
from services.timeline.stitch import stitch
from tests.builders import event
from tests.content import content, customers, difference
from tests.fakes import MemoryLog

AGENT = Author(role=Role.agent, name="Jonas")
RULES = Rules()


@pytest.fixture
def desk(engine: sa.Engine) -> Desk:
    with engine.connect() as conn:
        secret = bytes(conn.exec_driver_sql("SELECT secret FROM deployment").scalar_one())
    return Desk(MemoryLog(), RULES, secret)


def take(engine: sa.Engine, desk: Desk, *events: Event) -> None:
    with engine.begin() as conn:
        stitch(conn, events, desk.rules, desk.secret)


def id_of(desk: Desk, text: str) -> UUID:
    key = normalise(*text.split(":"), "shop", desk.rules)
    assert key
    return UUID(bytes=identifier_id(key, desk.secret))


def replayed(engine: sa.Engine, desk: Desk) -> None:
    """The worker meets what the commands appended: it knows it."""
    log = desk.appender
    assert isinstance(log, MemoryLog)
    before = content(engine)
    take(engine, desk, *log.events)
    assert not difference(content(engine), before)


def test_a_note_is_on_the_customers_timeline_and_in_the_log(engine: sa.Engine, desk: Desk) -> None:
    take(engine, desk, event("email:mari@x.ee"))
    with engine.begin() as conn:
        note = commands.write_note(conn, desk, id_of(desk, "email:mari@x.ee"), "Called back, no answer.", AGENT)
    with engine.connect() as conn:
        found = conn.exec_driver_sql("SELECT identifier_id, direction FROM events WHERE event_id = %s", (note.id,))
        assert found.one() == (id_of(desk, "email:mari@x.ee"), "internal")
    replayed(engine, desk)


def test_a_note_for_nobody_is_refused_and_nothing_is_appended(engine: sa.Engine, desk: Desk) -> None:
    with engine.begin() as conn, pytest.raises(NotFound):
        commands.write_note(conn, desk, UUID(int=1), "Hello?", AGENT)
    assert desk.appender.events == []  # type: ignore[attr-defined]


def test_merge_then_unmerge_restores_both(engine: sa.Engine, desk: Desk) -> None:
    take(engine, desk, event("account:A1", "email:a@x.ee"), event("account:A2", "email:b@x.ee"))
    apart = customers(engine)
    with engine.begin() as conn:
        merged = commands.merge(
            conn, desk, id_of(desk, "email:a@x.ee"), id_of(desk, "email:b@x.ee"), AGENT, "same address"
        )
    assert customers(engine) == {frozenset({"account:A1", "email:a@x.ee", "account:A2", "email:b@x.ee"})}
    with engine.begin() as conn:
        assert commands.customer_of(conn, id_of(desk, "account:A2")) == merged
        side = [id_of(desk, "account:A2"), id_of(desk, "email:b@x.ee")]
        assert len(commands.unmerge(conn, desk, merged, side, AGENT)) == 2
    assert customers(engine) == apart
    replayed(engine, desk)


def test_one_identifier_can_be_taken_out_and_stays_out(engine: sa.Engine, desk: Desk) -> None:
    take(engine, desk, event("account:A1", "phone:+37251234567", "email:a@x.ee"))
    with engine.begin() as conn:
        commands.unmerge(conn, desk, id_of(desk, "account:A1"), [id_of(desk, "phone:+37251234567")], AGENT)
    take(engine, desk, event("account:A1", "phone:+37251234567"))
    assert customers(engine) == {frozenset({"account:A1", "email:a@x.ee"}), frozenset({"phone:+37251234567"})}


def test_who_is_taken_out_stays_out_though_a_link_that_was_refused_would_fit_now(engine: sa.Engine, desk: Desk) -> None:
    seen = [["account:A1"], ["account:A2"], ["account:A1", "email:s@x.ee"], ["account:A2", "phone:+37251234567"]]
    take(engine, desk, *(event(*some, minute=at) for at, some in enumerate(seen)))
    take(engine, desk, event("email:s@x.ee", "phone:+37251234567", minute=9))  # refused: there may be one account
    with engine.begin() as conn:
        merged = commands.merge(conn, desk, id_of(desk, "account:A1"), id_of(desk, "account:A2"), AGENT)
        commands.unmerge(conn, desk, merged, [id_of(desk, "email:s@x.ee")], AGENT)
    rest = frozenset({"account:A1", "account:A2", "phone:+37251234567"})
    assert customers(engine) == {rest, frozenset({"email:s@x.ee"})}
    replayed(engine, desk)


def test_all_that_a_command_says_is_appended_at_once_so_that_no_half_of_it_is_in_the_log(
    engine: sa.Engine, desk: Desk
) -> None:
    take(engine, desk, event("account:A1", "phone:+37251234567", "email:a@x.ee"))
    with engine.begin() as conn:
        commands.unmerge(conn, desk, id_of(desk, "account:A1"), [id_of(desk, "account:A1")], AGENT)
    [append] = desk.appender.appends  # type: ignore[attr-defined]
    assert len(append) == 2


def test_a_barred_identifier_links_to_nothing(engine: sa.Engine, desk: Desk) -> None:
    take(engine, desk, event("account:A1", "device:kiosk"), event("device:kiosk", "email:a@x.ee"))
    with engine.begin() as conn:
        commands.bar(conn, desk, id_of(desk, "device:kiosk"), AGENT, "in the shop")
    assert len(customers(engine)) == 3
    with engine.begin() as conn, pytest.raises(Conflict, match="barred"):
        commands.merge(conn, desk, id_of(desk, "account:A1"), id_of(desk, "device:kiosk"), AGENT)
    assert [one.type for one in desk.appender.events] == ["identifier.barred"]  # type: ignore[attr-defined]


def test_decisions_outlive_a_rebuild(engine: sa.Engine, desk: Desk, database_url: str) -> None:
    take(engine, desk, event("account:A1"), event("account:A2"), event("account:A3", "email:c@x.ee"))
    with engine.begin() as conn:
        commands.merge(conn, desk, id_of(desk, "account:A1"), id_of(desk, "account:A2"), AGENT)
        commands.unmerge(conn, desk, id_of(desk, "account:A3"), [id_of(desk, "email:c@x.ee")], AGENT)
    before = content(engine)
    assert rebuild(database_url, RULES) == 5
    assert not difference(content(engine), before)


@pytest.mark.parametrize("side", [["account:A1", "email:a@x.ee"], ["account:A2"], []])
def test_unmerge_wants_a_part_of_the_customer(engine: sa.Engine, desk: Desk, side: list[str]) -> None:
    take(engine, desk, event("account:A1", "email:a@x.ee"), event("account:A2"))
    with engine.begin() as conn, pytest.raises(Conflict, match="not all of them"):
        commands.unmerge(conn, desk, id_of(desk, "account:A1"), [id_of(desk, one) for one in side], AGENT)


def test_merging_one_customer_with_itself_says_so(engine: sa.Engine, desk: Desk) -> None:
    take(engine, desk, event("account:A1", "email:a@x.ee"))
    with engine.begin() as conn, pytest.raises(Conflict, match="one customer already"):
        commands.merge(conn, desk, id_of(desk, "account:A1"), id_of(desk, "email:a@x.ee"), AGENT)
