"""A customer's history as a vCon: valid, complete, and read back by our own source of that kind."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.access import Role
from services.ingest.sources.vcon import VENDORS
from tests.builders import event
from tests.house import MAIL, PHONE, House
from tests.sources.posting import becomes, post

CALL: dict[str, Any] = {"channel": "phone", "conversation": "call-1"}
AGENT = {"role": "agent", "name": "Kadri"}


def history(house: House) -> str:
    """A mail and its answer, a call with a hold, and a visit; the customer's id."""
    house.happened(
        event(MAIL, PHONE, type="message.received", channel="email", text="My parcel is late", minute=0),
        event(MAIL, type="message.sent", channel="email", text="We ask", minute=1, direction="outbound", author=AGENT),
        event(PHONE, type="call.ringing", minute=10, **CALL),
        event(PHONE, type="call.menu_choice", minute=11, data={"choice": "2"}, **CALL),
        event(PHONE, type="call.started", minute=12, data={"agent": "Kadri"}, **CALL),
        event(PHONE, type="call.turn", minute=13, text="Still late", data={"speaker": "customer"}, **CALL),
        event(PHONE, type="call.turn", minute=14, text="I look", direction="outbound", author=AGENT,
              data={"speaker": "agent"}, **CALL),
        event(PHONE, type="call.held", minute=15, data={"seconds": 60}, direction="internal", **CALL),
        event(PHONE, type="call.ended", minute=17, data={"talk_seconds": 300}, direction="internal", **CALL),
        event(MAIL, type="page.viewed", channel="web", minute=20, data={"url": "https://shop.example/"}),
        event(PHONE, type="call.ringing", minute=30, channel="phone", conversation="call-2"),
        event(PHONE, type="call.ended", minute=31, channel="phone", conversation="call-2", direction="internal",
              data={"disposition": "abandoned"}),
    )  # fmt: skip
    return house.id(MAIL)


def check(vcon: Any) -> None:
    """What the draft demands of a vCon."""
    assert UUID(vcon["uuid"]).version == 8
    assert datetime.fromisoformat(vcon["created_at"]).tzinfo
    seats = range(len(vcon["parties"]))
    for dialog in vcon["dialog"]:
        assert dialog["type"] in ("recording", "text", "incomplete")
        assert datetime.fromisoformat(dialog["start"]).tzinfo
        assert all(seat in seats for seat in dialog["parties"])
        assert dialog["type"] != "text" or (dialog["encoding"] == "none" and isinstance(dialog["body"], str))
        assert dialog["type"] != "incomplete" or dialog["disposition"] in ("no-answer", "busy", "failed", "hung-up")
        for one in dialog.get("party_history", []):
            assert one["party"] in seats
            assert one["event"] in ("hold", "unhold", "keydown")
    for analysis in vcon["analysis"]:
        assert analysis["type"]
        assert analysis["vendor"]
        assert analysis["type"] == "report" or analysis["dialog"] in range(len(vcon["dialog"]))


def test_a_history_is_a_valid_vcon_with_everything_in_it(house: House) -> None:
    answer = house.ask(f"/v1/customers/{history(house)}/vcon")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vcon+json")
    vcon = answer.json()
    check(vcon)
    assert [one["type"] for one in vcon["dialog"]] == ["text", "text", "recording", "incomplete"]
    assert [one["event"] for one in vcon["dialog"][2]["party_history"]] == ["keydown", "hold", "unhold"]
    transcript, report = vcon["analysis"]
    assert [one["text"] for one in transcript["body"]] == ["Still late", "I look"]
    assert [one["type"] for one in report["body"]] == ["page.viewed"]
    assert vcon["parties"][0]["role"] == "customer"


def test_a_hold_that_lasts_longer_than_calendars_go_is_told_without_its_end(house: House) -> None:
    house.happened(
        event(PHONE, type="call.ringing", **CALL),
        event(PHONE, type="call.held", minute=1, data={"seconds": 1e12}, direction="internal", **CALL),
    )
    vcon = house.get(f"/v1/customers/{house.id(PHONE)}/vcon")
    check(vcon)
    assert [one["event"] for one in vcon["dialog"][0]["party_history"]] == ["hold"]


def test_what_others_call_a_call_is_reported_as_it_is(house: House) -> None:
    odd = {"author": "Anna", "agent": {"id": 5}}
    house.happened(event(PHONE, type="call.parked", data=odd, **CALL))
    vcon = house.get(f"/v1/customers/{house.id(PHONE)}/vcon")
    check(vcon)
    assert ([one["data"]["agent"] for one in vcon["analysis"][0]["body"]], vcon["dialog"]) == ([{"id": 5}], [])


def test_what_goes_out_comes_in_again(house: House) -> None:
    vcon = house.get(f"/v1/customers/{history(house)}/vcon")
    found = becomes(VENDORS[0], post(vcon))
    assert not [one for one in found if "refused" in one]
    words = {one["type"]: one for one in found}
    assert words["message.received"]["data"]["text"] == "My parcel is late"
    assert words["message.received"]["channel"] == "email"
    assert words["message.sent"]["data"]["author"]["name"] == "Kadri"
    assert words["call.held"]["data"]["seconds"] == 60
    assert [one["data"]["speaker"] for one in found if one["type"] == "call.turn"] == ["customer", "agent"]


def test_one_interaction_is_a_vcon_of_its_own(house: House) -> None:
    id = history(house)
    call = next(
        one["id"] for one in house.get(f"/v1/customers/{id}/timeline")["items"] if one["conversation"] == "call-1"
    )
    vcon = house.get(f"/v1/customers/{id}/vcon", interaction=call)
    check(vcon)
    assert ([one["type"] for one in vcon["dialog"]], len(vcon["analysis"])) == (["recording"], 1)
    assert vcon["uuid"] == house.get(f"/v1/customers/{id}/vcon", interaction=call)["uuid"]
    assert vcon["uuid"] != house.get(f"/v1/customers/{id}/vcon")["uuid"]


def test_a_long_history_goes_on_by_its_cursor(house: House) -> None:
    house.happened(*(event(MAIL, minute=i, type="message.received", channel="email", text=f"{i}") for i in range(5)))
    address, seen, cursor = f"/v1/customers/{house.id(MAIL)}/vcon", [], {}
    while True:
        answer = house.ask(address, limit=2, **cursor)
        seen += [dialog["body"] for dialog in answer.json()["dialog"]]
        if "Next-Cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["Next-Cursor"]}
    assert sorted(seen) == ["0", "1", "2", "3", "4"]


def test_only_agents_read_it_and_leave_a_trace(house: House) -> None:
    id = history(house)
    assert house.ask(f"/v1/customers/{id}/vcon", Role.channel).status_code == 403
    house.get(f"/v1/customers/{id}/vcon")
    assert "vcon" in {one.what for one in house.reads()}
    assert house.ask(f"/v1/customers/{UUID(int=5)}/vcon").status_code == 404
