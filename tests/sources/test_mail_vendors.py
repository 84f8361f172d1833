"""What mails become that Mailgun, Postmark, SendGrid, Amazon SES or a script post, and how each proves itself."""

import base64
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import Malformed
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Forged, Post
from services.ingest.trial import trial
from tests.builders import at
from tests.sources.mailposts import (
    KEY,
    NOW,
    PARSED,
    PEM,
    POSTMARK,
    PUBLIC,
    TOPIC,
    VERDICTS,
    WHOLE,
    above,
    altered,
    form,
    mailgun,
    multipart,
    post,
    sendgrid,
    ses,
    sns,
)  # fmt: skip

FOLDERS = {"mailgun": "mailgun", "mailgun_tracking": "mailgun", "postmark": "postmark", "sendgrid": "sendgrid",
           "amazon_ses": "amazon_ses", "raw-mime": "email"}  # fmt: skip


def becomes(vendor: str, posted: Post, *secrets: str) -> list[dict[str, Any]]:
    return trial(vendors()[vendor], posted, secrets)


@pytest.mark.parametrize("name", WHOLE)
def test_the_same_mail_is_the_same_event_whoever_posts_it(name: str) -> None:
    (event,) = becomes(name.split()[0], WHOLE[name])
    assert (event["id"], event["conversation"]) == ("two@example.ee", "one@shop.example")
    assert (event["type"], event["direction"], event["channel"]) == ("message.received", "inbound", "email")
    assert event["time"] == "2026-05-04T07:00:00Z"
    assert (event["data"]["subject"], event["data"]["text"]) == ("Õun", "Where is my parcel?")
    assert [(one["type"], one["value"]) for one in event["data"]["identifiers"]] == [("email", "mari@example.ee")]
    assert event["data"]["recipients"] == ["help@shop.example"] or name == "amazon_ses raw"
    assert event["data"]["automatic"] == "none"


@pytest.mark.parametrize(
    ("vendor", "posted", "sure"),
    [
        ("mailgun", form(mailgun(**above("X-Mailgun-Dkim-Check-Result"))), True),
        ("mailgun", form(mailgun(**above("X-Mailgun-Spf"))), True),
        ("mailgun", form(mailgun(**above("X-Mailgun-Spf", below=True))), False),
        ("sendgrid", multipart(PARSED), True),
        ("sendgrid", multipart({**PARSED, "dkim": b"{@evil.example : pass}"}), False),
        ("amazon_ses", sns(ses()), True),
        ("amazon_ses", sns(ses(verdicts=VERDICTS | {"dmarcVerdict": {"status": "FAIL"}})), False),
        ("amazon_ses", sns(ses(verdicts={})), False),
        ("postmark", WHOLE["postmark"], False),
    ],
)  # fmt: skip
def test_a_sender_is_sure_where_the_vendor_says_so_itself(vendor: str, posted: Post, sure: bool) -> None:
    (event,) = becomes(vendor, posted)
    assert event["data"]["identifiers"][0]["verification"] == ("verified" if sure else "claimed")


def test_parts_are_read_in_their_own_character_sets() -> None:
    (event,) = becomes("sendgrid", multipart(PARSED))
    said = event["data"]
    assert (said["author"]["name"], said["subject"], said["text"]) == ("Märi", "Õun", "Tšekk?")


@pytest.mark.parametrize(
    ("vendor", "posted"),
    [("mailgun", multipart({k: v.encode() for k, v in mailgun().items()}, {"õun.png": b"12345"})),
     ("sendgrid", multipart(PARSED, {"õun.png": b"12345"}))],
)  # fmt: skip
def test_attachments_are_listed_not_kept(vendor: str, posted: Post) -> None:
    (event,) = becomes(vendor, posted)
    assert event["data"]["attachments"] == [{"name": "õun.png", "type": "image/png", "bytes": 5}]


def test_a_form_out_of_a_file_is_read_though_its_line_ends_are_lost() -> None:
    posted = multipart({**PARSED, "text": b"Where?"})
    content = posted.content.replace(b"\r\n", b"\n")
    for headers in ({}, posted.headers):
        assert becomes("sendgrid", post(content, dict(headers)))[0]["data"]["text"] == "Where?"


def test_a_mail_without_an_id_has_the_same_one_on_every_retry() -> None:
    without = {"message-headers": "", "Date": "Mon, 4 May 2026 10:00:00 +0300", "from": "mari@example.ee"}
    first, again = (becomes("mailgun", form(mailgun(token=one * 50, **without)))[0] for one in "ab")
    assert first["id"] == again["id"] != becomes("mailgun", form(mailgun(**without, **{"body-plain": "x"})))[0]["id"]


@pytest.mark.parametrize(
    ("vendor", "posted", "code"),
    [
        ("amazon_ses", sns(ses(None, {"type": "S3", "bucketName": "b", "objectKey": "k"})), "mail_not_included"),
        ("amazon_ses", sns("Successfully validated SNS topic for Amazon SES event publishing."), "not_a_mail"),
        ("amazon_ses", post(b"{}"), "not_a_mail"),
        ("mailgun", form({"timestamp": "1"}), "not_a_mail"), ("postmark", post(b"{}"), "not_a_mail"),
        ("sendgrid", multipart({"x": b"y"}), "not_a_mail"), ("email", post(b"hello"), "not_a_mail"),
    ],
)  # fmt: skip
def test_what_is_no_mail_is_refused_with_its_reason(vendor: str, posted: Post, code: str) -> None:
    assert [one["refused"] for one in becomes(vendor, posted)] == [code]


@pytest.mark.parametrize(
    ("vendor", "body"),
    [
        ("mailgun", {"signature": {}, "event-data": {"event": "opened", "recipient": "mari@example.ee"}}),
        ("postmark", {"RecordType": "Delivery", "Recipient": "mari@example.ee"}),
        ("amazon_ses", {"notificationType": "Bounce", "bounce": {}}), ("amazon_ses", {"eventType": "Open", "open": {}}),
    ],
)  # fmt: skip
def test_what_becomes_of_mails_that_were_sent_is_nothing(vendor: str, body: Any) -> None:
    assert becomes(vendor, post(orjson.dumps(body))) == []


SIGNED = [
    ("mailgun", form(mailgun()), ""), ("mailgun", form(mailgun(timestamp=str(NOW - 8 * 3600))), ""),
    ("mailgun", form(mailgun(timestamp=str(NOW - 10 * 3600))), "signature_too_old"),
    ("mailgun", form(mailgun(timestamp=str(NOW + 600))), "signature_too_old"),
    ("mailgun", form(mailgun() | {"token": "other"}), "signature_wrong"),
    ("mailgun", form({"recipient": "x"}), "signature_missing"),
    ("mailgun", post(b'{"signature": "x", "event-data": {}}'), "signature_wrong"),
    ("mailgun", post(b'{"signature": "x", "a": "' + b"a" * 1_000_000 + b'"}'), "signature_missing"),
    ("sendgrid", sendgrid(multipart(PARSED)), ""), ("sendgrid", multipart(PARSED), "signature_missing"),
    ("sendgrid", altered(sendgrid(multipart({**PARSED, "text": b"parcel"}))), "signature_wrong"),
    ("sendgrid", sendgrid(multipart(PARSED), NOW - 4 * 24 * 3600), "signature_too_old"),
    ("sendgrid", sendgrid(multipart(PARSED), NOW + 600), "signature_too_old"),
    ("amazon_ses", sns(ses()), ""), ("amazon_ses", sns(ses(), "1"), ""), ("amazon_ses", sns(ses(), minutes=-400), ""),
    ("amazon_ses", sns(ses(), MessageId="m-2"), "signature_wrong"),
    ("amazon_ses", sns(ses(), SignatureVersion="3"), "signature_wrong"),
    ("amazon_ses", sns(ses(), TopicArn="arn:aws:sns:eu-west-1:666:mails"), "topic_wrong"),
    ("amazon_ses", sns(ses(), minutes=-600), "signature_too_old"),
    ("amazon_ses", sns(ses(), minutes=60), "signature_too_old"),
    ("amazon_ses", post(b"[]"), "signature_missing"),
]  # fmt: skip


@pytest.mark.parametrize(("vendor", "posted", "code"), SIGNED)
def test_a_signature_proves_a_post_whichever_of_two_secrets_made_it(vendor: str, posted: Post, code: str) -> None:
    secret = {"mailgun": KEY, "sendgrid": PUBLIC, "amazon_ses": TOPIC}[vendor]
    for secrets in ([secret], ["the next one", secret]):
        found = becomes(vendor, posted, *secrets)
        assert ([one.get("refused", "") for one in found] or [""]) == [code]
    assert "refused" in becomes(vendor, posted, "somebody else's")[0]


def test_a_certificate_from_elsewhere_is_not_asked_for() -> None:
    ask = vendors()["amazon_ses"].certificate
    assert ask
    assert ask(sns(ses())) == "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
    for evil in ("https://sns.evil.example/x.pem", "http://sns.eu-west-1.amazonaws.com/x.pem",
                 "https://sns.x.amazonaws.com.evil.ee/x.pem", "https://sns.x.amazonaws.com@evil/x.pem",
                 "https://sns.s3.amazonaws.com/SimpleNotificationService-1.pem",  # buckets of anybody's
                 "https://sns.s3-us-west-2.amazonaws.com/SimpleNotificationService-1.pem",
                 "https://sns.eu-west-1.amazonaws.com/?Action=x.pem"):  # fmt: skip
        assert ask(sns(ses(), SigningCertURL=evil)) is None


def test_a_subscription_is_confirmed_at_sns_and_nowhere_else() -> None:
    asked = sns("You have chosen to subscribe", kind="SubscriptionConfirmation")
    assert becomes("amazon_ses", asked, TOPIC)[0]["visits"].startswith("https://sns.eu-west-1.amazonaws.com/")
    for place in ("evil.example", "sns.s3.amazonaws.com", "sns.s3-us-west-2.amazonaws.com"):
        evil = sns("", kind="SubscriptionConfirmation", SubscribeURL=f"https://{place}/")
        assert becomes("amazon_ses", evil)[0]["refused"] == "not_at_sns"


@pytest.mark.parametrize(
    "place", ["us-east-1.amazonaws.com", "us-gov-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"]
)
def test_sns_is_in_every_region(place: str) -> None:
    address = f"https://sns.{place}/SimpleNotificationService-0123456789abcdef.pem"
    ask = vendors()["amazon_ses"].certificate
    assert ask
    assert ask(sns(ses(), SigningCertURL=address)) == address


def test_the_key_in_postmarks_address_is_enough() -> None:
    basic = {"authorization": "Basic " + base64.b64encode(b"tellonce:pass").decode()}
    assert "refused" not in becomes("postmark", post(orjson.dumps(POSTMARK), basic), "pass")[0]
    assert becomes("postmark", post(orjson.dumps(POSTMARK), basic), "other")[0]["refused"] == "key_wrong"


def test_every_sample_becomes_mails_or_says_why_not(shared: Path) -> None:
    for folder, vendor in FOLDERS.items():
        files = sorted((shared / "fixtures/email" / folder).iterdir())
        assert files
        for file in files:
            found = becomes(vendor, post(file.read_bytes()))
            assert all(re.search(r"S3|none of SES's", one.get("message", "S3")) for one in found), (file.name, found)
            assert found or folder == "mailgun_tracking"
            assert all(one["data"]["identifiers"] and one["data"]["text"] for one in found if "data" in one), file.name


@given(st.sampled_from(list(WHOLE)), st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=4)), max_size=4))
def test_whatever_is_posted_is_read_or_refused(name: str, damages: list[tuple[int, bytes]]) -> None:
    vendor, whole = vendors()[name.split()[0]], WHOLE[name]
    content = whole.content
    for place, damage in damages:
        place %= len(content)
        content = content[:place] + damage + content[place + len(damage) :]
    posted = Post(content, content, whole.headers, at(0), certificate=PEM)
    for read in (vendor.verify, vendor.handshake, lambda posted, secrets: list(vendor.translate(posted))):
        with suppress(Forged, Malformed):
            if read:
                read(posted, ["x", TOPIC])
