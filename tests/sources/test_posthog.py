"""What PostHog's clients post becomes."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from services.ingest.sources.posthog import VENDORS, keys
from services.ingest.sources.vendor import Post
from tests.sources.posting import RECEIVED, becomes, form, only, people, post

POSTHOG = VENDORS[0]
VISITOR = "01890a5d-ac96-774b-bcce-b302099a8057"  # as the client in browsers makes them up
SEEN: dict[str, Any] = {
    "event": "$pageview", "uuid": "e-1", "timestamp": "2026-06-01T11:59:00Z",
    "properties": {
        "token": "phc_1", "distinct_id": VISITOR, "$device_id": VISITOR, "$is_identified": False, "$lib": "web",
        "$current_url": "https://shop.example/returns", "title": "Returns", "$browser_language": "et-EE", "plan": "pro",
    },
}  # fmt: skip


def happened(name: str, who: str | None = "8812", **properties: Any) -> dict[str, Any]:
    known = {"event": name, "uuid": "e-2", "properties": properties, "timestamp": "2026-06-01T11:59:00Z"}
    return known | ({"distinct_id": who} if who else {})


def event(body: Any) -> dict[str, Any]:
    return only(POSTHOG, post(body))


def test_a_page_view_is_the_visitors_device_in_its_language() -> None:
    seen = event(SEEN)
    assert (seen["id"], seen["type"], seen["channel"], seen["time"]) == (
        "e-1", "page.viewed", "web", "2026-06-01T11:59:00Z",
    )  # fmt: skip
    assert people(seen) == [("device", VISITOR)]
    assert (seen["data"]["url"], seen["data"]["title"]) == ("https://shop.example/returns", "Returns")
    assert seen["data"]["language"] == "et-EE"
    assert seen["data"]["properties"] == {"title": "Returns", "plan": "pro"}


def test_at_login_the_visitor_and_the_account_are_one() -> None:
    login = happened("$identify", **{"$anon_distinct_id": VISITOR, "$device_id": VISITOR}) | {
        "$set": {"email": "mari@example.com", "name": "Mari"}, "$set_once": {"email": "old@example.com"},
    }  # fmt: skip
    known = event(login)
    assert known["type"] == "customer.identified"
    assert people(known) == [("account", "8812"), ("email", "mari@example.com"), ("device", VISITOR)]
    assert known["data"]["author"] == {"role": "customer", "name": "Mari"}


@pytest.mark.parametrize(("who", "alias"), [(VISITOR, "8812"), ("8812", VISITOR)])
def test_an_alias_says_the_same_in_both_directions(who: str, alias: str) -> None:
    known = event(happened("$create_alias", who, distinct_id=who, alias=alias))
    assert people(known) == [("account", "8812"), ("device", VISITOR)]
    assert known["data"]["previous"] == {"type": "device", "value": VISITOR}


def test_an_alias_to_itself_joins_nothing() -> None:
    known = event(happened("$create_alias", "8812", distinct_id="8812", alias="8812"))
    assert people(known) == [("account", "8812")]
    assert "previous" not in known["data"]


@pytest.mark.parametrize(
    ("who", "properties"),
    [("$company_acct-9", {}), ("company_acct-9", {}), ("0fbb2148-fb12-41ef-9402-ab5dcb6f826b", {"$is_server": True})],
)
def test_a_group_of_a_servers_client_is_nobodys(who: str, properties: Any) -> None:
    said = {"$group_type": "company", "$group_key": "acct-9", "$group_set": {"plan": "pro"}}
    known = event(happened("$groupidentify", who, **said, **properties))
    assert people(known) == []
    assert known["data"]["references"] == [{"type": "company", "value": "acct-9"}]
    assert known["data"]["properties"] == {"plan": "pro"}


def test_an_order_an_error_and_an_answer_are_what_they_mean() -> None:
    bought = event(happened("Order Completed", orderId="1001", total=19.9, currency="EUR"))
    assert (bought["type"], bought["data"]["amount"]) == ("purchase.made", "19.9")
    failed = event(happened("$exception", **{"$exception_list": [{"type": "TypeError", "value": "x is undefined"}]}))
    assert (failed["type"], failed["data"]["message"], failed["data"]["code"]) == (
        "error.shown", "x is undefined", "TypeError",
    )  # fmt: skip
    answered = event(happened("survey sent", **{"$survey_response": "It leaks", "$survey_name": "Lids"}))
    assert answered["data"]["text"] == "It leaks"
    screen = event(happened("$screen", **{"$screen_name": "Orders", "$lib": "posthog-ios"}))
    assert (screen["type"], screen["channel"], screen["data"]["name"]) == ("screen.viewed", "app", "Orders")


@pytest.mark.parametrize("name", ["$pageleave", "$autocapture", "$feature_flag_called", "$snapshot", "$web_vitals"])
def test_what_tells_nothing_of_a_customer_becomes_nothing(name: str) -> None:
    assert becomes(POSTHOG, post(happened(name))) == []


def test_a_skewed_clock_is_corrected_and_an_import_is_not() -> None:
    three_hours_fast = SEEN | {"timestamp": "2026-06-01T14:58:00Z"}
    batch = {"api_key": "k", "batch": [three_hours_fast], "sent_at": "2026-06-01T15:00:00Z"}
    assert event(batch)["time"] == "2026-06-01T11:58:00Z"
    assert event(batch | {"historical_migration": True})["time"] == "2026-06-01T14:58:00Z"
    a_minute_ago = {name: value for name, value in SEEN.items() if name != "timestamp"} | {"offset": 60_000}
    assert event(a_minute_ago)["time"] == "2026-06-01T11:59:00Z"


RAW = json.dumps([SEEN]).encode()
PACKED = base64.b64encode(RAW).decode()
GZIPPED = gzip.compress(RAW)


@pytest.mark.parametrize(
    "posted",
    [
        post(RAW),
        post(GZIPPED, "https://ingest.example/e/?compression=gzip-js&ip=1", content_type="text/plain"),
        form({"data": PACKED, "compression": "base64"}, "https://ingest.example/e/?compression=base64"),
        form({"data": RAW.decode()}),
        post(f"data={PACKED}", content_type=""),
        post(f"data={quote(PACKED)}&compression=base64"),
        post(PACKED),
        form({"data": base64.b64encode(GZIPPED).decode()}),
        post(b"", "https://ingest.example/e/?" + urlencode({"data": PACKED}), method="GET"),
        post({"api_key": "phc_1", "batch": [SEEN]}),
    ],
)
def test_every_way_a_client_wraps_its_body_is_unwrapped(posted: Post) -> None:
    assert only(POSTHOG, posted)["id"] == "e-1"
    assert "phc_1" in list(keys(posted))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (GZIPPED[:-9], "bad_compression"),
        (gzip.compress(b" " * 1_000_001), "bad_compression"),
        (b"no JSON", "not_json"),
        (b"data=", "not_json"),
        ([5], "not_a_call"),
        ({"batch": 5}, "not_a_batch"),
        ({"api_key": "k"}, "not_an_event"),
        ([{"distinct_id": "8812"}], "not_an_event"),
    ],
)
def test_what_is_none_of_its_bodies_is_refused(body: Any, code: str) -> None:
    assert [one["refused"] for one in becomes(POSTHOG, post(body))] == [code]


def test_a_retry_has_the_same_ids_with_and_without_their_own() -> None:
    unnamed = {name: value for name, value in SEEN.items() if name != "uuid"}
    first, again = (
        event({"batch": [unnamed], "sent_at": at}) for at in ("2026-06-01T11:59:59.9Z", "2026-06-01T12:00:00.1Z")
    )
    assert first == again


def test_every_recorded_request_becomes_its_events(shared: Path) -> None:
    lines = [line for file in sorted((shared / "fixtures/web/posthog/recorded").glob("*")) for line in file.open()]
    assert lines
    for line in lines:
        found = becomes(POSTHOG, post(json.loads(line)["body"]))
        assert [one["type"] for one in found] == [
            "customer.identified", "purchase.made" if "total" in line else "app.event", "page.viewed",
            "customer.identified", "app.event",
        ]  # fmt: skip
        assert [people(one) for one in found] == [
            [("account", "user-1"), ("email", "mari@example.ee")], [("account", "user-1")], [("account", "user-1")],
            [("account", "user-1"), ("device", "anon-7")], [],
        ]  # fmt: skip
        assert {one["time"][:10] for one in found} == {RECEIVED.isoformat()[:10]}  # all in the minute it was posted
