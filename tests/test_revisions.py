"""Edits and deletions: what is shown is what stands, and what was said before stays to be seen."""

from typing import Any

import pytest

from schemas.event import Event
from services.api.briefs import is_waiting, recap
from services.api.pages.telling import Said, Step, tell
from services.api.revisions import applied
from tests.builders import at, event
from tests.house import MAIL, House
from tests.test_telling import interaction

CHAT: dict[str, Any] = {"channel": "chat", "conversation": "10"}
OURS = {"type": "message.sent", "direction": "outbound", "author": {"role": "agent", "name": "Anna"}}


def said(id: str, text: str, minute: float = 0, **changes: Any) -> Event:
    return event(MAIL, id=id, text=text, minute=minute, **CHAT | changes)


def about(id: str, type: str, text: str | None = None, minute: float = 1, **changes: Any) -> Event:
    data = {"message": id} | changes.pop("data", {})
    return event(MAIL, type=f"message.{type}", text=text, minute=minute, data=data, **CHAT | changes)


def revised(*events: Event) -> Any:
    whole = interaction(*events)
    return whole.model_copy(update={"items": applied(whole.items)})


def test_an_edited_message_says_what_it_says_now_and_what_it_said() -> None:
    shown = revised(
        said("m1", "Order 48123"), about("m1", "edited", "Order 48132"), about("m1", "edited", "Order 48213", minute=2)
    )
    first = shown.items[0]
    assert (first.summary, first.marks) == ("Customer wrote: “Order 48213”", ["edited"])
    assert first.event["data"]["text"] == "Order 48123"
    assert (first.revision.text, first.revision.earlier) == ("Order 48213", ["Order 48123", "Order 48132"])
    assert first.revision.at == at(2)
    (piece,) = tell(shown).pieces
    assert isinstance(piece, Said)
    assert (piece.words, piece.before) == ("Order 48213", ["Order 48123", "Order 48132"])
    assert [words.text for words in recap(shown).said] == ["Order 48213"]


def test_the_order_of_arrival_of_edits_does_not_matter() -> None:
    one, two = about("m1", "edited", "B"), about("m1", "edited", "C", minute=2)
    assert revised(said("m1", "A"), two, one).items[0].revision.text == "C"


def test_a_message_that_was_taken_back_is_said_no_more_but_stays_to_be_seen() -> None:
    later = said("m2", "Where is it?", minute=3)
    shown = revised(said("m1", "You are thieves!"), later, about("m1", "deleted", minute=4))
    taken, _, deletion = shown.items
    assert (taken.revision.deleted, taken.revision.text, taken.marks) == (True, None, ["taken back"])
    assert deletion.summary == "Customer took a message back"
    piece = tell(shown).pieces[0]
    assert isinstance(piece, Said)
    assert (piece.words, piece.before) == ("", ["You are thieves!"])
    assert [words.text for words in recap(shown).said] == ["Where is it?"]


def test_an_edit_with_the_same_words_is_none() -> None:
    assert revised(said("m1", "A"), about("m1", "edited", "A")).items[0].revision is None


def test_an_edit_of_a_message_that_is_not_at_hand_tells_itself() -> None:
    shown = revised(about("m0", "edited", "Order 48213"))
    (piece,) = tell(shown).pieces
    assert isinstance(piece, Said)
    assert piece.words == "Order 48213"
    assert [words.text for words in recap(shown).said] == ["Order 48213"]


@pytest.mark.parametrize(
    ("waits", "events"),
    [
        (False, [said("m1", "Thanks?"), said("m2", "Yes.", 1, **OURS), about("m2", "reacted", minute=2)]),
        (False, [said("m1", "Hi"), said("m2", "Yes.", 1, **OURS), about("m1", "edited", "Hello", minute=2)]),
        (True, [said("m1", "Where is it?"), said("m2", "Soon.", 1, **OURS), about("m2", "deleted", minute=2)]),
        (True, [said("m1", "Where is it?"), said("m2", "Soon.", 1, **OURS), about("m2", "failed", minute=2)]),
        (False, [said("m1", "Where is it?"), about("m1", "deleted", minute=2)]),
    ],
)
def test_what_waits_for_an_answer_is_what_stands(waits: bool, events: list[Event]) -> None:
    assert is_waiting(revised(*events)) == waits


def test_a_message_of_another_system_with_the_same_id_is_another() -> None:
    shown = revised(said("m1", "A"), about("m1", "edited", "B", source="other"))
    assert shown.items[0].revision is None


def test_a_message_that_did_not_arrive_is_a_step_of_its_own() -> None:
    shown = revised(said("m2", "Soon.", **OURS), about("m2", "failed", data={"reason": "Number unknown"}))
    assert isinstance(step := tell(shown).pieces[1], Step)
    assert step.summary == "A message of ours did not arrive, Number unknown"


def test_timeline_and_brief_tell_what_stands_and_the_history_stays(house: House) -> None:
    house.happened(said("m1", "Order 48123"), about("m1", "edited", "Order 48213"))
    id = house.id(MAIL)
    (shown,) = house.get(f"/v1/customers/{id}/timeline")["items"]
    assert shown["items"][0]["revision"]["text"] == "Order 48213"
    assert shown["items"][0]["event"]["data"]["text"] == "Order 48123"
    flat = house.get(f"/v1/customers/{id}/timeline", view="flat")["items"]
    assert [one["event"]["type"] for one in flat] == ["message.edited", "message.received"]
    brief = house.get("/v1/brief", identifier=MAIL)
    assert [words["text"] for words in brief["recent"][0]["said"]] == ["Order 48213"]
