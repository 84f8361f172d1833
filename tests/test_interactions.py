"""Which interaction an event belongs to: conversations, visits, and the rest."""

from itertools import permutations

from services.timeline.interactions import Visit, revisit
from tests.builders import at


def visits(*minutes: float) -> list[Visit]:
    return revisit([], [at(minute) for minute in minutes]).changed


def test_a_visit_ends_after_thirty_minutes_of_silence() -> None:
    assert visits(0, 10, 40, 71) == [Visit(at(0), at(40)), Visit(at(71), at(71))]


def test_a_late_event_makes_one_visit_of_two() -> None:
    first, second = Visit(at(0), at(10)), Visit(at(50), at(60))
    outcome = revisit([first, second], [at(30)])
    assert outcome.changed == [Visit(at(0), at(60))]
    assert outcome.replaced == {first: Visit(at(0), at(60)), second: Visit(at(0), at(60))}


def test_an_event_within_a_visit_changes_nothing() -> None:
    outcome = revisit([Visit(at(0), at(10))], [at(5)])
    assert (outcome.changed, outcome.replaced) == ([], {})


def test_visits_are_the_same_whatever_order_events_arrive_in() -> None:
    wanted = sorted(visits(0, 25, 50, 81, 100))
    for order in permutations([0, 25, 50, 81, 100]):
        known: set[Visit] = set()
        for minute in order:
            outcome = revisit(known, [at(minute)])
            known = known - outcome.replaced.keys() | set(outcome.changed)
        assert sorted(known) == wanted
