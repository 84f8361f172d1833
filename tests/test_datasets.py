"""Labelled real-life data through the real stitch."""

from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from benchmarks import identity, repeated, timelines
from services.identifiers import Rules
from services.timeline.stitch import stitch


def test_every_labelled_timeline_is_one_customer_with_all_its_events(engine: sa.Engine, shared: Path) -> None:
    happened = list(timelines.events(shared / "datasets/repeats/timelines.dev.jsonl.gz"))
    for first in range(0, len(happened), 500):
        with engine.begin() as conn:
            stitch(conn, happened[first : first + 500], Rules(), b"secret")
    query = """SELECT i.value, count(*) FROM events e JOIN identifiers i ON i.id = e.identifier_id
               WHERE i.customer_id = i.id GROUP BY 1"""
    with engine.connect() as conn:
        stored = {row[0]: row[1] for row in conn.exec_driver_sql(query)}
    assert stored == Counter(event.identifiers[0].value for event in happened)


def test_people_are_recognised_as_well_as_promised(shared: Path) -> None:
    figures = identity.measure(shared / "datasets/identity/identity_stream.dev.jsonl.gz")
    assert figures["events"] == 6025
    assert figures["precision"] >= 0.95
    assert figures["recall"] >= 0.44


def test_explaining_again_is_found_as_well_as_promised(shared: Path) -> None:
    figures = repeated.measure(shared / "datasets/repeats/timelines.dev.jsonl.gz")
    assert figures["repetitions"] == 558
    assert figures["average_precision"] >= 0.88
    assert min(figures["precision"], figures["recall"]) >= 0.8
    assert figures["right_thread"] >= 0.95
    assert max(figures["false_alarms"][kind] for kind in ("closing", "quoted_closing")) <= 0.01
