"""Who wrote a mail, whether they are sure to be the one, and which machines write in nobody's name."""

import pytest

from schemas.event import Role, Verification
from services.ingest.sources import mail
from services.ingest.sources.mail import Receipt
from services.ours import Ours
from tests.test_mail import NOW, PLAIN, TEXT, with_header, with_parts

OURS = Ours.of(["shop.example"], ["mx.shop.example"])
STATUS = """Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example

Final-Recipient: rfc822; mari@example.com
Action: failed
Status: 5.1.1

Final-Recipient: rfc822; jaan@example.com
Action: relayed
Status: 2.0.0
"""
ORIGINAL = """Content-Type: message/rfc822

Message-ID: <answer@shop.example>
References: <first@example.com> <second@shop.example>
From: help@shop.example
To: mari@example.com

Your parcel is on its way."""


def read(text: str, sender: str | None = None, ours: Ours = OURS) -> mail.Event:
    return mail.event(text.encode(), Receipt(NOW, ours, sender), "mail")


def results(said: str) -> str:
    return with_header(f"Authentication-Results: {said}")


@pytest.mark.parametrize(
    ("said", "sure"),
    [
        ("mx.shop.example; dkim=pass header.d=example.com", True),
        ("mx.shop.example; dkim=pass (2048-bit key; unprotected) header.i=@mail.example.com header.s=s1", True),
        ("MX.SHOP.EXAMPLE 1; spf=pass smtp.mailfrom=bounce@example.com", True),
        ("mx.shop.example; dmarc=pass (p=none dis=none) header.from=example.com", True),
        ('mx.shop.example; dkim=pass header.d="example.com"', True),
        ("mx.shop.example; dkim=pass header.d=evil.example", False),
        ("mx.shop.example; dkim=pass header.d=notexample.com", False),
        ("mx.shop.example; dkim=fail header.d=example.com", False),
        ("mx.shop.example; dkim=pass header.d=com", False),
        ("mx.shop.example; dkim=pass header.d=example.com; dmarc=fail header.from=example.com", False),
        ("mx.shop.example; none", False),
        ("mx.evil.example; dkim=pass header.d=example.com", False),
        ("mx.shop.example.evil; dkim=pass header.d=example.com", False),
        ("(mx.shop.example;) evil; dkim=pass header.d=example.com", False),
        ("", False),
        ("((((((((mx.shop.example", False),
    ],
)
def test_a_sender_is_sure_where_a_host_of_ours_says_so(said: str, sure: bool) -> None:
    (sender,) = read(results(said)).identifiers
    assert (sender.value, sender.verification) == (
        "mari@example.com", Verification.verified if sure else Verification.claimed,
    )  # fmt: skip


def test_nobodys_word_counts_where_no_host_is_named() -> None:
    (sender,) = read(results("mx.shop.example; dkim=pass header.d=example.com"), ours=Ours()).identifiers
    assert sender.verification is Verification.claimed


def test_two_senders_are_not_sure() -> None:
    said = results("mx.shop.example; spf=pass smtp.mailfrom=example.com")
    two = with_header("From: mari@example.com, boss@example.com", said)
    assert read(two).identifiers[0].verification is Verification.claimed


def test_a_bounce_is_about_whom_it_did_not_reach_in_their_thread() -> None:
    text = with_parts(TEXT, STATUS, ORIGINAL, kind="report").replace("=edge", "=edge", 1)
    bounce = read(with_header("From: Mail Delivery System <MAILER-DAEMON@mx.shop.example>", text))
    assert [one.value for one in bounce.identifiers] == ["mari@example.com"]
    assert bounce.conversation == "first@example.com"
    assert bounce.data["automatic"] == "bounce"
    assert bounce.data["undelivered"] == ["mari@example.com"]
    assert bounce.type == "message.received"
    assert bounce.author
    assert bounce.author.role is Role.system


@pytest.mark.parametrize(
    ("kind", "automatic"),
    [("delivery-status", "bounce"), ("disposition-notification", "reply"), ("feedback-report", "reply")],
)
def test_reports_of_other_kinds_are_no_bounces(kind: str, automatic: str) -> None:
    text = with_parts(TEXT, kind="report").replace('boundary="edge"', f'boundary="edge"; report-type={kind}')
    assert read(text).data["automatic"] == automatic


@pytest.mark.parametrize(
    ("header", "sender", "automatic"),
    [
        ("X-Nothing: x", "", "bounce"), ("X-Nothing: x", "mari@example.com", "none"),
        ("From: Mailer-Daemon@mx.example", None, "bounce"), ("X-Autorespond: on leave", None, "reply"),
        ("Auto-Submitted: auto-generated", "", "reply"), ("Precedence: bulk", None, "list"),
        ("Auto-Submitted: no", "mari@example.com", "none"),
    ],
)  # fmt: skip
def test_the_envelope_tells_a_machine_as_well(header: str, sender: str | None, automatic: str) -> None:
    assert read(with_header(header), sender).data["automatic"] == automatic


def test_a_form_of_our_site_speaks_for_who_filled_it_in() -> None:
    text = with_header("Reply-To: Mari <mari@example.com>", with_header("From: Web <noreply@shop.example>"))
    event = read(text)
    assert (event.type, [one.value for one in event.identifiers]) == ("message.received", ["mari@example.com"])
    assert event.author
    assert (event.author.role, event.author.name) == (Role.customer, "Mari")


def test_our_answer_with_a_reply_address_of_ours_stays_ours() -> None:
    text = with_header("To: mari@example.com", with_header("From: help@shop.example"))
    assert read(with_header("Reply-To: x@other.example", text)).type == "message.sent"


def test_a_mail_that_names_no_sender_is_from_whom_its_envelope_names() -> None:
    without = PLAIN.replace("From:", "X-From:", 1)
    assert [one.value for one in read(without, "mari@example.com").identifiers] == ["mari@example.com"]
    assert read(without).identifiers == ()
