"""What the Measurement Protocol of Google Analytics 4 becomes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.ingest.sources.ga4 import VENDORS, keys
from tests.sources.posting import RECEIVED, becomes, only, people, post

GA4 = VENDORS[0]
ADDRESS = "https://ingest.example/mp/collect?measurement_id=G-1&api_secret=KEY"


def said(name: str, body: Any = None, **params: Any) -> dict[str, Any]:
    known = {
        "client_id": "123.456",
        "user_id": "8812",
        "timestamp_micros": str(int(RECEIVED.timestamp() * 1e6) - 60_000_000),
    }
    return known | {"events": [{"name": name, "params": params}]} | (body or {})


def event(body: Any) -> dict[str, Any]:
    return only(GA4, post(body, ADDRESS))


def test_a_page_view_names_account_and_browser_when_it_was() -> None:
    seen = event(said("page_view", page_location="https://shop.example/returns", page_title="Returns"))
    assert (seen["type"], seen["channel"], seen["time"]) == ("page.viewed", "web", "2026-06-01T11:59:00Z")
    assert people(seen) == [("account", "8812"), ("device", "123.456")]
    assert (seen["data"]["url"], seen["data"]["title"]) == ("https://shop.example/returns", "Returns")


def test_an_order_is_a_purchase_told_once_however_often_it_is_posted() -> None:
    order = {
        "transaction_id": "1001", "value": 19.9, "currency": "EUR",
        "items": [{"item_id": "T-1", "item_name": "Tea", "price": 9.95, "quantity": 2}],
    }  # fmt: skip
    first = event(said("purchase", **order))
    again = event(said("purchase", {"timestamp_micros": 0}, **order, session_id="2"))
    assert first["id"] == again["id"]
    assert (first["type"], first["data"]["amount"], first["data"]["currency"]) == ("purchase.made", "19.9", "EUR")
    assert first["data"]["items"] == [{"name": "Tea", "sku": "T-1", "quantity": 2, "amount": "9.95"}]
    assert first["data"]["references"][0] == {"type": "order", "value": "1001"}
    back = event(said("refund", **order))
    assert (back["type"], back["data"]["status"]) == ("billing.updated", "refunded")
    assert back["id"] != first["id"]


@pytest.mark.parametrize(
    ("name", "params", "type", "fields"),
    [
        ("view_search_results", {"search_term": "blue tea"}, "search.made", {"query": "blue tea"}),
        ("form_submit", {"form_id": "returns"}, "form.submitted", {"form": "returns"}),
        ("exception", {"description": "x is undefined"}, "error.shown", {"message": "x is undefined"}),
        ("screen_view", {"screen_name": "Orders"}, "screen.viewed", {"name": "Orders"}),
        ("login", {"method": "Google"}, "app.event", {"name": "login"}),
    ],
)
def test_recommended_events_have_a_meaning(name: str, params: Any, type: str, fields: Any) -> None:
    known = event(said(name, **params))
    assert known["type"] == type
    assert fields.items() <= known["data"].items()


def test_an_app_is_known_by_its_installation_and_people_by_their_properties() -> None:
    body = {
        "app_instance_id": "a" * 32,
        "user_properties": {"name": {"value": "Mari"}, "email": {"value": "m@example.com"}},
    }
    known = event({"events": [{"name": "open_case", "params": {}}]} | body)
    assert known["channel"] == "app"
    assert people(known) == [("email", "m@example.com"), ("device", "a" * 32)]
    assert known["data"]["author"]["name"] == "Mari"


def test_the_same_said_twice_in_one_post_is_two_events_and_a_retry_none() -> None:
    twice = said("open_case") | {"events": [{"name": "open_case"}, {"name": "open_case"}]}
    first, second = becomes(GA4, post(twice, ADDRESS))
    assert first["id"] != second["id"]
    assert becomes(GA4, post(twice, ADDRESS)) == [first, second]


def test_what_does_not_say_when_it_was_is_another_an_hour_later() -> None:
    body = {"client_id": "1.2", "events": [{"name": "page_view"}]}
    first = only(GA4, post(body, ADDRESS))
    later = only(GA4, replace(post(body, ADDRESS), received_at=RECEIVED + timedelta(hours=2)))
    assert first["id"] != later["id"]


def test_what_google_counts_for_itself_becomes_nothing() -> None:
    assert becomes(GA4, post(said("session_start"), ADDRESS)) == becomes(GA4, post(said("scroll"), ADDRESS)) == []


def test_the_api_secret_is_the_key() -> None:
    assert list(keys(post({}, ADDRESS))) == ["KEY"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "not_an_object"), ({}, "not_a_payload"), ({"events": {}}, "not_a_payload"), (b"", "not_json"),
        ({"events": ["x"]}, "not_a_call"), ({"events": [{"params": {}}]}, "not_an_event"),
    ],
)  # fmt: skip
def test_what_is_none_of_its_bodies_is_refused(body: Any, code: str) -> None:
    assert [one["refused"] for one in becomes(GA4, post(body, ADDRESS))] == [code]
