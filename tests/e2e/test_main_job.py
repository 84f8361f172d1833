"""The main job from end to end: systems post in their own ways, and whoever asks by any identifier gets one brief."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests
import rudderstack.analytics.client
import segment.analytics.client
import sqlalchemy as sa
from cloudevents.core.bindings import http as binding
from cloudevents.core.v1.event import CloudEvent
from psycopg import sql

from tests.e2e.stacks import Stack, embedded, grown, postgres_server, wait_for  # noqa: F401 - a fixture

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
ACCOUNT, DEVICE, MAIL, PHONE = "C-1001", "9b2f6a7e-device", "mari.maasikas@example.ee", "+37255512345"
WORDS = "My router shows a red light since Monday"


@pytest.fixture(scope="module", params=["embedded", "postgresql-kafka"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    if request.param == "embedded":
        with embedded(folder) as running:
            yield running
        return
    server, kafka = request.getfixturevalue("postgres_server"), request.getfixturevalue("kafka")
    name = f"main_{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    database = sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    with grown(folder, database, f"kafka://{kafka}") as running:
        yield running


@pytest.fixture(scope="module")
def told(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Everything one customer did on five channels, posted by real clients; the keys."""
    folder = tmp_path_factory.mktemp("told")
    keys = {name: stack.tellonce("sources", "add", name) for name in ("site", "app", "phone", "chat")}
    keys["agent"] = stack.tellonce("keys", "add", "desk", "--role", "agent")
    keys["channel"] = stack.tellonce("keys", "add", "ivr", "--role", "channel")
    visit_the_site(stack.ingest, keys["site"])
    use_the_app(stack.ingest, keys["app"])
    write_mail(stack, folder)
    call(stack.ingest, keys["phone"])
    chat(stack.ingest, keys["chat"])
    return keys


def visit_the_site(address: str, key: str) -> None:
    """First unknown, then signed in: the real Segment client for Python."""
    client = segment.analytics.client.Client(key, host=address)
    client.page(anonymous_id=DEVICE, name="Router help", properties={"url": "https://shop.example/help/router"})
    client.identify(user_id=ACCOUNT, anonymous_id=DEVICE, traits={"email": MAIL, "name": "Mari Maasikas"})
    client.track(user_id=ACCOUNT, anonymous_id=DEVICE, event="Troubleshooter Started", properties={"product": "router"})
    client.shutdown()


def use_the_app(address: str, key: str) -> None:
    """The real RudderStack client for Python."""
    client = rudderstack.analytics.client.Client(key, host=address)
    client.screen(user_id=ACCOUNT, name="Order 1001")
    client.shutdown()


def write_mail(stack: Stack, folder: Path) -> None:
    """A mail in a file, imported."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Mari Maasikas <{MAIL}>", "help@shop.example", "Red light"
    mail["Date"], mail["Message-ID"] = format_datetime(NOW), "<red-light-1@example.ee>"
    mail.set_content(f"Hello,\n\n{WORDS}. My order is 1001.\n\nMari")
    (folder / "mail.eml").write_bytes(bytes(mail))
    stack.tellonce("import", str(folder / "mail.eml"), "--source", "mail")


def call(address: str, key: str) -> None:
    """A call with IVR steps, by the real CloudEvents client, structured and binary in turn."""
    steps: list[tuple[str, dict[str, Any]]] = [
        ("call.ringing", {}),
        ("call.menu_choice", {"path": ["support", "internet"], "choice": "2", "reason": "internet is down"}),
        ("call.started", {"queue": "internet", "agent": "Jonas"}),
        ("call.turn", {"speaker": "customer", "text": f"Yes hello, {WORDS.lower()}"}),
        ("call.ended", {"disposition": "callback promised", "talk_seconds": 240, "hold_seconds": 30}),
    ]
    named = [
        {"type": "phone", "value": "555 12345"},
        {"type": "customer_id", "value": ACCOUNT, "verification": "verified"},
    ]
    for number, (type, data) in enumerate(steps):
        attributes = {
            "specversion": "1.0", "id": f"call-7-{number}", "source": "/pbx", "type": type, "channel": "phone",
            "conversation": "call-7", "time": NOW + timedelta(minutes=30, seconds=number * 20),
            "datacontenttype": "application/json",
        }  # fmt: skip
        # The later steps of a call often say no more than which call it is.
        event = CloudEvent(attributes, {**data, "identifiers": named} if number < 2 else data)
        message = (binding.to_structured_event, binding.to_binary_event)[number % 2](event)
        answer = requests.post(
            f"{address}/v1/events",
            data=message.body,
            headers={**message.headers, "Authorization": f"Bearer {key}"},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text


def chat(address: str, key: str) -> None:
    """A chat, as a JSON array."""
    said = [
        ("chat.started", "inbound", None),
        ("message.received", "inbound", f"{WORDS}!!"),
        ("message.sent", "outbound", "Let me look."),
    ]
    events = [
        {
            "id": f"chat-3-{number}", "type": type, "channel": "chat", "direction": direction, "conversation": "chat-3",
            "time": (NOW + timedelta(minutes=60 + number)).isoformat(), "text": text,
            "identifiers": [{"type": "email", "value": MAIL.upper()}],
            "author": {"role": "customer" if direction == "inbound" else "agent"},
        }
        for number, (type, direction, text) in enumerate(said)
    ]  # fmt: skip
    answer = requests.post(f"{address}/v1/events", json=events, auth=(key, ""), timeout=10)
    assert (answer.status_code, answer.json()["accepted"]) == (200, len(events)), answer.text


def brief(stack: Stack, key: str, **asked: str) -> dict[str, Any]:
    answer = requests.get(f"{stack.api}/v1/brief", params=asked, headers={"Authorization": f"Bearer {key}"}, timeout=10)
    return {"status": answer.status_code, **answer.json()}


def whole(stack: Stack, key: str) -> bool:
    """Whether everything told is on the timeline."""
    found = brief(stack, key, email=MAIL)
    if found["status"] != 200 or "customer" not in found:
        return False
    page = requests.get(
        f"{stack.api}/v1/customers/{found['customer']['id']}/timeline",
        params={"view": "flat", "limit": 100}, headers={"Authorization": f"Bearer {key}"}, timeout=10,
    )  # fmt: skip
    return len(page.json()["items"]) >= 13


def test_one_customer_has_one_brief_by_each_of_their_identifiers(stack: Stack, told: dict[str, str]) -> None:
    wait_for(lambda: whole(stack, told["agent"]), "everything to be stitched")
    by_each = [
        brief(stack, told["agent"], **asked)
        for asked in (
            {"email": MAIL}, {"phone": PHONE}, {"phone": "55512345"}, {"customer": ACCOUNT},
            {"identifier": f"device:{DEVICE}"}, {"identifier": f"account:{ACCOUNT}"},
        )
    ]  # fmt: skip
    assert {one["status"] for one in by_each} == {200}
    assert len({one["customer"]["id"] for one in by_each}) == 1
    id = by_each[0]["customer"]["id"]
    assert brief(stack, told["agent"], customer=id)["customer"]["id"] == id
    said = json.dumps(by_each[0]["recent"])
    assert {one["channel"] for one in by_each[0]["recent"]} >= {"email", "phone", "chat"}
    assert WORDS in said
    assert WORDS.lower() in said
    assert "internet is down" in said
    assert "callback promised" in said
    assert "router" in json.dumps(by_each[0]["activity"]).lower()
    assert by_each[0]["customer"]["name"] == "Mari Maasikas"


@pytest.mark.parametrize("length", [160, 500, 2000])
def test_a_bot_gets_it_as_text_of_the_length_it_can_speak(stack: Stack, told: dict[str, str], length: int) -> None:
    wait_for(lambda: whole(stack, told["agent"]), "everything to be stitched")
    answer = requests.get(
        f"{stack.api}/v1/brief",
        params={"phone": PHONE, "channel": "phone", "format": "text", "length": str(length)},
        headers={"Authorization": f"Bearer {told['channel']}"}, timeout=10,
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert 40 < len(answer.text) <= length


def test_a_visit_is_one_interaction_before_and_after_login(stack: Stack, told: dict[str, str]) -> None:
    wait_for(lambda: whole(stack, told["agent"]), "everything to be stitched")
    id = brief(stack, told["agent"], email=MAIL)["customer"]["id"]
    page = requests.get(
        f"{stack.api}/v1/customers/{id}/timeline",
        params={"channel": "web"}, headers={"Authorization": f"Bearer {told['agent']}"}, timeout=10,
    ).json()  # fmt: skip
    (visit,) = page["items"]
    assert len(visit["items"]) == 3


def test_everything_again_changes_nothing(stack: Stack, told: dict[str, str], tmp_path: Path) -> None:
    wait_for(lambda: whole(stack, told["agent"]), "everything to be stitched")
    before = json.loads(stack.tellonce("status", "--json"))["events"]
    call(stack.ingest, told["phone"])
    write_mail(stack, tmp_path)
    visit = {"id": "last", "type": "message.received", "channel": "chat", "time": NOW.isoformat(), "text": "Bye",
             "identifiers": [{"type": "email", "value": MAIL}]}  # fmt: skip
    requests.post(f"{stack.ingest}/v1/events", json=visit, auth=(told["chat"], ""), timeout=10).raise_for_status()
    wait_for(lambda: json.loads(stack.tellonce("status", "--json"))["events"] > before, "the last event")
    assert json.loads(stack.tellonce("status", "--json"))["events"] == before + 1


def test_unmodified_node_clients_reach_the_same_timeline(stack: Stack, told: dict[str, str], modules: Path) -> None:
    for script in ("segment.js", "rudderstack.js"):
        subprocess.run(["node", script, stack.ingest, told["site"], "20"], cwd=modules, check=True, timeout=120)
    wait_for(lambda: brief(stack, told["agent"], email="mari@example.com")["status"] == 200, "Node's customer")
    by_account = brief(stack, told["agent"], identifier="account:8812")
    assert by_account["customer"]["id"] == brief(stack, told["agent"], identifier="device:device-1")["customer"]["id"]


def test_an_unknown_caller_and_an_unknown_key_are_told_so(stack: Stack, told: dict[str, str]) -> None:
    unknown = brief(stack, told["agent"], phone="+37255599999")
    assert (unknown["status"], unknown["code"]) == (404, "unknown_customer")
    refused = requests.post(f"{stack.ingest}/v1/events", json={}, auth=("wrong", ""), timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
