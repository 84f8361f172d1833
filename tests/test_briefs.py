"""Briefs: what is told of a customer, and in how many characters."""

from collections.abc import Sequence
from datetime import timedelta
from time import process_time
from typing import Any
from uuid import uuid4

import pytest

from schemas.codec import to_wire
from schemas.event import Event
from services.api.answers import Brief, Candidates, ChannelSummary, Customer, Happening, Interaction
from services.api.briefs import Context, build, is_waiting, text
from tests.builders import at, event

NOW = at(24 * 60)
OUT = {"type": "message.sent", "direction": "outbound", "author": {"role": "agent", "name": "Anna"}}
STORY = "The router restarts every evening, and I have already changed the cable."


def happening(one: Event) -> Happening:
    wire = to_wire(one)
    return Happening(key=uuid4(), interaction=uuid4(), event=wire)


def interaction(*events: Event, channel: str = "email") -> Interaction:
    """An interaction of these events, in order of time."""
    return Interaction(
        id=uuid4(),
        source="shop",
        channel=channel,
        conversation=None,
        started_at=events[0].occurred_at,
        last_at=events[-1].occurred_at,
        events=len(events),
        inbound=0,
        outbound=0,
        last_inbound_at=None,
        last_outbound_at=None,
        closed_at=None,
        items=[happening(one) for one in events],
    )


def customer(name: str | None = "Mari Maasikas") -> Customer:
    email = ChannelSummary(channel="email", interactions=2, events=3, first_at=at(0), last_at=at(60))
    return Customer(
        id=uuid4(),
        asked=uuid4(),
        name=name,
        names=[],
        identifiers=[],
        channels=[email],
        interactions=2,
        events=3,
        first_seen=at(0),
        last_seen=at(60),
        members="",
        live="",
    )


def brief(
    *dealings: Interaction, visits: Sequence[Interaction] = (), milestones: Sequence[Event] = (), **more: Any
) -> Brief:
    context = Context(customer(), dealings, visits, [happening(one) for one in milestones])
    return build(context, NOW, **more)


def call(*events: Event) -> Interaction:
    return interaction(*events, channel="phone")


@pytest.mark.parametrize(
    ("waits", "events"),
    [
        (True, [event(text=STORY)]),
        (False, [event(text=STORY), event(minute=5, **OUT)]),
        (True, [event(text=STORY), event(minute=5, **OUT), event(minute=9, text="Still the same")]),
        (True, [event(text=STORY), event(minute=5, **OUT | {"data": {"automatic": "reply"}})]),
        (True, [event(text=STORY), event(minute=5, **OUT | {"author": {"role": "system"}})]),
        (False, [event(text=STORY), event(minute=5, **OUT), event(minute=9, data={"automatic": "reply"})]),
        (False, [event(text=STORY), event(minute=5, **OUT),
                 event(minute=9, type="feedback.received", data={"kind": "nps", "score": 9})]),
        (True, [event(type="call.ringing", channel="phone", text=None)]),
        (False, [event(type="call.ringing", text=None), event(type="call.ended", minute=1, direction="internal")]),
        (True, [event(type="com.example.letter", text=STORY)]),
        (False, [event(type="page.viewed", text=None)]),
    ],
    ids=[
        "a mail waits", "an answered mail does not", "an answer that did not help", "an automatic reply is no answer",
        "a system's notice is no answer", "an automatic reply asks nothing", "a survey's answer asks nothing",
        "a call nobody took", "a call that ended", "words of a type we don't know", "a page",
    ],
)  # fmt: skip
def test_what_waits_for_our_answer(waits: bool, events: list[Event]) -> None:
    assert is_waiting(interaction(*events)) is waits


def test_what_waits_too_long_is_no_longer_open() -> None:
    old = interaction(event(text=STORY))
    assert build(Context(customer(), [old]), NOW).open
    assert not build(Context(customer(), [old]), NOW + timedelta(days=30)).open


def test_a_recap_has_what_the_customer_said_and_what_we_answered() -> None:
    told = brief(interaction(event(text=STORY, data={"subject": "Router"}), event(minute=5, text="Try now.", **OUT)))
    [recap] = told.recent
    assert [words.text for words in recap.said] == [STORY]
    assert recap.subject == "Router"
    assert recap.answered
    assert (recap.answered.text, recap.answered.by) == ("Try now.", "Anna")


def test_a_recap_of_a_long_talk_keeps_the_three_longest_in_order_of_time() -> None:
    words = [
        "Hello",
        "My router restarts every evening",
        "Yes",
        "I have changed the cable already",
        "Restarted it twice",
    ]
    told = brief(call(*(event(type="call.turn", minute=i, text=text) for i, text in enumerate(words))))
    assert [said.text for said in told.recent[0].said] == [words[1], words[3], words[4]]


def test_a_recap_of_a_call_has_the_way_through_the_menu_and_the_outcome() -> None:
    menu = {"path": ["Internet", "Faults"], "reason": "fault"}
    told = brief(
        call(
            event(type="call.menu_choice", text=None, data=menu),
            event(type="call.ended", minute=5, text=None, direction="internal", data={"disposition": "call_back"}),
        )
    )
    [recap] = told.recent
    assert (recap.path, recap.reason, recap.outcome) == (["Internet", "Faults"], "fault", "call back")


def test_our_own_words_are_not_what_the_customer_said() -> None:
    told = brief(call(event(type="call.turn", text="How can I help?", direction="outbound", data={"speaker": "agent"})))
    assert told.recent[0].said == []


def test_a_quoted_reply_is_not_said_again() -> None:
    told = brief(interaction(event(text="Any news?\n> " + STORY)))
    assert told.recent[0].said[0].text == "Any news?"


def test_a_survey_alone_is_feedback_and_no_contact() -> None:
    survey = event(type="feedback.received", text="Slow", data={"kind": "nps", "score": 3})
    told = brief(interaction(survey), milestones=[survey])
    assert told.recent == []
    assert told.feedback
    assert told.feedback.summary == "Rated 3 of 10 (NPS): “Slow”"


def test_a_visit_to_the_shop_is_a_contact_that_waits_for_nothing() -> None:
    visit = event(type="shop.visited", channel="in_person", text="The hose leaks.", data={"place": "Tartu"})
    found = brief(interaction(visit, channel="in_person"))
    assert found.open == []
    assert [words.text for words in found.recent[0].said] == ["The hose leaks."]


def test_the_same_page_many_times_on_end_is_told_once() -> None:
    titles = ["Home", "Returns", "Returns", "Returns"]
    pages = [
        event(type="page.viewed", channel="web", minute=i, text=None, data={"title": title})
        for i, title in enumerate(titles)
    ]
    told = brief(visits=[interaction(*pages, channel="web")])
    assert [(deed.summary, deed.times) for deed in told.activity] == [("Viewed “Returns”", 3), ("Viewed “Home”", 1)]


def test_references_are_collected_newest_first() -> None:
    told = brief(
        interaction(
            event(references=[{"type": "order", "value": "1001"}]),
            event(minute=5, references=[{"type": "order", "value": "1001"}, {"type": "invoice", "value": "7"}]),
        )
    )
    assert [(one.type, one.value, one.last_at) for one in told.references] == [
        ("order", "1001", at(5)),
        ("invoice", "7", at(5)),
    ]


def test_a_channel_is_not_given_internal_notes() -> None:
    note = event(type="note.written", text="Promised a refund.", author={"role": "agent", "name": "Anna"})
    assert brief(milestones=[note]).notes[0].text == "Promised a refund."
    assert brief(milestones=[note], internal=False).notes == []


def full_brief() -> Brief:
    """Somebody with something of everything, all of it wordy."""
    long = STORY * 9
    return brief(
        *(interaction(event(text=long, data={"subject": long}), event(minute=5, text=long, **OUT)) for _ in range(4)),
        interaction(event(text=long, minute=9)),
        visits=[interaction(event(type="page.viewed", text=None, data={"title": long}, channel="web"), channel="web")],
        milestones=[
            event(type="note.written", text=long),
            event(type="delivery.updated", text=None, data={"status": "lost", "carrier": "Omniva"}),
            event(type="feedback.received", text=long, data={"kind": "nps", "score": 0}),
        ],
    )


@pytest.mark.parametrize("length", [80, 160, 500, 2000, 10_000])
def test_a_text_is_never_longer_than_asked(length: int) -> None:
    told = text(full_brief(), length, NOW)
    assert told.startswith("Mari Maasikas.")
    assert len(told) <= length


def test_a_short_text_says_who_and_what_they_wait_for() -> None:
    told = text(brief(interaction(event(text=STORY, data={"subject": "Router"}))), 160, NOW)
    assert told.startswith("Mari Maasikas. Not answered yet: 24 h ago by mail about “Router”: “The router restarts")


def test_a_longer_text_also_says_what_we_answered_and_what_they_did() -> None:
    page = event(type="page.viewed", channel="web", text=None, minute=30, data={"title": "Faults"})
    told = text(
        brief(
            interaction(event(text=STORY), event(minute=5, text="Try it now.", **OUT)),
            visits=[interaction(page, channel="web")],
        ),
        500,
        NOW,
    )
    assert f"Last contact: 24 h ago by mail: “{STORY}” Anna answered: “Try it now.”" in told
    assert "Online 23 h ago: Viewed “Faults”." in told


def test_a_call_without_words_does_not_hide_what_was_said_before_it() -> None:
    silent = call(
        event(type="call.ringing", minute=60, text=None),
        event(type="call.ended", minute=61, text=None, direction="internal"),
    )
    told = text(brief(silent, interaction(event(text=STORY), event(minute=5, **OUT))), 160, NOW)
    assert told.startswith("Mari Maasikas. Earlier: 24 h ago by mail: “The router")


@pytest.mark.parametrize("private", ["mari@example.com", "+372 5551 2345", "TL-20210", "55512345"])
def test_a_text_names_nothing_that_somebody_is_known_by_whoever_said_it_where(private: str) -> None:
    told, page = f"It is {private}, and I wait", {"type": "page.viewed", "channel": "web"}
    subject = {"subject": told}
    context = Context(
        customer(private),
        [
            interaction(event(text=told, data=subject), event(minute=5, text=told, **OUT)),
            interaction(event(text=told, data=subject, minute=9)),
            call(event(type="call.menu_choice", text=None, data={"path": [private]})),
        ],
        [interaction(event(text=None, data={"title": told}, **page))],
        [
            happening(event(type="note.written", text=told)),
            happening(event(type="feedback.received", text=told, data={"kind": "nps", "score": 0})),
        ],
    )
    for one in (found := build(context, NOW), Candidates(candidates=[found, found])):
        assert private not in text(one, 10_000, NOW)
    assert text(found, 10_000, NOW).count("It is …, and I wait") == 8


def test_a_subject_of_a_hundred_thousand_letters_is_looked_through_soon() -> None:
    """In milliseconds, and here five seconds; an address sought from each letter takes half a minute."""
    found, began = brief(interaction(event(data={"subject": "x" * 100_000}))), process_time()
    assert f"about “{'x' * 59}…”" in text(found, 500, NOW)
    assert process_time() - began < 5


def test_a_text_leaves_how_long_and_how_often_in_what_was_said() -> None:
    told = text(brief(interaction(event(text="I waited 10 days for order 48213 and called 12 times."))), 500, NOW)
    assert "“I waited 10 days for order … and called 12 times.”" in told


@pytest.mark.parametrize(("number", "said"), [(1, "1 interaction: email."), (2, "2 interactions: email.")])
def test_a_text_says_how_often_they_were_here(number: int, said: str) -> None:
    known = customer().model_copy(update={"interactions": number})
    assert text(build(Context(known), NOW), 500, NOW).endswith(said)


def test_a_text_about_somebody_unknown_by_name_still_says_what_happened() -> None:
    told = text(build(Context(customer(None), [interaction(event(text=STORY))]), NOW), 160, NOW)
    assert told.startswith("Customer without a name. Not answered yet: ")


def test_candidates_are_named_without_giving_anybody_away() -> None:
    both = [build(Context(customer(name)), NOW) for name in ("Mari Maasikas", None)]
    told = text(Candidates(candidates=both), 160, NOW)
    assert told == (
        "2 customers fit; ask for one identifier more. Mari M., last here 23 h ago; Nameless, last here 23 h ago."
    )
