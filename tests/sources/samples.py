"""A body of each vendor, or several, of which tests make broken ones, and whose cost is measured."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import urlencode

from services.ingest.sources.vendor import Post
from tests.sources import (
    mailposts,
    posting,
    test_asterisk,
    test_chatwoot,
    test_connect,
    test_ga4,
    test_genesys,
    test_intercom,
    test_meta,
    test_posthog,
    test_rocketchat,
    test_siprec,
    test_slack,
    test_snowplow,
    test_sunshine,
    test_touchpoints,
    test_twilio,
    test_twilio_conversations,
    test_vcon,
)

META = [
    test_meta.whatsapp(messages=[test_meta.SAID], statuses=[{"id": "w", "status": "failed", "errors": [{"code": 1}]}]),
    test_meta.whatsapp(calls=[{"id": "c", "event": "terminate", "duration": 9, "direction": "USER_INITIATED"}]),
    test_meta.page({"message": {"mid": "m1", "text": "Hi", "attachments": [{"type": "image", "payload": {}}]}}),
    test_meta.page({"message_edit": {"mid": "m1", "text": "Hi"}}, {"reaction": {"mid": "m1"}}, {"postback": {}}),
]
CALLS = [
    {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "8812", "anonymousId": "a-1",
     "timestamp": "2026-05-04T09:30:00Z", "context": {"locale": "et-EE", "traits": {"email": "mari@example.com"}},
     "properties": {"order_id": "1001", "total": 19.9, "currency": "EUR", "products": [{"name": "Tea"}]}},
    {"type": "track", "event": "Live Chat Message Sent", "messageId": "m-2", "userId": "8812",
     "properties": {"conversation_id": "c-1", "message_body": "Where is it?"}},
    {"type": "page", "messageId": "m-3", "anonymousId": "a-1", "properties": {"url": "https://shop.example/"}},
    {"type": "alias", "messageId": "m-4", "userId": "8812", "previousId": "a-1"},
]  # fmt: skip
SEGMENT: list[Any] = [{"batch": CALLS, "sentAt": "2026-05-04T09:30:01Z", "writeKey": "k"}, CALLS[0]]
PIXEL = test_snowplow.told(
    "site_search", {"terms": ["tea"]}, test_snowplow.described("user", {"email": "m@example.ee"})
)
RECORD = json.dumps(test_connect.RECORD).encode()


def mails(vendor: str) -> list[Any]:
    return [mailposts.WHOLE[name] for name in mailposts.WHOLE if name.split()[0] == vendor]


SAMPLES: dict[str, list[Any]] = {
    "asterisk": [test_asterisk.CDR, test_asterisk.CUSTOM, test_asterisk.MANAGER, test_asterisk.ROW],
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
    "segment": SEGMENT, "rudderstack": SEGMENT,
    "posthog": [
        {"api_key": "k", "batch": [test_posthog.SEEN, test_posthog.happened("$create_alias", alias="a-1")]},
        posting.post(gzip.compress(json.dumps([test_posthog.SEEN]).encode())),
        posting.form({"data": base64.b64encode(json.dumps(test_posthog.SEEN).encode()).decode()}),
    ],
    "snowplow": [
        {"data": [test_snowplow.SEEN, PIXEL]},
        posting.post(b"", "https://ingest.example/i?" + urlencode(PIXEL), method="GET"),
    ],
    "ga4": [test_ga4.said("purchase", transaction_id="1001", value=5, currency="EUR", items=[{"item_name": "Tea"}])],
    "twilio": [
        posting.form(test_twilio.CALL | test_twilio.LATER | {"CallStatus": "completed", "CallDuration": "61"}),
        posting.form(test_twilio.CALL | {"Digits": "2", "SpeechResult": "my parcel", "Confidence": "0.9"}),
    ],
    "vcon": [test_vcon.vcon(test_vcon.CALL)],
    "connect": [test_connect.bridged(), test_connect.fired(RECORD)],
    "genesys": [test_genesys.bridged("customer.start")],
    "siprec": [test_siprec.recording().encode()],
    **{vendor: mails(vendor) for vendor in ("mailgun", "postmark", "amazon_ses", "sendgrid", "email")},
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


def posts(vendor: str) -> list[Post]:
    """The samples as their vendor posts them."""
    return [one if isinstance(one, Post) else posting.post(one) for one in SAMPLES.get(vendor, ())]
