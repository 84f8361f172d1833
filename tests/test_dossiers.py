"""What is read of customers, and how much is looked at for that."""

import sqlalchemy as sa

from services.identifiers import Rules
from services.timeline.dossiers import dossiers
from services.timeline.stitch import stitch
from tests.builders import event

DEVICES = 80
LOOKS = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_xact_user_tables WHERE relname = 'interactions'"


def test_of_a_customer_with_many_identifiers_each_is_looked_at_but_a_few_times(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        stitch(conn, [
            event("account:mari", f"device:d{number}", minute=number, conversation=f"c{number}")
            for number in range(DEVICES)
        ], Rules(), b"secret")  # fmt: skip
    with engine.connect() as conn:
        members = conn.exec_driver_sql("SELECT * FROM identifiers").all()
        before = conn.exec_driver_sql(LOOKS).scalar() or 0
        [found] = dossiers(conn, members).values()
        looks = conn.exec_driver_sql(LOOKS).scalar_one() - before
    assert {one.event.conversation for one in found.seen} == {f"c{DEVICES - place}" for place in range(1, 41)}
    assert looks < 5 * len(members)
