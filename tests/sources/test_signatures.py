"""Every vendor's proof: what is signed passes; what is altered, old, by another secret or written anew does not."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.ingest.sources import vendors
from services.ingest.sources.vendor import Forged, Post, check_key
from tests.builders import at
from tests.sources.chats import post

Sign = Callable[[bytes, str, float], dict[str, str]]  # of body, secret and Unix time: the headers

BODY = orjson.dumps({"text": "Where is my parcel?", "price": 9.90, "name": "Mäe"}, option=orjson.OPT_INDENT_2)
ADDRESS = {"origin": "https://talk.example", "target": "/v1/sources/one"}


def digest(algorithm: str, secret: str, signed: bytes) -> hmac.HMAC:
    return hmac.new(secret.encode(), signed, algorithm)


def chatwoot(raw: bytes, secret: str, at: float) -> dict[str, str]:
    signed = f"{at:.0f}.".encode() + raw
    return {
        "x-chatwoot-timestamp": f"{at:.0f}",
        "x-chatwoot-signature": f"sha256={digest('sha256', secret, signed).hexdigest()}",
    }


def meta(raw: bytes, secret: str, at: float) -> dict[str, str]:
    return {"x-hub-signature-256": f"sha256={digest('sha256', secret, raw).hexdigest()}"}


def intercom(raw: bytes, secret: str, at: float) -> dict[str, str]:
    return {"x-hub-signature": f"sha1={digest('sha1', secret, raw).hexdigest()}"}


def slack(raw: bytes, secret: str, at: float) -> dict[str, str]:
    signed = f"v0:{at:.0f}:".encode() + raw
    return {
        "x-slack-request-timestamp": f"{at:.0f}",
        "x-slack-signature": f"v0={digest('sha256', secret, signed).hexdigest()}",
    }


def in_base64(header: str, before: str = "") -> Sign:
    def sign(raw: bytes, secret: str, at: float) -> dict[str, str]:
        return {header: before + base64.b64encode(digest("sha256", secret, raw).digest()).decode()}

    return sign


def stripe(raw: bytes, secret: str, at: float) -> dict[str, str]:
    signed = f"{at:.0f}.".encode() + raw
    return {"stripe-signature": f"t={at:.0f},v1={'0' * 64},v1={digest('sha256', secret, signed).hexdigest()},v0=6ffb"}


def delighted(raw: bytes, secret: str, at: float) -> dict[str, str]:
    return {"x-delighted-webhook-signature": f"sha256={digest('sha256', secret, raw).hexdigest()}"}


SIGNED: dict[str, Sign] = {
    "chatwoot": chatwoot, "meta": meta, "whatsapp": meta, "messenger": meta, "instagram": meta, "intercom": intercom,
    "slack": slack, "stripe": stripe, "shopify": in_base64("x-shopify-hmac-sha256"), "delighted": delighted,
    "aftership": in_base64("aftership-hmac-sha256"), "typeform": in_base64("typeform-signature", "sha256="),
}  # fmt: skip
TIMED = ["chatwoot", "slack", "stripe"]
KEYED = {"sunshine": "x-api-key", "rocketchat": "x-rocketchat-livechat-token"}


def refusal(vendor: str, made: Post, *secrets: str) -> str | None:
    """Why a post is refused, or None."""
    verify = vendors()[vendor].verify
    assert verify
    try:
        verify(made, secrets)
    except Forged as forged:
        return forged.code
    return None


def signed(vendor: str, raw: bytes = BODY, secret: str = "s3cret", minute: float = 0) -> Post:
    return post(raw, SIGNED[vendor](raw, secret, at(minute).timestamp()), **ADDRESS)


@pytest.mark.parametrize("vendor", SIGNED)
def test_what_the_vendor_signed_passes_also_while_its_secret_is_replaced(vendor: str) -> None:
    assert refusal(vendor, signed(vendor), "s3cret") is None
    assert refusal(vendor, signed(vendor), "new", "s3cret") is None
    assert refusal(vendor, signed(vendor), "new") == "signature_wrong"


@pytest.mark.parametrize("vendor", SIGNED)
def test_a_byte_that_was_altered_or_a_body_written_anew_does_not_pass(vendor: str) -> None:
    made = signed(vendor)
    altered = made.raw.replace(b"parcel", b"parcet")
    written_anew = orjson.dumps(orjson.loads(made.raw))
    for other in (altered, written_anew):
        assert refusal(vendor, replace(made, raw=other, content=other), "s3cret") == "signature_wrong"


@pytest.mark.parametrize("vendor", SIGNED)
def test_what_is_not_signed_does_not_pass(vendor: str) -> None:
    assert refusal(vendor, post(BODY, **ADDRESS), "s3cret") == "signature_missing"
    assert refusal(vendor, replace(signed(vendor), headers={"x-hub-signature-256": "ä"}), "s3cret")


@pytest.mark.parametrize("vendor", TIMED)
@pytest.mark.parametrize("minute", [-6.0, 6.0])
def test_a_signature_of_another_time_does_not_pass(vendor: str, minute: float) -> None:
    assert refusal(vendor, signed(vendor, minute=minute), "s3cret") == "signature_too_old"
    assert refusal(vendor, signed(vendor, minute=minute / 2), "s3cret") is None


@pytest.mark.parametrize("vendor", KEYED)
def test_a_vendor_that_sends_its_secret_along_is_known_by_it(vendor: str) -> None:
    for header, passes in ({KEYED[vendor]: "s3cret"}, True), ({KEYED[vendor]: "s3cre"}, False), ({}, False):
        try:
            check_key(["s3cret"], vendors()[vendor].carried(post(BODY, header)))
        except Forged:
            assert not passes
        else:
            assert passes


# Twilio signs the address with the fields of a form; the vector is the one of its documentation and libraries.
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = b"CallSid=CA1234567890ABCDE&Caller=%2B12349013030&Digits=1234&From=%2B12349013030&To=%2B18005551212"


def twilio(url: str, form: bytes, signature: str) -> Post:
    origin, slash, rest = url.partition(".com")
    headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return post(form, headers, origin=origin + slash, target=rest)


def test_twilios_own_example_passes_and_nothing_near_it() -> None:
    known = "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    assert refusal("twilio-conversations", twilio(TWILIO_URL, TWILIO_FORM, known), "12345") is None
    assert refusal("twilio-conversations", twilio(TWILIO_URL, TWILIO_FORM, known), "new", "12345") is None
    altered = TWILIO_FORM.replace(b"1234&", b"1235&")
    for made in (twilio(TWILIO_URL, altered, known), twilio(TWILIO_URL + "&x=1", TWILIO_FORM, known)):
        assert refusal("twilio-conversations", made, "12345") == "signature_wrong"
    assert refusal("twilio-conversations", twilio(TWILIO_URL, TWILIO_FORM, ""), "12345") == "signature_missing"


def test_twilio_signs_other_bodies_by_their_hash_in_the_address() -> None:
    target = f"/v1/sources/one?bodySHA256={hashlib.sha256(BODY).hexdigest()}"
    code = hmac.new(b"s3cret", f"https://talk.example:443{target}".encode(), "sha1").digest()
    headers = {"x-twilio-signature": base64.b64encode(code).decode()}
    made = post(BODY, headers, origin="https://talk.example", target=target)
    assert refusal("twilio-conversations", made, "s3cret") is None
    other: Any = replace(made, raw=BODY + b" ", content=BODY + b" ")
    assert refusal("twilio-conversations", other, "s3cret") == "signature_wrong"
