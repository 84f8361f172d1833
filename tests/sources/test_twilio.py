"""What Twilio's webhooks and callbacks tell of a call, and how they prove themselves."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources.twilio import VENDORS
from tests.sources.posting import FORM, becomes, form, only, people, post, refusal

TWILIO = VENDORS[0]
CALL = {"CallSid": "CA1", "AccountSid": "AC1", "From": "+37255512340", "To": "+3726000100", "Direction": "inbound"}
LATER = {"Timestamp": "Wed, 06 May 2026 09:41:18 +0000"}


def tells(url: str = "https://ingest.example/v1/sources/s", **fields: Any) -> dict[str, Any]:
    return only(TWILIO, form(CALL | fields, url))


def test_a_call_that_comes_in_is_the_callers() -> None:
    event = tells(CallStatus="ringing", CallerName="MARI MAASIKAS", StirVerstat="TN-Validation-Passed-A")
    assert (event["type"], event["direction"], event["conversation"]) == ("call.ringing", "inbound", "CA1")
    assert event["data"]["identifiers"] == [{"type": "phone", "value": "+37255512340", "verification": "verified"}]
    assert (event["data"]["number"], event["data"]["author"]["name"]) == ("+3726000100", "MARI MAASIKAS")


def test_a_call_that_goes_out_is_with_whom_it_is_made_to() -> None:
    event = tells(CallStatus="in-progress", Direction="outbound-api", From="+3726000100", To="+37255512340")
    assert (event["type"], event["direction"]) == ("call.started", "outbound")
    assert people(event) == [("phone", "+37255512340")]


def test_a_withheld_number_is_nobodys() -> None:
    for number in ("anonymous", "+266696687", "sip:anonymous@anonymous.invalid", "Restricted", ""):
        assert not people(tells(CallStatus="ringing", From=number))


def test_a_caller_by_sip_is_known_by_number_or_address() -> None:
    assert people(tells(CallStatus="ringing", From="sip:+37255512340@pbx.example;user=phone"))[0][0] == "phone"
    assert people(tells(CallStatus="ringing", From="sip:mari@pbx.example:5060")) == [("sip", "mari@pbx.example")]


@pytest.mark.parametrize(
    ("status", "more", "expected"),
    [
        ("completed", {"CallDuration": "42"}, {"talk_seconds": 42}),
        ("completed", {"AnsweredBy": "machine_end_beep", "CallDuration": "9"},
         {"disposition": "voicemail", "talk_seconds": 9}),
        ("no-answer", {"CallDuration": "0"}, {"disposition": "no_answer"}),
        ("busy", {}, {"disposition": "busy"}),
    ],
)  # fmt: skip
def test_a_call_ends_as_its_status_says(status: str, more: dict[str, str], expected: dict[str, Any]) -> None:
    event = tells(CallStatus=status, SequenceNumber="3", CallbackSource="call-progress-events", **LATER, **more)
    assert (event["type"], event["id"], event["time"]) == ("call.ended", "CA1/ended", "2026-05-06T09:41:18Z")
    assert {name: event["data"][name] for name in event["data"].keys() & {"disposition", "talk_seconds"}} == expected


def test_a_leg_that_was_dialled_tells_who_answered_the_callers_call() -> None:
    leg = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "To": "client:kadri"} | LATER
    started = tells(**leg, CallStatus="in-progress")
    assert (started["type"], started["conversation"]) == ("call.started", "CA1")
    assert started["data"]["agent"] == "client:kadri"
    assert not people(started)  # the leg knows no customer, its conversation does
    over = tells(**leg, CallStatus="completed", CallDuration="361")
    assert (over["type"], over["data"]["to"], over["data"]["talk_seconds"]) == (
        "call.transferred", {"agent": "client:kadri"}, 361,
    )  # fmt: skip


def test_dialling_somebody_tells_whether_they_answered() -> None:
    event = tells(CallStatus="in-progress", DialCallStatus="no-answer", DialCallSid="CA2")
    assert (event["type"], event["conversation"], event["data"]["reason"]) == ("call.transferred", "CA1", "no answer")


def test_keys_and_words_in_the_menu_are_choices_whose_place_the_address_names() -> None:
    action = "https://ingest.example/v1/sources/s?menu=main/orders&reason=repair"
    event = tells(action, CallStatus="in-progress", Digits="2")
    assert (event["type"], event["data"]["choice"], event["data"]["reason"]) == ("call.menu_choice", "2", "repair")
    assert event["data"]["path"] == ["main", "orders"]
    assert tells(action, CallStatus="in-progress", Digits="2")["id"] == event["id"]
    assert tells(action, CallStatus="in-progress", Digits="3")["id"] != event["id"]
    spoken = tells(CallStatus="in-progress", SpeechResult="My washing machine", Confidence="0.9", Language="en-US")
    assert (spoken["data"]["text"], spoken["data"]["language"]) == ("My washing machine", "en-US")


def test_a_voicemail_is_recorded_and_then_read() -> None:
    recorded = {"RecordingSid": "RE1", "RecordingUrl": "https://api.twilio.com/RE1", "RecordingDuration": "12"}
    event = tells(CallStatus="completed", Digits="hangup", **recorded)
    assert (event["type"], event["id"], event["data"]["seconds"]) == ("call.recorded", "RE1", 12)
    event = tells(**recorded, TranscriptionSid="TR1", TranscriptionText="Call back", TranscriptionStatus="completed")
    assert (event["type"], event["data"]["speaker"], event["data"]["text"]) == ("call.turn", "customer", "Call back")


def test_live_words_become_turns_once_they_are_final() -> None:
    said = {"CallSid": "CA1", "TranscriptionSid": "GT1", "TranscriptionEvent": "transcription-content",
            "TranscriptionData": json.dumps({"transcript": "Hello", "confidence": 0.98}), "LanguageCode": "en-US",
            "SequenceId": "2", "Track": "outbound_track", "Timestamp": "2026-05-06T09:33:52.120Z"}  # fmt: skip
    event = only(TWILIO, form(said | {"Final": "true"}))
    assert (event["id"], event["data"]["speaker"], event["direction"]) == ("GT1/2", "agent", "outbound")
    assert (event["data"]["confidence"], event["time"]) == (0.98, "2026-05-06T09:33:52.120000Z")
    assert only(TWILIO, form(said | {"Final": "true", "Track": "inbound_track"}))["direction"] == "inbound"
    assert not becomes(TWILIO, form(said | {"Final": "false"}))
    assert not becomes(TWILIO, form(said | {"TranscriptionEvent": "transcription-started"}))


def test_a_callers_place_in_a_queue_is_a_ring_with_the_queue() -> None:
    event = tells(CallStatus="in-progress", QueueSid="QU1", QueuePosition="3", QueueTime="10")
    assert (event["type"], event["data"]["queue"]) == ("call.ringing", "QU1")
    left = tells(CallStatus="in-progress", QueueSid="QU1", QueueResult="bridged", QueueTime="35")
    assert (left["type"], left["data"]["reason"], left["data"]["waited_seconds"]) == ("call.transferred", "bridged", 35)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe=%zz&&&", b"MessageSid=SM1&Body=hi", b"{}", b"CallSid="])
def test_what_is_no_call_says_so(body: bytes) -> None:
    (refused,) = becomes(TWILIO, post(body, **{"content-type": FORM["content-type"]}))
    assert refused["refused"] == "no_call"


def test_twilios_own_vectors_are_taken(shared: Path) -> None:
    known = json.loads((shared / "fixtures/phone/twilio/signature_vectors.json").read_text())
    bare = "https://mycompany.com/myapp.php?foo=1&bar=2"
    token, fields = known["auth_token"], known["params"]

    def given(url: str, signature: str, **changed: str) -> str | None:
        return refusal(TWILIO, form(fields | changed, url, x_twilio_signature=signature), token)

    assert given(bare, known["x_twilio_signature"]) is None
    assert given(bare, known["sig_url_with_port_443"]) is None
    assert given("http://mycompany.com/myapp.php?foo=1&bar=2", known["sig_http_port_80"]) is None
    assert given("https://mycompany.com:443/myapp.php?foo=1&bar=2", known["x_twilio_signature"]) is None
    assert given(bare, known["x_twilio_signature"], Digits="1235") == "signature_wrong"
    assert given(bare, known["x_twilio_signature"], New="1") == "signature_wrong"
    assert given(bare + "&more=1", known["x_twilio_signature"]) == "signature_wrong"
    assert given(bare, "") == "signature_missing"


def test_a_body_that_is_no_form_is_signed_by_its_hash_in_the_address(shared: Path) -> None:
    known = json.loads((shared / "fixtures/phone/twilio/signature_vectors.json").read_text())
    signature, token, url = known["json_url_signature"], known["auth_token"], known["json_url"]
    assert refusal(TWILIO, post(known["json_body"], url, x_twilio_signature=signature), token) is None
    again = json.dumps(json.loads(known["json_body"]))[:-1] + " }"
    assert refusal(TWILIO, post(again, url, x_twilio_signature=signature), token) == "signature_wrong"


def test_either_token_signs_while_one_is_replaced(shared: Path) -> None:
    known = json.loads((shared / "fixtures/phone/twilio/signature_vectors.json").read_text())
    posted = form(known["params"], known["url"], x_twilio_signature=known["x_twilio_signature"])
    assert refusal(TWILIO, posted, "the new one", known["auth_token"]) is None
    assert refusal(TWILIO, posted, "the new one") == "signature_wrong"


def test_what_twilio_sends_to_the_application_becomes_a_call_of_the_callee(shared: Path) -> None:
    body = (shared / "fixtures/phone/twilio/voice_webhook_in_progress.urlencoded.txt").read_bytes()
    event = only(TWILIO, post(body, **{"content-type": FORM["content-type"]}))
    assert (event["type"], event["direction"]) == ("call.started", "outbound")
    assert people(event) == [("phone", "+15005550006")]
