"""`tellonce sources try`, secrets, and the page on how to connect."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.access import source_named
from services.ingest import guide
from services.ingest.sources import vendors
from tests.terminal import Terminal


def test_the_page_on_connecting_is_not_stale(tmp_path: Path) -> None:
    guide.main(tmp_path / "sources.md")
    assert guide.FILE.read_text() == (tmp_path / "sources.md").read_text(), "run `make schemas`"


@pytest.mark.parametrize("name", sorted(vendors()))
def test_every_vendor_says_how_it_is_connected(name: str) -> None:
    vendor = vendors()[name]
    assert "{url}" in vendor.setup or vendor.routes
    assert vendor.becomes
    assert vendor.secret or not vendor.verify


def test_a_payload_is_tried_and_nothing_stored(tellonce: Terminal, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps({"event": "conversation_created", "id": 10, "timestamp": 1627063369}))
    tried = tellonce("sources", "try", "chatwoot", str(body))
    (event,) = json.loads(tried.out)
    assert (tried.code, event["type"], event["conversation"]) == (0, "chat.started", "10")


def test_a_payload_that_is_refused_says_why(tellonce: Terminal, tmp_path: Path) -> None:
    tried = tellonce("sources", "try", "chatwoot", "-", typed=b"not JSON")
    assert tried.code == 1
    assert json.loads(tried.out)[0]["refused"] == "not_json"


@pytest.mark.parametrize(
    ("vendor", "posted", "said"),
    [
        ("chatwoot", {"event": "conversation_typing_on"}, "Nothing in this payload becomes an event"),
        ("amazon_ses", {"Type": "Notification", "Message": '{"notificationType": "Delivery"}'}, "a mail received"),
        ("slack", {"type": "url_verification", "challenge": "c"}, "This is a handshake"),
    ],
)
def test_a_payload_that_becomes_no_event_says_so(tellonce: Terminal, vendor: str, posted: object, said: str) -> None:
    tried = tellonce("sources", "try", vendor, "-", typed=json.dumps(posted).encode())
    assert tried.code == 0
    assert said in tried.err
    assert not any("type" in one for one in json.loads(tried.out))


def test_a_signature_is_checked_where_a_secret_is_given(tellonce: Terminal, tmp_path: Path) -> None:
    headers = tmp_path / "headers.txt"
    headers.write_text("X-Chatwoot-Timestamp: 1\nX-Chatwoot-Signature: sha256=00\n")
    tried = tellonce("sources", "try", "chatwoot", "-", "--headers", str(headers), "--secret", "s", typed=b"{}")
    assert json.loads(tried.out)[0]["refused"] == "signature_wrong"


def test_headers_that_are_no_json_are_a_mistake_of_one_line(tellonce: Terminal, tmp_path: Path) -> None:
    headers = tmp_path / "headers.json"
    headers.write_text('{"X-Slack-Signature": }')
    tried = tellonce("sources", "try", "slack", "-", "--headers", str(headers), typed=b"{}")
    assert (tried.code, tried.out) == (1, "")
    assert "The headers begin like JSON, but are none" in tried.err


def test_a_source_has_the_secrets_it_was_last_given(tellonce: Terminal, engine: sa.Engine) -> None:
    tellonce("sources", "add", "desk", "--kind", "chatwoot", "--secret", "one")
    assert tellonce("sources", "secret", "desk", "two", "one").code == 0
    with engine.connect() as conn:
        source = source_named(conn, "desk")
    assert source
    assert source.secrets == ("two", "one")
    assert tellonce("sources", "secret", "nobody", "two").code == 1
    assert tellonce("sources", "secret", "desk", "1", "2", "3").code == 1
