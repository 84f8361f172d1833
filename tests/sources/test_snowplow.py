"""What Snowplow's trackers post, or ask for as an image, becomes."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from services.errors import Invalid
from services.ingest.sources.snowplow import VENDORS, answer, keys
from services.ingest.sources.vendor import Post
from tests.sources.posting import RECEIVED, becomes, only, people, post

SNOWPLOW = VENDORS[0]
MINUTE = 60_000
NOW = int(RECEIVED.timestamp() * 1000)
SEEN: dict[str, Any] = {
    "e": "pv", "eid": "e-1", "url": "https://shop.example/returns", "page": "Returns", "refr": "https://shop.example/",
    "duid": "d-1", "uid": "8812", "p": "web", "aid": "KEY", "lang": "et-EE", "dtm": str(NOW - MINUTE), "stm": str(NOW),
}  # fmt: skip


def packed(document: Any) -> str:
    """Base64 for addresses, without its padding, as the trackers write it."""
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def described(name: str, data: Any) -> Any:
    return {"schema": f"iglu:com.snowplowanalytics.snowplow/{name}/jsonschema/1-0-0", "data": data}


def told(name: str, data: Any, *contexts: Any, **fields: Any) -> dict[str, Any]:
    """A self-describing event, with what is told beside it."""
    call = SEEN | {"e": "ue", "ue_px": packed(described("unstruct_event", described(name, data)))}
    return call | ({"cx": packed(described("contexts", list(contexts)))} if contexts else {}) | fields


def payload(*calls: Any) -> Post:
    return post({"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": list(calls)})


def image(call: dict[str, Any]) -> Post:
    return post(b"", "https://ingest.example/i?" + urlencode(call), method="GET")


def event(call: dict[str, Any]) -> dict[str, Any]:
    return only(SNOWPLOW, payload(call))


def test_a_page_view_is_the_same_posted_and_asked_for_as_an_image() -> None:
    seen = event(SEEN)
    assert (seen["id"], seen["type"], seen["channel"], seen["time"]) == (
        "e-1", "page.viewed", "web", "2026-06-01T11:59:00Z",
    )  # fmt: skip
    assert people(seen) == [("account", "8812"), ("device", "d-1")]
    assert (seen["data"]["url"], seen["data"]["title"], seen["data"]["referrer"]) == (
        "https://shop.example/returns", "Returns", "https://shop.example/",
    )  # fmt: skip
    assert seen == only(SNOWPLOW, image(SEEN))


def test_a_self_describing_event_is_read_packed_and_plain() -> None:
    said = described("unstruct_event", {"schema": "iglu:com.acme/repair/jsonschema/1-0-0", "data": {"orderId": "A1"}})
    plain = {name: value for name, value in told("x", {}).items() if name != "ue_px"} | {"ue_pr": json.dumps(said)}
    for call in (SEEN | {"e": "ue", "ue_px": packed(said)}, plain):
        known = event(call)
        assert (known["type"], known["data"]["name"], known["data"]["references"]) == (
            "app.event", "repair", [{"type": "order", "value": "A1"}],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "data", "type", "fields"),
    [
        ("screen_view", {"name": "Orders"}, "screen.viewed", {"name": "Orders"}),
        ("site_search", {"terms": ["blue", "tea"]}, "search.made", {"query": "blue tea"}),
        ("application_error", {"message": "x is undefined"}, "error.shown", {"message": "x is undefined"}),
        (
            "submit_form", {"formId": "returns", "elements": [{"name": "why", "value": "broken"}]},
            "form.submitted", {"form": "returns", "fields": {"why": "broken"}},
        ),
        ("link_click", {"targetUrl": "https://x"}, "app.event", {"name": "link_click"}),
    ],
)  # fmt: skip
def test_what_trackers_say_of_themselves_has_a_meaning(name: str, data: Any, type: str, fields: Any) -> None:
    known = event(told(name, data))
    assert known["type"] == type
    assert fields.items() <= known["data"].items()


def test_an_order_is_a_purchase_in_each_of_its_forms() -> None:
    figures = {"transaction_id": "1001", "revenue": 19.9, "currency": "EUR"}
    commerce = told("snowplow_ecommerce_action", {"type": "transaction"}, described("transaction", figures))
    old = SEEN | {"e": "tr", "tr_id": "1001", "tr_tt": "19.9", "tr_cu": "EUR"}
    for call in (commerce, old):
        known = event(call)
        assert (known["type"], known["data"]["amount"], known["data"]["currency"]) == ("purchase.made", "19.9", "EUR")
        assert known["data"]["references"] == [{"type": "order", "value": "1001"}]
    refund = described("refund", {"transaction_id": "1001", "refund_amount": 5})
    back = event(told("snowplow_ecommerce_action", {"type": "refund"}, refund))
    assert (back["type"], back["data"]["status"]) == ("billing.updated", "refunded")


def test_who_it_is_may_stand_beside_the_event() -> None:
    session = described("client_session", {"userId": "install-1", "sessionId": "s"})
    user = described("user", {"id": "C-9", "email": "mari@example.com"})
    call = {name: value for name, value in told("x", {}, session, user).items() if name not in ("uid", "duid")}
    known = event(call | {"p": "mob"})
    assert people(known) == [("account", "C-9"), ("email", "mari@example.com"), ("device", "install-1")]
    assert known["channel"] == "app"


def test_a_skewed_clock_is_corrected_and_a_true_time_stands() -> None:
    fast = SEEN | {"dtm": str(NOW + 179 * MINUTE), "stm": str(NOW + 180 * MINUTE)}
    assert event(fast)["time"] == "2026-06-01T11:59:00Z"
    assert event(fast | {"ttm": str(NOW - 90 * MINUTE)})["time"] == "2026-06-01T10:30:00Z"


def test_seconds_on_a_page_and_items_of_an_order_become_nothing() -> None:
    ping, item = SEEN | {"e": "pp"}, SEEN | {"e": "ti", "ti_sk": "T-1"}
    assert becomes(SNOWPLOW, payload(ping, item, told("focus_form", {}))) == []


def test_a_structured_event_is_known_by_its_action() -> None:
    known = event(SEEN | {"e": "se", "se_ca": "shop", "se_ac": "add-to-basket", "se_va": "2"})
    assert (known["data"]["name"], known["data"]["properties"]) == ("add-to-basket", {"category": "shop", "value": "2"})


def test_the_app_id_is_the_key_and_the_answers_are_the_collectors() -> None:
    assert "KEY" in list(keys(payload(SEEN)))
    assert "KEY" in list(keys(image(SEEN)))
    assert answer(image(SEEN), None).body.startswith(b"GIF89a")
    assert (answer(payload(SEEN), None).body, answer(payload(SEEN), None).status) == (b"ok", 200)
    assert b'"bad"' in answer(payload(SEEN), Invalid("no", code="bad")).body


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"e": "zz"}, "unknown_event"), ({}, "unknown_event"), ("text", "not_a_call"),
        (SEEN | {"e": "ue", "ue_px": "a"}, "not_base64"), (SEEN | {"e": "ue", "ue_px": "õõ"}, "not_base64"),
        (SEEN | {"e": "ue", "ue_px": "bm8gSlNPTg"}, "not_json"), (SEEN | {"cx": packed("x")[:-2]}, "not_json"),
    ],
)  # fmt: skip
def test_a_bad_event_does_not_spoil_the_others(call: Any, code: str) -> None:
    bad, good = becomes(SNOWPLOW, payload(call, SEEN))
    assert (bad["refused"], good["id"]) == (code, "e-1")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}', b"no JSON"])
def test_what_is_no_payload_is_refused(body: bytes) -> None:
    [refused] = becomes(SNOWPLOW, post(body))
    assert refused["message"]


def test_every_recorded_request_becomes_its_events(shared: Path) -> None:
    found = {}
    for file in sorted((shared / "fixtures/web/snowplow/recorded").glob("*")):
        for line in map(json.loads, file.open()):
            asked = post(line["body"], "https://ingest.example" + line["path"], method=line["method"])
            found.setdefault(file.stem, []).extend(becomes(SNOWPLOW, asked))
    assert {name: [(one["type"], one["data"].get("name")) for one in events] for name, events in found.items()} == {
        "sp_get": [("page.viewed", None), ("app.event", "add-to-basket"), ("app.event", "order")],
        "spnode": [("page.viewed", None), ("app.event", "order")],
    }
    assert people(found["sp_get"][2]) == [("account", "user-1")]
    assert found["sp_get"][2]["data"]["references"] == [{"type": "order", "value": "A1"}]
