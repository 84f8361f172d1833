"""What Amazon Connect's events, records, flows and transcripts become, by EventBridge and by Firehose."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from services.errors import Invalid
from services.ingest.sources.connect import VENDORS
from tests.sources.posting import becomes, only, people, post

CONNECT = VENDORS[0]
ARN = "arn:aws:connect:eu-central-1:123456789012:instance/i-1"
RECORD: dict[str, Any] = {
    "AWSContactTraceRecordFormatVersion": "2017-03-10", "Channel": "VOICE", "ContactId": "c-2",
    "InitialContactId": "c-1",
    "InitiationMethod": "INBOUND", "InitiationTimestamp": "2026-05-06T09:31:02Z", "InstanceARN": ARN,
    "ConnectedToSystemTimestamp": "2026-05-06T09:31:03Z", "DisconnectTimestamp": "2026-05-06T09:41:18Z",
    "DisconnectReason": "CUSTOMER_DISCONNECT", "LastUpdateTimestamp": "2026-05-06T09:43:00Z",
    "CustomerEndpoint": {"Address": "+37255512340", "Type": "TELEPHONE_NUMBER"},
    "SystemEndpoint": {"Address": "+3726000100", "Type": "TELEPHONE_NUMBER"},
    "Queue": {"ARN": f"{ARN}/queue/q-1", "Name": "Repairs", "Duration": 120,
              "EnqueueTimestamp": "2026-05-06T09:31:40Z"},
    "Agent": {"ARN": f"{ARN}/agent/a-1", "Username": "kadri.t", "ConnectedToAgentTimestamp": "2026-05-06T09:33:40Z",
              "AgentInteractionDuration": 361, "CustomerHoldDuration": 95, "AfterContactWorkDuration": 40},
    "Attributes": {"menu": "main/orders", "reason": "repair"},
    "Recording": {"Location": "bucket/recordings/c-2.wav", "Status": "AVAILABLE", "Type": "AUDIO"},
}  # fmt: skip
EVENT: dict[str, Any] = {
    "contactId": "c-2", "initialContactId": "c-1", "channel": "VOICE", "initiationMethod": "INBOUND",
    "initiationTimestamp": "2026-05-06T09:31:02Z",
    "queueInfo": {"queueArn": f"{ARN}/queue/q-1", "queueType": "STANDARD", "enqueueTimestamp": "2026-05-06T09:31:40Z"},
    "agentInfo": {"agentArn": f"{ARN}/agent/a-1", "connectedToAgentTimestamp": "2026-05-06T09:33:40Z"},
}  # fmt: skip


def bridged(**detail: Any) -> Any:
    return post({"version": "0", "id": "e-1", "detail-type": "Amazon Connect Contact Event", "source": "aws.connect",
                 "time": "2026-05-06T09:50:00Z", "detail": EVENT | detail})  # fmt: skip


def fired(*records: bytes, **headers: str) -> Any:
    coded = [{"data": base64.b64encode(one).decode()} for one in records]
    return post({"requestId": "r-1", "timestamp": 1778061000000, "records": coded}, **headers)


def test_a_record_tells_the_whole_call_and_who_it_was_with() -> None:
    found = {one["type"]: one for one in becomes(CONNECT, fired(json.dumps(RECORD).encode()))}
    ended = found["call.ended"]
    assert people(ended) == [("phone", "+37255512340")]
    assert (ended["conversation"], ended["time"]) == ("c-1", "2026-05-06T09:41:18Z")
    assert {name: ended["data"][name] for name in ended["data"] if name not in ("identifiers", "number")} == {
        "queue": "Repairs", "agent": "kadri.t", "disposition": "customer_disconnect", "ringing_seconds": 120,
        "talk_seconds": 361, "hold_seconds": 95, "wrap_up_seconds": 40,
    }  # fmt: skip
    assert (found["call.menu_choice"]["data"]["path"], found["call.menu_choice"]["data"]["reason"]) == (
        ["main", "orders"], "repair",
    )  # fmt: skip
    assert found["call.recorded"]["data"]["recording"] == "bucket/recordings/c-2.wav"
    assert found["call.started"]["time"] == "2026-05-06T09:33:40Z"


def test_what_an_event_and_the_record_both_tell_is_told_alike() -> None:
    record = {one["id"]: one for one in becomes(CONNECT, post(RECORD))}
    for step in ("INITIATED", "QUEUED", "CONNECTED_TO_AGENT"):
        event = only(CONNECT, bridged(eventType=step))
        same = record[event["id"]]
        assert {**event, "recordedtime": ""} == {**same, "recordedtime": ""}


def test_a_record_that_was_changed_tells_what_is_new_and_nothing_twice() -> None:
    known = {one["id"] for one in becomes(CONNECT, post(RECORD))}
    later = RECORD | {"LastUpdateTimestamp": "2026-05-06T09:55:00Z"}
    assert {one["id"] for one in becomes(CONNECT, post(later))} == known
    later |= {"Agent": {**RECORD["Agent"], "AfterContactWorkDuration": 400}, "Attributes": {"reason": "refund"}}
    new = [one for one in becomes(CONNECT, post(later)) if one["id"] not in known]
    assert [one["type"] for one in new] == ["call.ended", "call.menu_choice"]
    assert (new[0]["data"]["wrap_up_seconds"], new[1]["data"]["reason"]) == (400, "refund")


def test_names_of_fields_are_read_in_any_case() -> None:
    detail = {"EventType": "CONNECTED_TO_AGENT", "ContactId": "c-9", "Channel": "Voice",
              "AgentInfo": {"AgentArn": "x/a-1", "connectedToAgentTimestamp": "2026-05-06T09:33:40Z"}}  # fmt: skip
    event = only(CONNECT, post(detail))
    assert (event["type"], event["data"]["agent"], event["conversation"]) == ("call.started", "a-1", "c-9")


def test_a_caller_who_hung_up_in_the_queue_abandoned_the_call() -> None:
    ended = only(CONNECT, bridged(eventType="DISCONNECTED", agentInfo=None, disconnectTimestamp="2026-05-06T09:35:00Z"))
    assert (ended["type"], ended["data"]["disposition"]) == ("call.ended", "abandoned")


@pytest.mark.parametrize(
    ("detail", "type", "direction"),
    [
        ({"initiationMethod": "OUTBOUND"}, "call.ringing", "outbound"),
        ({"initiationMethod": "CALLBACK"}, "call.ringing", "outbound"),
        ({"initiationMethod": "TRANSFER"}, "call.transferred", "internal"),
        ({"channel": "CHAT"}, "chat.started", "inbound"),
    ],
)
def test_how_a_contact_began_says_what_it_is(detail: dict[str, str], type: str, direction: str) -> None:
    event = only(CONNECT, bridged(eventType="INITIATED", **detail))
    assert (event["type"], event["direction"]) == (type, direction)


@pytest.mark.parametrize(
    "body",
    [
        {"detail-type": "Contact Lens Post Call Rules Matched", "source": "aws.connect", "detail": {"ruleName": "r"}},
        EVENT | {"eventType": "INITIATED", "channel": "TASK"},
        EVENT | {"eventType": "CONTACT_DATA_UPDATED"},
        {"EventType": "FAILED", "ContactId": "c-1"},
        {"AgentARN": "a", "EventType": "HEART_BEAT"},
        EVENT | {"eventType": {"x": []}},
    ],
)
def test_what_tells_nothing_of_a_customer_becomes_nothing(body: Any) -> None:
    assert becomes(CONNECT, post(body)) == []


def test_records_that_can_not_be_read_let_the_others_through() -> None:
    two = json.dumps(RECORD).encode() + b"\n" + json.dumps(EVENT | {"eventType": "INITIATED"}).encode()
    found = becomes(CONNECT, fired(b"\xff", b'{"a":', two, b'{"x": 1}'))
    assert [one["refused"] for one in found if "refused" in one] == ["not_json", "not_json", "no_contact"]
    assert len({one["id"] for one in found if "id" in one}) == 6


def test_firehose_is_answered_as_it_expects() -> None:
    posted = fired(x_amz_firehose_request_id="r-1", x_amz_firehose_access_key="key")
    assert CONNECT.answer
    said = json.loads(CONNECT.answer(posted, None).body)
    assert (said["requestId"], "errorMessage" in said) == ("r-1", False)
    assert isinstance(said["timestamp"], int)
    refused = json.loads(CONNECT.answer(posted, Invalid("bad", code="not_json")).body)
    assert (refused["requestId"], refused["errorMessage"], refused["code"]) == ("r-1", "not_json: bad", "not_json")
    assert list(CONNECT.carried(posted)) == ["key"]


def test_only_what_is_final_of_live_speech_is_told() -> None:
    said = {"ParticipantRole": "CUSTOMER", "BeginOffsetMillis": 19010, "EndOffsetMillis": 22690}
    live = {"EventType": "SEGMENTS", "ContactId": "c-1", "LanguageCode": "en-US", "Segments": [
        {"Utterance": said | {"PartialContent": "My par"}}, {"Transcript": said | {"Content": "My parcel"}},
        {"Categories": {"MatchedCategories": ["x"]}},
    ]}  # fmt: skip
    turn = only(CONNECT, fired(json.dumps(live).encode()))
    assert (turn["type"], turn["data"]["text"], turn["data"]["offset"]) == ("call.turn", "My parcel", 19.01)
    assert (turn["data"]["speaker"], turn["data"]["language"]) == ("customer", "en-US")
    assert turn["time"] == "2026-05-06T09:49:56.320000Z"  # as long before it was sent as it took to say


def test_every_sample_becomes_events_or_says_why_not(shared: Path) -> None:
    files = sorted((shared / "fixtures/phone/amazon_connect").iterdir())
    found = {file.name: becomes(CONNECT, post(file.read_bytes())) for file in files}
    assert not [one for events in found.values() for one in events if "refused" in one]
    empty = [name for name, events in found.items() if not events]
    assert empty == ["sample-real-time-contact-analysis-segment-stream.4.json"]  # the analysis failed
    speakers = [one["data"]["speaker"] for one in found["contact-lens-example-output-files.1.json"]]
    assert speakers[:3] == ["agent", "customer", "agent"]
