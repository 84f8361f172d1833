"""What Genesys Cloud's detail events, transcripts and conversations become."""

from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources.genesys import VENDORS
from tests.sources.posting import becomes, only, people, post

GENESYS = VENDORS[0]
MARI, OURS = "tel:+37255512340", "tel:+3726000100"
BODY = {
    "eventTime": 1778059862000, "conversationId": "v-1", "participantId": "p-1", "sessionId": "s-1",
    "mediaType": "VOICE", "provider": "Edge", "direction": "INBOUND", "ani": MARI, "dnis": OURS,
}  # fmt: skip


def bridged(kind: str, **body: Any) -> Any:
    return post({"version": "0", "id": "e", "detail-type": f"v2.detail.events.conversation.{{id}}.{kind}",
                 "source": "aws.partner/genesys.com", "time": "2026-05-06T09:32:00Z",
                 "detail": {"topicName": f"v2.detail.events.conversation.v-1.{kind}", "version": "2",
                            "eventBody": BODY | body}})  # fmt: skip


def test_a_call_comes_in_with_its_number() -> None:
    event = only(GENESYS, bridged("customer.start"))
    assert (event["type"], event["conversation"], event["time"]) == ("call.ringing", "v-1", "2026-05-06T09:31:02Z")
    assert (people(event), event["data"]["number"]) == ([("phone", "+37255512340")], "+3726000100")


def test_a_call_out_is_with_whom_it_is_made_to() -> None:
    event = only(GENESYS, bridged("customer.start", direction="OUTBOUND", ani=OURS, dnis=MARI))
    assert (event["direction"], people(event)) == ("outbound", [("phone", "+37255512340")])


@pytest.mark.parametrize(
    ("kind", "body", "type", "data"),
    [
        ("acd.start", {"queueId": "q-1"}, "call.ringing", {"queue": "q-1"}),
        ("user.start", {"userId": "u-1", "queueId": "q-1"}, "call.started", {"agent": "u-1", "queue": "q-1"}),
        ("user.end", {"userId": "u-1", "heldDurationMs": 95000}, "call.held", {"seconds": 95}),
        ("flow.end", {"flowName": "Main menu", "transferTargetName": "Orders"}, "call.menu_choice",
         {"path": ["Main menu"], "reason": "Orders"}),
        ("attributes", {"attributes": {"Reason": "repair"}}, "call.menu_choice", {"reason": "repair"}),
        ("customer.end", {"interactingDurationMs": 361000}, "call.ended", {"talk_seconds": 361}),
        ("acd.end", {"acdOutcome": "ABANDON", "queueId": "q-1"}, "call.ended",
         {"disposition": "abandoned", "queue": "q-1"}),
        ("acw", {"userId": "u-1", "wrapupCode": "resolved", "wrapupDurationMs": 40000}, "call.ended",
         {"agent": "u-1", "disposition": "resolved", "wrap_up_seconds": 40}),
        ("customer.start", {"mediaType": "MESSAGE"}, "chat.started", {}),
    ],
)  # fmt: skip
def test_each_step_of_a_call_is_told(kind: str, body: dict[str, Any], type: str, data: dict[str, Any]) -> None:
    event = only(GENESYS, bridged(kind, **body))
    assert event["type"] == type
    assert {name: event["data"][name] for name in data} == data
    assert event["conversation"] == "v-1"


def test_what_tells_nothing_becomes_nothing() -> None:
    for posted in (bridged("acd.end", acdOutcome="ANSWERED"), bridged("contact"), bridged("user.end")):
        assert becomes(GENESYS, posted) == []


def test_final_words_become_turns() -> None:
    said = [
        {"utteranceId": "u-1", "isFinal": True, "channel": "EXTERNAL", "dialect": "en-US",
         "alternatives": [{"confidence": 0.9, "offsetMs": 12400, "transcript": "My parcel"}]},
        {"utteranceId": "u-2", "isFinal": True, "channel": "INTERNAL", "alternatives": [{"transcript": "One moment"}]},
        {"utteranceId": "u-3", "isFinal": False, "channel": "EXTERNAL", "alternatives": [{"transcript": "It"}]},
    ]  # fmt: skip
    body = {"topicName": "v2.conversations.v-1.transcription", "eventBody":
            {"conversationId": "v-1", "sessionStartTimeMs": 1778059862000, "transcripts": said}}  # fmt: skip
    first, second = becomes(GENESYS, post(body))
    assert (first["type"], first["data"]["speaker"], first["data"]["offset"]) == ("call.turn", "customer", 12.4)
    assert (first["time"], first["data"]["language"]) == ("2026-05-06T09:31:14.400000Z", "en-US")
    assert (second["data"]["speaker"], second["direction"]) == ("agent", "outbound")


def test_a_conversation_of_the_analytics_api_is_a_whole_call() -> None:
    talked = [{"segmentType": "interact", "segmentStart": "2026-05-06T09:33:40Z", "queueId": "q-1"},
              {"segmentType": "wrapup", "wrapUpCode": "resolved"}]  # fmt: skip
    metrics = [{"name": "tTalkComplete", "value": 361000}, {"name": "tHeldComplete", "value": 95000},
               {"name": "tAcw", "value": 40000}]  # fmt: skip
    body = {
        "conversationId": "v-1", "conversationStart": "2026-05-06T09:31:02Z", "conversationEnd": "2026-05-06T09:41:18Z",
        "originatingDirection": "inbound", "participants": [
            {"purpose": "customer", "sessions": [{"mediaType": "voice", "ani": MARI, "dnis": OURS}]},
            {"purpose": "agent", "participantName": "Kadri", "sessions": [{"segments": talked, "metrics": metrics}]},
            {"purpose": "agent", "participantName": "Rasmus", "sessions": [{"segments": talked[:1]}]},
        ],
    }  # fmt: skip
    ringing, started, handed, ended = becomes(GENESYS, post(body))
    assert people(ringing) == people(ended) == [("phone", "+37255512340")]
    assert (started["data"]["agent"], handed["data"]["to"]) == ("Kadri", {"agent": "Rasmus"})
    expected = {"agent": "Rasmus", "queue": "q-1", "disposition": "resolved", "talk_seconds": 361, "hold_seconds": 95,
                "wrap_up_seconds": 40}  # fmt: skip
    assert {name: ended["data"][name] for name in expected} == expected


@pytest.mark.parametrize("body", [{}, [], {"conversationId": ""}, {"participants": {}}])
def test_what_is_no_conversation_says_so(body: Any) -> None:
    (refused,) = becomes(GENESYS, post(body))
    assert refused["refused"] in ("no_conversation", "not_an_object")


def test_every_sample_becomes_events(shared: Path) -> None:
    files = sorted((shared / "fixtures/phone/genesys").iterdir())
    found = [event for file in files for event in becomes(GENESYS, post(file.read_bytes()))]
    assert [one["type"] for one in found] == ["chat.started", "chat.ended", "chat.ended", "chat.started"]
