"""What tills, parcels, bills, reviews and surveys become, of vendors and of our plain forms."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.builders import at
from tests.sources.chats import becomes, only, read

INVOICE = {
    "id": "evt_1", "object": "event", "type": "invoice.payment_failed", "created": 1777886000,
    "data": {"object": {
        "object": "invoice", "id": "in_1", "number": "A-7714", "amount_due": 8640, "currency": "eur",
        "customer": "cus_1", "customer_email": "mari@example.ee", "due_date": 1777986000,
        "metadata": {"order_id": "1001"},
    }},
}  # fmt: skip
ORDER = {
    "id": 450789469, "name": "#1001", "email": "mari@example.ee", "created_at": "2026-05-04T12:13:20+03:00",
    "total_price": "598.94", "currency": "EUR", "customer": {"id": 207119551, "first_name": "Mari", "last_name": "M"},
    "line_items": [{"title": "Router", "sku": "R-1", "quantity": 2, "price": "199.00"}],
}  # fmt: skip
PARCEL = {
    "id": 255858046, "order_id": 450789469, "name": "#1001.1", "status": "success",
    "shipment_status": "out_for_delivery", "tracking_company": "Omniva", "tracking_number": "CC1EE",
    "updated_at": "2026-05-04T09:13:20Z", "email": "mari@example.ee",
}  # fmt: skip
TRACKED = {
    "event": "tracking_update", "event_id": "e-1", "ts": 1777886000,
    "msg": {
        "id": "t1", "tracking_number": "CC1EE", "slug": "omniva", "tag": "AttemptFail", "order_id": "#1001",
        "emails": ["mari@example.ee"], "expected_delivery": "2026-05-05", "customer_name": "Mari",
        "checkpoints": [{"checkpoint_time": "2026-05-04T09:13:20Z", "message": "Nobody at home"}],
    },
}  # fmt: skip
SCALE = {"id": "q1", "ref": "how_likely", "type": "nps", "title": "Would you recommend us?"}
ANSWERED = {
    "event_id": "01H", "event_type": "form_response",
    "form_response": {
        "form_id": "f1", "token": "tok1", "submitted_at": "2026-05-04T09:13:20Z",
        "hidden": {"email": "mari@example.ee", "customer_id": "C-1", "conversation": "147", "order": "1001"},
        "definition": {"title": "After contact", "fields": [SCALE, {"id": "q2", "type": "long_text", "title": "Why?"}]},
        "answers": [
            {"type": "number", "number": 9, "field": {"id": "q1", "type": "nps", "ref": "how_likely"}},
            {"type": "text", "text": "Quick answer", "field": {"id": "q2", "type": "long_text", "ref": "why"}},
        ],
    },
}  # fmt: skip
RATED = {
    "event_type": "survey_response.created", "event_id": "ev1",
    "event_data": {
        "id": "210", "survey_type": "nps", "score": 3, "comment": None, "created_at": 1777886000,
        "person": {"id": "10", "email": "mari@example.ee", "name": "Mari"},
        "person_properties": {"customer_id": "C-1", "order": "1001"},
    },
}  # fmt: skip


def test_a_failed_payment_is_told_in_the_currencys_own_units() -> None:
    event = only("stripe", INVOICE)
    assert (event["type"], event["id"], event["direction"]) == ("billing.updated", "evt_1", "internal")
    assert read(event)[3] == ["email:mari@example.ee", "stripe:cus_1"]
    data = {name: event["data"][name] for name in ("status", "amount", "currency", "due")}
    assert data == {"status": "failed", "amount": "86.40", "currency": "EUR", "due": "2026-05-05"}
    assert event["data"]["references"] == [{"type": "invoice", "value": "A-7714"}, {"type": "order", "value": "1001"}]


def test_a_currency_without_cents_has_none() -> None:
    yen = INVOICE["data"]["object"] | {"currency": "jpy", "amount_due": 5000}  # type: ignore[index]
    assert only("stripe", INVOICE | {"data": {"object": yen}})["data"]["amount"] == "5000"


def test_a_charge_of_an_invoice_is_told_by_the_invoice_alone() -> None:
    charge = {"object": "charge", "id": "ch_1", "amount": 1990, "currency": "eur", "customer": "cus_1"}
    body = INVOICE | {"type": "charge.succeeded", "data": {"object": charge}}
    assert only("stripe", body)["data"]["amount"] == "19.90"
    assert becomes("stripe", body | {"data": {"object": charge | {"invoice": "in_1"}}}) == []
    assert becomes("stripe", INVOICE | {"type": "payout.paid"}) == []


def test_what_was_given_back_is_told_also_of_an_invoice_and_each_time_anew() -> None:
    charge = {"object": "charge", "id": "ch_1", "invoice": "in_1", "amount": 5000, "amount_refunded": 1500,
              "currency": "eur", "customer": "cus_1"}  # fmt: skip
    refunded = INVOICE | {"type": "charge.refunded"}
    first = only("stripe", refunded | {"data": {"object": charge, "previous_attributes": {"amount_refunded": 0}}})
    again = charge | {"amount_refunded": 4000}
    second = only("stripe", refunded | {"data": {"object": again, "previous_attributes": {"amount_refunded": 1500}}})
    assert [one["data"]["status"] for one in (first, second)] == ["refunded", "refunded"]
    assert [one["data"]["amount"] for one in (first, second)] == ["15.00", "25.00"]


def test_an_order_is_a_purchase_and_its_parcel_a_delivery() -> None:
    bought = only("shopify", ORDER, {"x-shopify-topic": "orders/create"})
    assert (bought["type"], bought["id"]) == ("purchase.made", "order-450789469")
    assert bought["time"] == "2026-05-04T09:13:20Z"
    assert bought["data"]["items"] == [{"name": "Router", "sku": "R-1", "quantity": 2, "amount": "199.00"}]
    assert read(bought)[3] == ["email:mari@example.ee", "shopify:207119551"]
    sent = only("shopify", PARCEL, {"x-shopify-topic": "fulfillments/update"})
    assert (sent["type"], sent["data"]["status"], sent["data"]["tracking"]) == (
        "delivery.updated", "out_for_delivery", "CC1EE",
    )  # fmt: skip
    assert bought["data"]["references"] == sent["data"]["references"] == [{"type": "order", "value": "1001"}]
    assert only("shopify", ORDER)["type"] == "purchase.made"


def test_a_refund_is_a_bill() -> None:
    refund = {"id": 5, "order_id": 7, "created_at": "2026-05-04T09:13:20Z", "refund_line_items": [],
              "transactions": [{"amount": "41.94", "kind": "refund"}]}  # fmt: skip
    event = only("shopify", refund, {"x-shopify-topic": "refunds/create"})
    assert (event["type"], event["data"]["status"], event["data"]["amount"]) == ("billing.updated", "refunded", "41.94")


def test_a_refund_in_an_order_is_its_customers_and_all_that_was_given_back() -> None:
    back = [{"amount": "41.94", "status": "success"}, {"amount": "8.06", "status": "success"},
            {"amount": "50.00", "status": "failure"}]  # fmt: skip
    refund = {"id": 5, "order_id": 450789469, "created_at": "2026-05-04T10:13:20Z", "transactions": back}
    event = only("shopify", ORDER | {"refunds": [refund]}, {"x-shopify-topic": "orders/updated"})
    assert (event["id"], event["time"], event["data"]["amount"]) == ("refund-5", "2026-05-04T10:13:20Z", "50.00")
    assert read(event)[3] == ["email:mari@example.ee", "shopify:207119551"]
    assert becomes("shopify", ORDER, {"x-shopify-topic": "orders/updated"}) == []


def test_a_parcel_of_any_carrier() -> None:
    event = only("aftership", TRACKED)
    assert (event["type"], event["data"]["status"], event["data"]["carrier"]) == (
        "delivery.updated", "attempted", "omniva",
    )  # fmt: skip
    assert (read(event)[3], event["time"]) == (["email:mari@example.ee"], "2026-05-04T09:13:20Z")
    assert (event["data"]["due"], event["data"]["references"][0]["value"]) == ("2026-05-05", "1001")


def test_a_survey_is_joined_to_whom_and_what_it_is_about() -> None:
    event = only("typeform", ANSWERED)
    assert (event["type"], event["id"], event["conversation"]) == ("feedback.received", "tok1", "147")
    assert (event["data"]["kind"], event["data"]["score"], event["data"]["text"]) == ("nps", 9, "Quick answer")
    assert read(event)[3] == ["account:C-1", "email:mari@example.ee"]


def about(vendor: str, **conversation: str) -> dict[str, Any]:
    """An answer's event, whose link, properties or record said of which conversation it is."""
    form: Any = ANSWERED["form_response"]
    response: Any = RATED["event_data"]
    posts = {
        "typeform": {"form_response": form | {"hidden": {"email": "m@e.ee"} | conversation}},
        "delighted": RATED | {"event_data": response | {"person_properties": conversation}},
        "surveys": {"id": "s1", "time": 1777886000, "kind": "ces", "score": 2} | conversation,
    }
    return only(vendor, posts[vendor])


@pytest.mark.parametrize("vendor", ["typeform", "delighted", "surveys"])
def test_a_contact_of_another_source_is_named_by_both(vendor: str) -> None:
    event = about(vendor, conversation="147", conversation_source="pbx")
    assert event["data"]["contact"] == {"source": "pbx", "conversation": "147"}
    other = about(vendor, conversation="147", conversation_source="chat")
    assert event["conversation"] != other["conversation"], "two sources may have the same key"


@pytest.mark.parametrize("vendor", ["typeform", "delighted", "surveys"])
def test_a_conversation_whose_source_is_not_said_is_the_surveys_own(vendor: str) -> None:
    event = about(vendor, conversation="147")
    assert (event["conversation"], event["data"].get("contact")) == ("147", None)
    event = about(vendor, conversation_source="pbx")
    assert (event.get("conversation"), event["data"].get("contact")) == (None, None)


def test_properties_are_read_as_people_write_them() -> None:
    event = about("delighted", **{"Conversation Source": "pbx", "Conversation ID": "147"})
    assert event["data"]["contact"] == {"source": "pbx", "conversation": "147"}


@pytest.mark.parametrize(
    ("kind", "properties", "ref", "number", "expected"),
    [
        ("rating", {"steps": 5}, "stars", 4, ("csat", 4, None)),
        ("opinion_scale", {"steps": 7, "start_at_one": True}, "ces", 6, ("ces", 6, None)),
        ("opinion_scale", {"steps": 11}, "happy", 5, ("csat", 50, 100)),
    ],
)
def test_a_scale_of_any_length(kind: str, properties: Any, ref: str, number: int, expected: tuple[Any, ...]) -> None:
    question = {"id": "q1", "type": kind, "ref": ref, "properties": properties}
    answer = {"type": "number", "number": number, "field": question}
    form: Any = ANSWERED["form_response"]
    event = only("typeform", {"form_response": form | {"definition": {"fields": [question]}, "answers": [answer]}})
    assert (event["data"]["kind"], event["data"]["score"], event["data"].get("scale")) == expected


def test_a_form_without_a_scale_is_a_form() -> None:
    form: Any = ANSWERED["form_response"]
    event = only("typeform", {"form_response": form | {"answers": form["answers"][1:]}})
    assert (event["type"], event["data"]["fields"]) == ("form.submitted", {"Why?": "Quick answer"})


def test_a_score_counts_once_and_its_later_comment_adds_the_words() -> None:
    scored = only("delighted", RATED)
    assert (scored["data"]["kind"], scored["data"]["score"]) == ("nps", 3)
    assert read(scored)[3] == ["account:C-1", "email:mari@example.ee", "delighted:10"]
    later: Any = RATED["event_data"]
    added = only("delighted", {"event_type": "survey_response.updated", "event_data": later | {"comment": "Slow"}})
    assert (added["type"], added["data"]["message"], added["data"]["text"]) == ("message.edited", scored["id"], "Slow")
    assert becomes("delighted", RATED | {"event_data": later | {"survey_type": "enps"}}) == []


def test_a_till_tells_of_purchases_and_visits() -> None:
    mari = {"id": "C-1", "name": "Mari"}
    told = {"id": "t1", "time": "2026-05-04T12:13:20+03:00", "place": "Tartu", "customer": mari}
    bought, visited = becomes("point-of-sale", [
        told | {"amount": "19,90", "currency": "EUR", "order": "R-7", "items": [{"name": "Cable", "price": 19.9}]},
        told | {"id": "t2", "reason": "return", "text": "It leaks"},
    ])  # fmt: skip
    assert (bought["type"], bought["channel"], bought["data"]["amount"]) == ("purchase.made", "in_person", "19.90")
    assert (visited["type"], visited["data"]["place"], visited["data"]["text"]) == ("shop.visited", "Tartu", "It leaks")
    assert read(bought)[3] == ["account:C-1"]
    assert only("point-of-sale", told | {"amount": -5})["data"]["status"] == "refunded"
    posted = urlencode({"customer_id": "C-1", "place": "Tartu", "time": "2026-05-04T09:00:00Z"}).encode()
    assert only("point-of-sale", posted)["type"] == "shop.visited"


def test_parcels_reviews_and_surveys_by_a_plain_form() -> None:
    parcel = {"status": "Out for delivery", "tracking": "CC1EE", "order": "1001", "email": "m@e.ee"}
    event = only("parcels", parcel)
    assert (event["data"]["status"], event["data"]["tracking"]) == ("out_for_delivery", "CC1EE")
    assert event["id"] == only("parcels", parcel, received_at=at(9))["id"], "a retry is the same"
    review = {"id": "r1", "time": 1777886000, "text": "Slow", "site": "google", "author": {"name": "Mari"}}
    assert only("reviews", review | {"rating": 2})["type"] == "review.posted"
    assert read(only("reviews", review))[:2] == ("message.received", "inbound")
    survey = {"id": "s1", "time": 1777886000, "kind": "CES", "score": "2", "conversation": "147", "email": "m@e.ee"}
    event = only("surveys", survey)
    assert (event["type"], event["data"]["kind"], event["data"]["score"]) == ("feedback.received", "ces", 2)


@pytest.mark.parametrize(
    ("vendor", "body", "code"),
    [
        ("parcels", {"tracking": "CC1EE"}, "missing_status"),
        ("reviews", {"site": "google"}, "missing_text"),
        ("surveys", {"kind": "nps"}, "missing_score"),
        ("surveys", {"kind": "nps", "score": 11}, "invalid_data"),
        ("surveys", {"kind": "nps", "score": 1, "conversation": "1" * 513, "conversation_source": "x"}, "invalid_data"),
        ("surveys", [7], "not_an_object"),
    ],
)
def test_what_says_too_little_is_refused_in_words(vendor: str, body: Any, code: str) -> None:
    (refused,) = becomes(vendor, body)
    assert refused["refused"] == code
