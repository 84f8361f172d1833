"""What the metadata of recorded calls becomes."""

from pathlib import Path

import pytest

from services.ingest.sources.siprec import VENDORS
from tests.sources.posting import becomes, people, post

SIPREC = VENDORS[0]


def recording(session: str = "", assoc: str = "", more: str = "", first: str = "sip:+37255512340@pbx") -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns='urn:ietf:params:xml:ns:recording:1'>
  <datamode>complete</datamode>
  <session session_id="s-1"><start-time>2026-05-06T09:31:02Z</start-time>{session}</session>
  <participant participant_id="p-1"><nameID aor="{first}"><name xml:lang="et">Mari</name></nameID></participant>
  <participant participant_id="p-2"><nameID aor="sip:202@pbx"><name>Kadri</name></nameID></participant>
  {more}{assoc}
</recording>"""


def assoc(who: str, came: str = "09:31:02", left: str = "") -> str:
    gone = f"<disassociate-time>2026-05-06T{left}Z</disassociate-time>" if left else ""
    return (f'<participantsessionassoc participant_id="{who}" session_id="s-1"><associate-time>2026-05-06T{came}Z'
            f"</associate-time>{gone}</participantsessionassoc>")  # fmt: skip


def test_a_session_that_starts_is_a_call_of_who_has_a_number() -> None:
    (event,) = becomes(SIPREC, post(recording()))
    assert (event["type"], event["conversation"], event["time"]) == ("call.started", "s-1", "2026-05-06T09:31:02Z")
    assert (people(event), event["data"]["agent"]) == ([("phone", "+37255512340")], "Kadri")
    assert (event["data"]["author"]["name"], event["direction"]) == ("Mari", "inbound")


def test_an_extension_that_calls_a_number_calls_out() -> None:
    other = '<participant participant_id="p-0"><nameID aor="tel:+37255598765"/></participant>'
    (event,) = becomes(SIPREC, post(recording(more=other, first="sip:203@pbx")))
    assert (event["direction"], people(event)) == ("outbound", [("phone", "+37255598765")])


def test_a_session_that_stops_is_over() -> None:
    stopped = recording("<stop-time>2026-05-06T09:41:18Z</stop-time><reason>Call Ended</reason>")
    _, ended = becomes(SIPREC, post(stopped))
    assert (ended["type"], ended["data"]["disposition"]) == ("call.ended", "call_ended")
    assert ended["data"]["talk_seconds"] == 616
    left = recording(assoc=assoc("p-1", left="09:41:18") + assoc("p-2", left="09:41:17"))
    assert becomes(SIPREC, post(left))[-1]["time"] == "2026-05-06T09:41:18Z"
    assert len(becomes(SIPREC, post(recording(assoc=assoc("p-1", left="09:41:18") + assoc("p-2"))))) == 1


def test_who_joins_later_was_brought_in() -> None:
    third = '<participant participant_id="p-3"><nameID aor="sip:300@pbx"><name>Rasmus</name></nameID></participant>'
    joined = recording(more=third, assoc=assoc("p-1") + assoc("p-2") + assoc("p-3", "09:37:05"))
    _, event = becomes(SIPREC, post(joined))
    assert (event["type"], event["data"]["to"], event["time"]) == (
        "call.transferred", {"agent": "Rasmus"}, "2026-05-06T09:37:05Z",
    )  # fmt: skip


def test_the_metadata_is_found_in_the_body_of_the_sip_request() -> None:
    body = f"--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=<recording>\r\n--b\r\n\r\n{recording()}\r\n--b--\r\n"
    body = body.replace("s=<recording>\r\n", "")
    assert becomes(SIPREC, post(body))[0]["conversation"] == "s-1"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "no_metadata"),
        ("hello", "no_metadata"),
        ("<recording", "no_metadata"),
        ("<recording><session></recording>", "not_xml"),
        ("<recording xmlns='x'></recording>", "no_session"),
        ("<recording>&lol;</recording>", "not_xml"),
        ('<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><recording>&b;</recording>', "not_xml"),
        ('<recording ><!DOCTYPE r [<!ENTITY a "a">]></recording>', "not_xml"),
        ("<recording>" + "<a>" * 20000 + "</recording>", "not_xml"),
        (b"<recording \xff\xfe></recording>", "not_xml"),
    ],
)
def test_what_can_not_be_read_says_so(body: str | bytes, why: str) -> None:
    (refused,) = becomes(SIPREC, post(body))
    assert refused["refused"] == why


def test_every_sample_becomes_a_call_or_says_why_not(shared: Path) -> None:
    files = sorted((shared / "fixtures/phone/siprec").iterdir())
    found = {file.name: becomes(SIPREC, post(file.read_bytes())) for file in files}
    assert found.pop("broadworks-offer.txt")[0]["refused"] == "no_session"  # its tags were lost
    assert {events[0]["type"] for events in found.values()} == {"call.started"}
    assert people(found["procomm-siprec-offer.txt"][0]) == [("phone", "016190200")]
    assert people(found["connectel-offer.txt"][0]) == [("phone", "0771121212")]
