"""A call over many posts is one interaction of its caller, whichever system it went through."""

from typing import Any

import pytest

from schemas.codec import from_wire
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Post
from tests.house import House
from tests.sources.posting import form, post

NUMBER = "+37255512340"
TWILIO = {"From": NUMBER, "To": "+3726000100", "Direction": "inbound", "CallSid": "CA1"}
LEG = {"CallSid": "CA2", "ParentCallSid": "CA1", "Direction": "outbound-dial", "From": NUMBER, "To": "client:kadri"}
CONNECT: dict[str, Any] = {
    "contactId": "c-1", "channel": "VOICE", "initiationMethod": "INBOUND",
    "initiationTimestamp": "2026-05-06T09:31:02Z",
}  # fmt: skip
ASTERISK = {"Linkedid": "17.1", "Uniqueid": "17.1", "CallerIDNum": NUMBER, "Exten": "600"}
POSTS: dict[str, list[Post]] = {
    "twilio": [
        form(TWILIO | {"CallStatus": "ringing"}),
        form(TWILIO | {"CallStatus": "in-progress", "Digits": "2"}, "https://x.example/s?menu=main/orders&reason=repair"),
        form(LEG | {"CallStatus": "in-progress"}),
        form({"CallSid": "CA1", "TranscriptionSid": "TR1", "TranscriptionText": "My parcel"}),
        form(TWILIO | {"CallStatus": "completed", "CallDuration": "361"}),
    ],
    "connect": [
        post(CONNECT | {"eventType": "INITIATED"}),
        post({"ContactId": "c-1", "EventType": "SEGMENTS", "Segments": [
            {"Transcript": {"ParticipantRole": "CUSTOMER", "Content": "My parcel", "BeginOffsetMillis": 1}}]}),
        post({name[0].upper() + name[1:]: value for name, value in CONNECT.items()} | {
            "DisconnectTimestamp": "2026-05-06T09:41:18Z", "Attributes": {"reason": "repair"},
            "CustomerEndpoint": {"Address": NUMBER, "Type": "TELEPHONE_NUMBER"}}),
    ],
    "asterisk": [
        post(ASTERISK | {"Event": "Newchannel"}),
        post(ASTERISK | {"Event": "UserEvent", "UserEvent": "Menu", "Path": "main/orders", "Reason": "repair"}),
        post(ASTERISK | {"Event": "AgentConnect", "Queue": "repairs", "MemberName": "Kadri"}),
        post(ASTERISK | {"Event": "Hangup"}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(POSTS))
def test_a_call_is_one_interaction_of_its_caller(house: House, name: str) -> None:
    for posted in POSTS[name]:
        documents = list(vendors()[name].documents(posted, 32))
        house.happened(*(from_wire(one, source="pbx", received_at=posted.received_at) for one in documents))
    items = house.get(f"/v1/customers/{house.id('phone:' + NUMBER)}/timeline")["items"]
    assert len(items) == 1
    (call,) = items
    assert (call["channel"], "repair" in call["summary"]) == ("phone", True)
    assert {"call.ringing", "call.ended"} <= {one["event"]["type"] for one in call["items"]}
