"""A body of each vendor, or several, of which tests make broken ones."""

from typing import Any

from tests.sources import (
    test_chatwoot,
    test_intercom,
    test_meta,
    test_rocketchat,
    test_slack,
    test_sunshine,
    test_touchpoints,
    test_twilio_conversations,
)

META = [
    test_meta.whatsapp(messages=[test_meta.SAID], statuses=[{"id": "w", "status": "failed", "errors": [{"code": 1}]}]),
    test_meta.whatsapp(calls=[{"id": "c", "event": "terminate", "duration": 9, "direction": "USER_INITIATED"}]),
    test_meta.page({"message": {"mid": "m1", "text": "Hi", "attachments": [{"type": "image", "payload": {}}]}}),
    test_meta.page({"message_edit": {"mid": "m1", "text": "Hi"}}, {"reaction": {"mid": "m1"}}, {"postback": {}}),
]
SAMPLES: dict[str, list[Any]] = {
    "chatwoot": [test_chatwoot.MESSAGE, test_chatwoot.CONVERSATION | {"event": "conversation_created"}],
    "meta": META, "whatsapp": META, "messenger": META, "instagram": META,
    "intercom": [
        test_intercom.notified("conversation.user.created", test_intercom.NEW),
        test_intercom.notified("conversation.admin.closed", test_intercom.with_part(part_type="close", body="<p>Hi")),
    ],
    "sunshine": [
        test_sunshine.happened("conversation:message", message=test_sunshine.SAID),
        {"trigger": "message:appUser", "appUser": {"_id": "u"}, "messages": [{"_id": "m", "text": "Hi"}]},
    ],
    "slack": [test_slack.called_back(test_slack.SAID)],
    "rocketchat": [test_rocketchat.ROOM | {"type": "LivechatSession", "messages": [test_rocketchat.SAID]}],
    "stripe": [test_touchpoints.INVOICE],
    "shopify": [test_touchpoints.ORDER, test_touchpoints.PARCEL],
    "aftership": [test_touchpoints.TRACKED],
    "typeform": [test_touchpoints.ANSWERED],
    "delighted": [test_touchpoints.RATED],
    "point-of-sale": [{"id": "1", "amount": 9.9, "items": [{"name": "a"}], "customer": {"id": "C-1"}}, b"email=m%40e"],
    "parcels": [{"status": "sent", "tracking": "1", "email": "m@e.ee"}],
    "reviews": [{"text": "Good", "rating": 4, "author": {"name": "Mari"}}],
    "surveys": [{"kind": "nps", "score": 9, "conversation": "1"}],
    "twilio-conversations": [
        test_twilio_conversations.posted(),
        [{"type": "com.twilio.conversations.message.added", "data": test_twilio_conversations.SAID}],
    ],
}  # fmt: skip
