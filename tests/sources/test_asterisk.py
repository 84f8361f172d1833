"""What Asterisk's CDR, CEL and manager events become, as CSV, JSON and text."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources.asterisk import VENDORS
from tests.sources.posting import becomes, only, people, post

ASTERISK = VENDORS[0]
CDR = (
    '"","+37255512340","600","from-trunk","""Mari Maasikas"" <+37255512340>","PJSIP/trunk-0000001a",'
    '"PJSIP/202-0000001b","Queue","repairs,t","2026-05-06 09:31:02","2026-05-06 09:31:04","2026-05-06 09:41:18",'
    '616,361,"ANSWERED","DOCUMENTATION","1778059862.26","/var/spool/asterisk/monitor/26.wav"\r\n'
)
CUSTOM = (
    '"Mari <+37255512340>","+37255512340","600","from-trunk","PJSIP/trunk-1a2b3c4d","","Queue","repairs",'
    '"2026-05-06 09:31:02","2026-05-06 09:31:04","2026-05-06 09:33:04","122","120",'
    '"ANSWERED","3","","1778059862.26","",7\n'
)
ROW = {
    "eventtype": "CHAN_START", "eventtime": "1778059862.5", "cid_name": "Mari", "cid_num": "+37255512340",
    "exten": "600", "context": "from-trunk", "channame": "PJSIP/trunk-0000001a", "uniqueid": "17.1", "linkedid": "17.1",
}  # fmt: skip
MANAGER = "\r\n\r\n".join(
    "\r\n".join(f"{name}: {value}" for name, value in one.items())
    for one in (
        {"Response": "Success", "Message": "Authentication accepted"},
        {"Event": "Newchannel", "CallerIDNum": "+37255512340", "Exten": "600", "Uniqueid": "17.1", "Linkedid": "17.1"},
        {"Event": "Hangup", "CallerIDNum": "+37255512340", "Exten": "600", "Uniqueid": "17.1", "Linkedid": "17.1"},
    )
)
AGENTS = {"channame": "PJSIP/202-0000001b", "uniqueid": "17.2", "cid_num": "202", "exten": "s"}


def event(**changed: Any) -> dict[str, Any]:
    return only(ASTERISK, post(ROW | changed))


def test_a_detail_record_is_a_whole_call() -> None:
    ringing, started, ended = becomes(ASTERISK, post(CDR))
    assert people(ringing) == people(ended) == [("phone", "+37255512340")]
    assert (ringing["data"]["author"]["name"], ringing["data"]["number"]) == ("Mari Maasikas", "600")
    assert (ringing["time"], ringing["conversation"]) == ("2026-05-06T09:31:02Z", "1778059862.26")
    assert (started["data"]["agent"], started["data"]["queue"]) == ("PJSIP/202", "repairs")
    expected = {"talk_seconds": 361, "ringing_seconds": 255, "agent": "PJSIP/202", "queue": "repairs"}
    assert {name: ended["data"][name] for name in expected} == expected
    assert ended["data"]["recording"].endswith("26.wav")


def test_local_times_are_read_in_the_zone_that_the_address_names() -> None:
    url = "https://ingest.example/v1/sources/s?timezone=Europe/Tallinn"
    assert becomes(ASTERISK, post(CDR, url))[0]["time"] == "2026-05-06T06:31:02Z"
    (refused,) = becomes(ASTERISK, post(CDR, url + "x"))
    assert refused["refused"] == "unknown_timezone"


def test_columns_are_known_by_a_header_or_by_what_stands_in_them() -> None:
    ended = becomes(ASTERISK, post(CUSTOM))[-1]
    assert (ended["data"]["disposition"], ended["data"]["queue"]) == ("abandoned", "repairs")
    header = "uniqueid,linkedid,src,dst,dcontext,start,end,disposition,lastapp\n"
    rows = "17.2,17.1,+37255512340,600,in,2026-05-06 09:31:02,2026-05-06 09:32:02,NO ANSWER,Dial\n"
    ended = becomes(ASTERISK, post(header + rows))[-1]
    assert (ended["conversation"], ended["data"]["disposition"]) == ("17.1", "no_answer")


def test_a_call_out_is_with_whom_was_dialled_and_one_inside_is_nobodys() -> None:
    out = {"src": "202", "dst": "+37255512340", "dcontext": "from-internal", "start": "2026-05-06 09:31:02",
           "disposition": "BUSY", "uniqueid": "1.1"}  # fmt: skip
    ringing, ended = becomes(ASTERISK, post(out))
    assert (ringing["direction"], people(ringing), ended["data"]["disposition"]) == (
        "outbound", [("phone", "+37255512340")], "busy",
    )  # fmt: skip
    assert becomes(ASTERISK, post(out | {"dst": "203"})) == []


def test_the_callers_channel_tells_who_called_and_the_others_who_answered() -> None:
    ringing = event()
    assert (ringing["type"], people(ringing), ringing["data"]["author"]["name"]) == (
        "call.ringing", [("phone", "+37255512340")], "Mari",
    )  # fmt: skip
    assert ringing["time"] == "2026-05-06T09:31:02.500000Z"
    started = event(eventtype="ANSWER", **AGENTS)
    assert (started["type"], started["data"]["agent"], started["conversation"]) == ("call.started", "PJSIP/202", "17.1")
    assert not people(started)


@pytest.mark.parametrize(
    ("changed", "type", "data"),
    [
        ({"eventtype": "APP_START", "appname": "Queue", "appdata": "repairs,t"}, "call.ringing", {"queue": "repairs"}),
        ({"eventtype": "BLINDTRANSFER", "eventextra": '{"extension": "700"}', **AGENTS}, "call.transferred",
         {"from": {"agent": "PJSIP/202"}, "to": {"agent": "700"}}),
        ({"eventtype": "USER_DEFINED", "userdeftype": "menu", "extra": '{"path": "main/orders", "reason": "repair"}'},
         "call.menu_choice", {"path": ["main", "orders"], "reason": "repair"}),
        ({"eventtype": "HANGUP", "eventextra": '{"dialstatus": "CANCEL"}'}, "call.ended", {"disposition": "abandoned"}),
        ({"Event": "CEL", "EventName": "HANGUP", "eventtype": None}, "call.ended", {}),
        ({"Event": "QueueCallerJoin", "Queue": "repairs", "CallerIDNum": "+37255512340"}, "call.ringing",
         {"queue": "repairs"}),
        ({"Event": "AgentConnect", "Queue": "repairs", "MemberName": "Kadri", "HoldTime": "95"}, "call.started",
         {"agent": "Kadri", "waited_seconds": 95}),
        ({"Event": "AgentComplete", "Queue": "repairs", "MemberName": "Kadri", "HoldTime": "95", "TalkTime": "361"},
         "call.ended", {"agent": "Kadri", "talk_seconds": 361, "ringing_seconds": 95}),
        ({"Event": "QueueCallerAbandon", "Queue": "repairs", "HoldTime": "40"}, "call.ended",
         {"disposition": "abandoned", "ringing_seconds": 40}),
        ({"Event": "UserEvent", "UserEvent": "Menu", "Path": "main/orders", "Choice": "2"}, "call.menu_choice",
         {"path": ["main", "orders"], "choice": "2"}),
    ],
)  # fmt: skip
def test_each_event_is_told_in_our_words(changed: dict[str, Any], type: str, data: dict[str, Any]) -> None:
    told = event(**changed)
    assert (told["type"], told["conversation"]) == (type, "17.1")
    assert {name: told["data"][name] for name in data} == data
    assert told["id"] == event(**changed)["id"]


def test_keys_that_are_pressed_are_not_taken() -> None:
    for row in ({"Event": "DTMFEnd", "Digit": "4"}, {"eventtype": "DTMF", "extra": '{"digit": "4"}'}):
        assert becomes(ASTERISK, post(ROW | row)) == []


def test_events_come_as_the_manager_writes_them_and_as_lines() -> None:
    assert [one["type"] for one in becomes(ASTERISK, post(MANAGER))] == ["call.ringing", "call.ended"]
    lines = "\n".join(json.dumps(ROW | {"eventtype": kind}) for kind in ("CHAN_START", "HANGUP"))
    assert [one["type"] for one in becomes(ASTERISK, post(lines))] == ["call.ringing", "call.ended"]
    rest = "Mari,+37255512340,,,,600,from-trunk,PJSIP/trunk-0000001a,,,3,,17.1,17.1,,,,{}"
    cel = f"CHAN_START,1778059862.5,{rest}\nLINKEDID_END,1778060478.5,{rest}\n"
    assert [one["type"] for one in becomes(ASTERISK, post(cel))] == ["call.ringing"]


@pytest.mark.parametrize("body", [b"", b"hello", b"\xff\xfe,,,", b"[]", b"{}", b'"' + b"x" * 200_000, b"a,b\n" * 50])
def test_what_is_no_record_says_so(body: bytes) -> None:
    (refused,) = becomes(ASTERISK, post(body))
    assert refused["refused"] in ("no_record", "not_csv")


def test_the_samples_of_the_manager_are_read(shared: Path) -> None:
    for file in sorted((shared / "fixtures/phone/asterisk_ami").iterdir()):
        assert becomes(ASTERISK, post(file.read_bytes())) == [], "calls between extensions, and no call at all"


def test_a_callers_name_of_any_length_is_read_at_once() -> None:
    row = {"src": "+37255512340", "start": "2026-05-06 09:31:02", "disposition": "BUSY", "uniqueid": "1.1"}
    assert len(becomes(ASTERISK, post(row | {"clid": " " * 300_000 + 'x"x'}))) == 2
