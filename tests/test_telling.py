"""How an interaction is told on a page."""

from datetime import datetime
from uuid import uuid4

from schemas.codec import to_wire
from schemas.event import Event
from services.api.answers import Happening, Interaction
from services.api.pages.telling import Said, Step, Trail, split, tell
from tests.builders import event
from tests.stories import call, mails, visit


def interaction(*events: Event, count: int | None = None) -> Interaction:
    """An interaction of these events, or of more of which these are the newest."""
    wires = [to_wire(one) for one in events]
    times: list[datetime] = [one.occurred_at for one in events]
    return Interaction(
        id=uuid4(),
        source=events[0].source,
        channel=events[0].channel,
        conversation=events[0].conversation,
        started_at=times[0],
        last_at=times[-1],
        events=count or len(events),
        inbound=0,
        outbound=0,
        last_inbound_at=None,
        last_outbound_at=None,
        closed_at=None,
        items=[Happening(key=uuid4(), interaction=uuid4(), event=wire) for wire in wires],
    )


def test_pages_and_searches_on_end_are_one_line_that_opens() -> None:
    trail, error = tell(interaction(*visit(0))).pieces
    assert isinstance(trail, Trail)
    assert trail.summary == "Help → “red light” → Faults → signed in"
    assert [step.summary for step in trail.steps][:2] == ["Viewed “Help”", "Searched for “red light”"]
    assert isinstance(error, Step)
    assert error.is_error


def test_a_page_alone_is_told_as_it_is() -> None:
    (step,) = tell(interaction(visit(0)[0])).pieces
    assert isinstance(step, Step)
    assert step.summary == "Viewed “Help”"


def test_each_word_has_its_speaker() -> None:
    told = [piece for piece in tell(interaction(*call(0))).pieces if isinstance(piece, Said)]
    assert [(piece.role, piece.name) for piece in told] == [("agent", "Martin"), ("customer", "Anna Kask")]


def test_the_way_through_the_phone_menu_is_told_above_and_not_again() -> None:
    shown = tell(interaction(*call(0)))
    assert (shown.path, shown.reason) == (["Internet", "Faults"], "Connection drops")
    assert not any("menu" in piece.summary for piece in shown.pieces if isinstance(piece, Step))


def test_a_mail_is_told_without_the_mail_it_quotes() -> None:
    last = tell(interaction(*mails(0))).pieces[-1]
    assert isinstance(last, Said)
    assert last.words == "Any news?"
    assert last.quote == "On Monday Martin wrote:\n> We look into it."


def test_a_mail_that_is_all_quote_is_told_whole() -> None:
    assert split("> Is this enough?") == ("> Is this enough?", "")


def test_a_larger_sign_within_a_mail_is_no_quote() -> None:
    assert split("It was 5 > 3 then.\nAnd now?") == ("It was 5 > 3 then.\nAnd now?", "")


def test_a_note_is_told_apart_from_what_an_agent_said_to_the_customer() -> None:
    author = {"role": "agent", "name": "Martin"}
    note = event(type="note.written", direction="internal", author=author, text="Technician booked.")
    (told,) = tell(interaction(note)).pieces
    assert isinstance(told, Said)
    assert (told.role, told.name, told.label) == ("note", "Martin", "agent, note")


def test_a_rating_is_told_with_its_words() -> None:
    rating = event(type="feedback.received", data={"kind": "csat", "score": 2}, text="Slow.")
    (told,) = tell(interaction(rating)).pieces
    assert isinstance(told, Said)
    assert (told.label, told.words) == ("rated 2 of 5 (csat)", "Slow.")


def test_notices_go_by_the_number_they_are_about() -> None:
    sent = {"type": "delivery.updated", "channel": "other", "text": None, "conversation": "order-1"}
    about = {"references": [{"type": "order", "value": "1001"}]}
    shown = tell(interaction(*(event(data={"status": one}, **sent, **about) for one in ("shipped", "delivered"))))
    assert shown.title == "Order 1001"


def test_it_says_how_much_came_before_what_is_shown() -> None:
    assert tell(interaction(*mails(0), count=45)).left_out == 42


def test_an_event_of_an_unknown_type_is_told_too() -> None:
    (told,) = tell(interaction(event(type="com.example.locker.jammed", data={"door": 14}, text=None))).pieces
    assert isinstance(told, Step)
    assert "door 14" in told.summary
