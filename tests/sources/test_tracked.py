"""Tracked events that have a meaning: orders, mail, chats, searches, crashes."""

from typing import Any

import pytest

from tests.sources.test_segment import made, posted


def test_an_order_is_a_purchase_with_its_number_and_lines() -> None:
    properties = {
        "order_id": 1001, "revenue": 10, "total": "19.90", "currency": "eur", "coupon": "MAI",
        "products": [{"name": "Tea", "sku": "T-1", "quantity": 2, "price": 0.1 + 0.2}, "odd", {"quantity": -1}],
    }  # fmt: skip
    event = made(posted(event="order completed", properties=properties))
    assert event.type == "purchase.made"
    assert [(reference.type, reference.value) for reference in event.references] == [("order", "1001")]
    assert (event.data["amount"], event.data["currency"]) == ("19.9", "EUR")
    assert event.data["items"] == [{"name": "Tea", "sku": "T-1", "quantity": 2, "amount": "0.3"}, {}]
    assert event.data["properties"] == properties


@pytest.mark.parametrize("properties", [{}, {"total": "much"}, {"total": True}, {"total": 1e30}, {"total": "nan"}])
def test_an_order_without_an_amount_stays_a_plain_event(properties: dict[str, Any]) -> None:
    event = made(posted(event="Order Completed", properties=properties))
    assert (event.type, event.data["name"]) == ("app.event", "Order Completed")


def test_chat_lines_are_messages_of_whoever_wrote_them() -> None:
    said = {"conversation_id": "c-1", "message_body": "My order is late", "agent_id": "a7", "agent_name": "Liis"}
    written = made(posted(event="Live Chat Message Sent", properties=said))
    answer = made(posted(event="Live Chat Message Received", properties=said | {"message_body": "It is on its way"}))
    ended = made(posted(event="Live Chat Conversation Ended", properties={"conversation_id": "c-1"}))
    assert [(event.type, event.channel, event.conversation) for event in (written, answer, ended)] == [
        ("message.received", "chat", "c-1"), ("message.sent", "chat", "c-1"), ("chat.ended", "chat", "c-1"),
    ]  # fmt: skip
    assert written.text == "My order is late"
    assert written.author is not None
    assert written.author.role == "customer"
    assert answer.author is not None
    assert (answer.author.role, answer.author.id, answer.author.name) == ("agent", "a7", "Liis")


def test_a_chat_line_without_words_stays_a_plain_event() -> None:
    event = made(posted(event="Live Chat Message Sent", properties={"conversation_id": "c-1", "message_body": " "}))
    assert event.type == "app.event"


def test_a_refund_a_search_and_a_crash_are_what_they_mean() -> None:
    refund = made(posted(event="Order Refunded", properties={"order_id": "1001", "total": 5, "currency": "EUR"}))
    assert (refund.type, refund.data["status"], refund.data["amount"]) == ("billing.updated", "refunded", "5.0")
    assert refund.references[0].value == "1001"
    search = made(posted(event="Products Searched", properties={"query": "blue tea"}))
    assert (search.type, search.data["query"]) == ("search.made", "blue tea")
    crash = made(posted(event="Application Crashed", properties={"message": "out of memory"}))
    assert (crash.type, crash.data["message"], crash.direction) == ("error.shown", "out of memory", "outbound")
    review = made(posted(event="Product Reviewed", properties={"review_body": "The lid leaks"}))
    assert (review.type, review.text) == ("app.event", "The lid leaks")


def test_a_mail_that_was_sent_is_no_answer_and_what_became_of_it_stays_with_it() -> None:
    said = {"email_id": "18vzF7u3z", "email_subject": "First shirt on us!"}
    sent, opened, bounced = (
        made(posted(event=name, properties=said)) for name in ("Email Delivered", "Email Opened", "Email Bounced")
    )
    assert (sent.type, sent.channel, sent.direction, sent.data["subject"], sent.data["automatic"]) == (
        "message.sent", "email", "outbound", "First shirt on us!", "list",
    )  # fmt: skip
    assert (opened.type, opened.channel, opened.direction) == ("app.event", "email", "inbound")
    assert bounced.direction == "internal"
    assert sent.conversation == opened.conversation == "18vzF7u3z 8812"
    others = made(posted(event="Email Opened", properties=said, userId="9999"))
    assert others.conversation != opened.conversation
