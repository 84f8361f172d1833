"""The demo: events of the contract's own kind, the same all day, and people who had to tell it twice."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from schemas.codec import decode, encode
from schemas.event import Event, Role
from services import demo
from services.demo.words import TROUBLES, texts

NOW = datetime(2026, 5, 20, 12, 30, tzinfo=UTC)
SOURCES = {"shop-mail", "phone", "chat-widget", "web", "app"}


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(demo.events(NOW))


def by_customer(events: Iterable[Event]) -> dict[str, list[Event]]:
    found = defaultdict(list)
    for event in events:
        found[event.id.split("-")[1]].append(event)
    return found


def test_every_event_is_read_back_as_it_was_written(events: list[Event]) -> None:
    unequal = [event.id for event in events if decode(encode(event)) != event]
    assert unequal == []


def test_a_day_always_has_the_same_events(events: list[Event]) -> None:
    earlier = list(demo.events(NOW.replace(hour=8)))
    assert earlier == events[: len(earlier)]


def test_it_is_six_weeks_of_a_shop_as_they_were_accepted_and_nothing_is_still_to_come(events: list[Event]) -> None:
    accepted = [event.received_at for event in events if event.received_at]
    assert accepted == sorted(accepted)
    assert len(accepted) == len(events)
    assert accepted[-1] <= NOW
    times = sorted(event.occurred_at for event in events)
    assert NOW - timedelta(days=43) < times[0] < NOW - timedelta(days=38)
    assert NOW - timedelta(days=1) < times[-1] <= NOW


def test_there_are_some_300_customers_and_some_thousand_events_with_ids_of_their_own(
    events: list[Event],
) -> None:
    assert 8_000 <= len(events) <= 11_000
    assert len({event.id for event in events}) == len(events)
    assert all(event.id.startswith("demo-") for event in events)
    accounts = {one.value for event in events for one in event.identifiers if one.type == "account"}
    assert len(accounts) == demo.CUSTOMERS


def test_all_five_sources_channels_and_three_languages_are_in_it(events: list[Event]) -> None:
    assert {event.source for event in events} == SOURCES
    assert {"email", "phone", "chat", "web", "app"} <= {event.channel for event in events}
    assert {event.language for event in events} == {"en", "et", "lt", None}


def test_every_customer_is_known_by_account_and_mail_and_most_by_phone_some_of_them_only_later(
    events: list[Event],
) -> None:
    known = by_customer(event for event in events if event.type == "customer.identified")
    kinds = {number: [{one.type for one in event.identifiers} for event in own] for number, own in known.items()}
    assert len(kinds) == demo.CUSTOMERS
    assert all({"device", "account", "email"} <= one for own in kinds.values() for one in own)
    by_phone = [own for own in kinds.values() if any("phone" in one for one in own)]
    assert len(by_phone) > 0.8 * demo.CUSTOMERS
    assert any("phone" not in one for own in by_phone for one in own)


def test_some_who_write_never_say_who_they_are(events: list[Event]) -> None:
    writing = [event for event in events if int(event.id.split("-")[1]) >= demo.CUSTOMERS and event.text]
    assert {event.channel for event in writing} == {"chat", "web"}
    assert {one.type for event in writing for one in event.identifiers} == {"device"}


def test_forms_come_in_the_night_and_what_lithuanian_callers_said_by_monday(events: list[Event]) -> None:
    def waits(late: Callable[[Event], bool]) -> set[tuple[int, int]]:
        return {
            (event.received_at.weekday(), event.received_at.hour)
            for event in events
            if event.received_at and late(event)
        }

    assert {hour for _, hour in waits(lambda event: event.type == "form.submitted")} == {2}
    assert waits(lambda event: event.type == "call.turn" and event.language == "lt") == {(0, 2)}
    others = [event for event in events if event.type not in ("form.submitted", "call.turn")]
    assert all(event.received_at == event.occurred_at for event in others)


def test_some_are_back_the_same_day_and_some_after_weeks(events: list[Event]) -> None:
    told = (own for own in by_customer(told_troubles(events)).values() if len(own) > 1)
    days = [(own[-1].occurred_at - own[0].occurred_at).days for own in told]
    assert {0, 1, 2} <= set(days)
    assert any(7 < one <= 14 for one in days)
    assert any(14 < one <= 30 for one in days)


def test_briefs_were_asked_for_as_some_contacts_began(events: list[Event]) -> None:
    begun = {(event.occurred_at, one.value) for event in events for one in event.identifiers}
    looks = list(demo.looks(NOW))
    assert len(looks) > 30
    before = {(look.at - timedelta(seconds=1), look.identifier.value) for look in looks}
    assert before <= begun


def test_nobody_shares_an_identifier(events: list[Event]) -> None:
    owners = defaultdict(set)
    for number, own in by_customer(events).items():
        for event in own:
            for one in event.identifiers:
                owners[one.type, one.value].add(number)
    assert [handle for handle, numbers in owners.items() if len(numbers) > 1] == []


def test_about_a_quarter_of_those_in_trouble_explain_it_on_another_channel_again(events: list[Event]) -> None:
    told = {number: channels_of_explanations(own) for number, own in by_customer(events).items()}
    in_trouble = [channels for channels in told.values() if channels]
    again = [channels for channels in in_trouble if len(channels) > 1]
    assert len(in_trouble) > 150
    assert 0.18 < len(again) / len(in_trouble) < 0.33


def channels_of_explanations(events: Iterable[Event]) -> set[str]:
    return {event.channel for event in told_troubles(events)}


def told_troubles(events: Iterable[Event]) -> list[Event]:
    """Where the customer told a trouble: by the longest piece of a text without numbers in it."""
    own = (event for event in events if event.text and event.author and event.author.role is Role.customer)
    return [event for event in own if any(piece in (event.text or "") for piece in EXPLANATIONS)]


def _pieces() -> set[str]:
    matters = [texts(language)["matters"][name] for language in ("en", "et", "lt") for name in TROUBLES]
    told = [text for matter in matters for text in (*matter["written"], *matter["typed"])]
    told += [turns[0] for matter in matters for turns in matter["spoken"]]
    plain = (text.replace("}", "{").split("{")[::2] for text in told)
    return {max(pieces, key=len) for pieces in plain}


EXPLANATIONS = _pieces()


def test_some_only_ask_for_news_and_quote_what_was_written_before(events: list[Event]) -> None:
    phrases = {phrase for language in ("en", "et", "lt") for phrase in texts(language)["follow_ups"]}
    asking = [event.text or "" for event in events if (event.text or "").split("\n")[0] in phrases]
    assert len(asking) > 30
    assert any("\n> " in text for text in asking)


def test_a_call_has_its_way_through_the_menu_its_turns_and_its_end(events: list[Event]) -> None:
    calls = defaultdict(list)
    for event in events:
        if event.source == "phone":
            calls[event.conversation].append(event)
    finished = [call for call in calls.values() if any(event.type == "call.ended" for event in call)]
    for call in finished:
        assert any(event.data.get("reason") for event in call if event.type == "call.menu_choice")
    talked = [call for call in finished if any(event.type == "call.turn" for event in call)]
    speakers = {event.data["speaker"] for call in talked for event in call if event.type == "call.turn"}
    assert len(talked) > 50
    assert speakers == {"customer", "agent"}


def test_every_text_has_its_numbers_and_places_filled_in(events: list[Event]) -> None:
    said = [(event.text or "") + str(event.data.get("subject", "")) for event in events]
    assert [text for text in said if "{" in text] == []


@pytest.mark.parametrize("language", ["et", "lt"])
def test_every_language_has_the_same_matters_with_as_many_forms(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert other.keys() == english.keys()
    assert other["matters"].keys() == english["matters"].keys()
    for name, matter in english["matters"].items():
        assert {kind: len(forms) for kind, forms in matter.items() if isinstance(forms, list)} == {
            kind: len(forms) for kind, forms in other["matters"][name].items() if isinstance(forms, list)
        }, name


def test_the_customer_to_show_told_it_three_times(events: list[Event]) -> None:
    shown = by_customer(events)["0"]
    assert {"email", "phone", "chat", "web", "app"} <= {event.channel for event in shown}
    assert channels_of_explanations(shown) == {"email", "phone", "chat"}
