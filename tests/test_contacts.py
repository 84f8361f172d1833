"""A survey's answer is shown with the contact that it is about, which another source told of."""

from typing import Any

import pytest

from schemas.codec import from_wire
from schemas.event import Event
from tests.builders import at, event
from tests.house import MAIL, PHONE, House
from tests.sources.chats import only

EVE = "email:eve@example.com"


def call(*named: str) -> Event:
    """A call 147, told by one of the places that a source has."""
    told = {"type": "call.turn", "conversation": "147", "text": "No internet."}
    return event(*named, source="pbx/2", channel="phone", **told)


def answer(mail: str = MAIL, source: str = "pbx") -> Event:
    """What becomes of an answer about a conversation 147."""
    said = {"id": "s1", "time": at(60).isoformat(), "kind": "ces", "score": 2, "text": "Slow", "conversation": "147"}
    posted = said | {"conversation_source": source, "email": mail.removeprefix("email:")}
    return from_wire(only("surveys", posted), source="nps")


def shown(house: House, channel: str, **asked: Any) -> Any:
    """The one interaction of the channel on Mari's timeline, or event."""
    (one,) = house.get(f"/v1/customers/{house.id(MAIL)}/timeline", channel=channel, **asked)["items"]
    return one


@pytest.mark.parametrize("first", ["the call", "the answer"])
def test_an_answer_is_shown_with_its_call_whichever_came_first(house: House, first: str) -> None:
    order = [call(PHONE, MAIL), answer()]
    for one in order if first == "the call" else reversed(order):
        house.happened(one)
    about = {"interaction": shown(house, "phone")["id"], "channel": "phone", "started_at": "2026-05-04T09:00:00Z"}
    assert shown(house, "other", view="flat")["about"] == about
    (item,) = shown(house, "other")["items"]
    assert (item["about"], item["event"]["data"]["text"]) == (about, "Slow")
    assert (shown(house, "phone")["source"], shown(house, "phone")["events"]) == ("pbx", 1), "it stays by itself"


def test_a_contact_of_another_customers_shows_nothing(house: House) -> None:
    house.happened(call(EVE), answer())
    assert shown(house, "other", view="flat")["about"] is None


def test_the_same_number_in_another_source_is_another_contact(house: House) -> None:
    house.happened(call(MAIL), answer(source="chat"))
    assert shown(house, "other", view="flat")["about"] is None
