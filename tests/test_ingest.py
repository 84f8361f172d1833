import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from services import access
from services.ingest.app import create_app
from services.settings import Settings
from tests.builders import document
from tests.fakes import MemoryLog

KEY = "src_test"
BEARER = {"Authorization": f"Bearer {KEY}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
TWO = [document(id="1"), document(id="2")]
CALL = {"type": "track", "messageId": "m-1", "userId": "8812", "event": "Clicked"}


@pytest.fixture
def settings() -> Settings:
    return Settings(max_body=20_000, max_events=3, max_depth=6, byte_budget=100_000, append_timeout=2)


@pytest.fixture
def client(engine: sa.Engine, database_url: str, settings: Settings, log: MemoryLog) -> Iterator[TestClient]:
    with engine.begin() as conn:
        access.add_source(conn, "shop", "events", KEY)
    with TestClient(create_app(settings, database_url, log)) as client:
        yield client


def _ids(log: MemoryLog) -> list[str]:
    return [event.id for event in log.events]


def test_an_event_is_accepted_and_durable(client: TestClient, log: MemoryLog) -> None:
    answer = client.post("/v1/events", json=document(id="e-1"), headers=BEARER)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True, "accepted": 1, "duplicates": 0, "refused": 0,
        "results": [{"index": 0, "id": "e-1", "status": "accepted"}],
    }  # fmt: skip
    assert [(event.id, event.source) for event in log.events] == [("e-1", "shop")]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        *((form, json.dumps(TWO)) for form in ("application/json", "application/cloudevents-batch+json")),
        *((form, "\n".join(map(json.dumps, TWO))) for form in ("application/x-ndjson", "text/plain")),
    ],
)
def test_several_events_go_in_one_request(client: TestClient, log: MemoryLog, content_type: str, body: str) -> None:
    answer = client.post("/v1/events", content=body, headers=BASIC | {"Content-Type": content_type})
    assert answer.status_code == 200
    assert _ids(log) == ["1", "2"]


def test_a_binary_cloudevent_is_accepted(client: TestClient, log: MemoryLog) -> None:
    headers = {
        "ce-specversion": "1.0", "ce-id": "e-1", "ce-source": "/chat/web", "ce-type": "message.received",
        "ce-time": "2026-05-04T09:00:00Z", "ce-channel": "chat", "ce-conversation": "k%C3%B5ne-1",
    }  # fmt: skip
    answer = client.post("/v1/events", json={"text": "Tere!"}, headers=BEARER | headers)
    assert answer.status_code == 200
    event = log.events[0]
    assert (event.source, event.conversation, event.text) == ("shop/chat/web", "kõne-1", "Tere!")


def test_an_id_with_half_an_emoji_goes_back_as_it_came(client: TestClient, log: MemoryLog) -> None:
    answer = client.post("/v1/events", content=json.dumps(document(id="cut \ud83d")), headers=BEARER)
    assert answer.status_code == 200
    assert json.loads(answer.content)["results"][0]["id"] == "cut \ud83d"


def test_events_that_are_plain_and_those_that_are_not_get_the_same_verdicts(client: TestClient, log: MemoryLog) -> None:
    plain, attribute = document(id="1"), document(id="2", traceparent="00-x")
    for answered in ("accepted", "duplicate"):
        answer = client.post("/v1/events", json=[plain, attribute], headers=BEARER).json()
        assert [result["status"] for result in answer["results"]] == [answered, answered]
    assert [event.extensions for event in log.events] == [{}, {"traceparent": "00-x"}]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused_in_the_one_form(client: TestClient, method: str) -> None:
    answer = client.request(method, "/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_an_empty_batch_is_nothing_wrong(client: TestClient, log: MemoryLog) -> None:
    answer = client.post("/v1/events", json=[], headers=BEARER)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 0)
    assert log.appends == []


def test_good_events_pass_beside_bad_ones(client: TestClient, log: MemoryLog) -> None:
    deep: dict[str, Any] = {"data": {"a": {"b": {"c": {"d": {"e": {}}}}}}}
    posts = [document(id="1"), deep, document(id="2", time="noon")]
    answer = client.post("/v1/events", json=posts, headers=BEARER)
    assert (answer.status_code, answer.json()["refused"]) == (200, 2)
    accepted, refused, _ = answer.json()["results"]
    assert (accepted["status"], refused["code"]) == ("accepted", "nested_too_deep")
    assert _ids(log) == ["1"]


def test_when_all_are_refused_the_answer_is_a_refusal_with_the_first_ones_code(
    client: TestClient, log: MemoryLog
) -> None:
    answer = client.post("/v1/events", json=[document(channel="fax"), {"id": "2"}], headers=BEARER)
    assert answer.status_code == 400
    body = answer.json()
    assert (body["code"], body["refused"], body["success"]) == ("unknown_channel", 2, False)
    assert body["message"] == body["results"][0]["message"]
    assert body["hint"]
    assert log.appends == []


def test_a_retry_is_a_duplicate_and_no_failure(client: TestClient, log: MemoryLog) -> None:
    post = document(id="1")
    client.post("/v1/events", json=post, headers=BEARER)
    answer = client.post("/v1/events", json=post, headers=BEARER)
    assert (answer.status_code, answer.json()["duplicates"]) == (200, 1)
    assert _ids(log) == ["1"]


@pytest.mark.parametrize("path", ["/v1/events", "/v1/batch"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer src_other"}, {"Authorization": "Basic eDo="}])
def test_an_unknown_key_is_refused_and_nothing_stored(
    client: TestClient, log: MemoryLog, headers: dict[str, str], path: str
) -> None:
    answer = client.post(path, json=document() | {"batch": [CALL]}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert "WWW-Authenticate" in answer.headers
    assert log.appends == []


@pytest.mark.parametrize(
    ("status", "code", "body", "headers"),
    [
        (413, "body_too_large", b"[" + b" " * 20_000 + b"]", {}),
        (413, "body_too_large", gzip.compress(b" " * 1_000_000), {"Content-Encoding": "gzip"}),
        (413, "too_many_events", json.dumps([document()] * 4).encode(), {}),
        (400, "nested_too_deep", b'{"data": {"a": {"b": {"c": {"d": {"e": {}}}}}}}', {}),
        (400, "nested_too_deep", b"[" * 9000 + b"]" * 9000, {}),
        (400, "not_json", b'{"id": "1",', {}),
        (400, "not_json", b"", {}),
        (400, "not_an_event", b"17", {}),
        (400, "bad_encoding", b"{}", {"Content-Encoding": "gzip"}),
        (400, "bad_encoding", b"{}", {"Content-Encoding": "br"}),
        (400, "bad_header", b"{}", {"ce-id": "%FF"}),
    ],
)
def test_what_is_beyond_the_limits_or_unreadable_is_refused_by_a_stable_code(
    client: TestClient, log: MemoryLog, status: int, code: str, body: bytes, headers: dict[str, str]
) -> None:
    answer = client.post("/v1/events", content=body, headers=BEARER | headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert log.appends == []


def test_a_log_that_is_away_is_a_503_with_retry_after(client: TestClient, log: MemoryLog) -> None:
    log.away = True
    answer = client.post("/v1/events", json=document(), headers=BEARER)
    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    log.away = False
    assert client.post("/v1/events", json=document(), headers=BEARER).status_code == 200


def test_a_log_that_hangs_is_a_503_too(client: TestClient, log: MemoryLog) -> None:
    log.gate.clear()
    answer = client.post("/v1/events", json=document(), headers=BEARER)
    log.gate.set()
    assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("name", ["batch", "import", "b"])
def test_segments_batches_are_accepted(client: TestClient, log: MemoryLog, name: str, slash: str) -> None:
    answer = client.post(f"/v1/{name}{slash}", json={"batch": [CALL]}, headers=BASIC)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert [(event.id, event.data["name"]) for event in log.events] == [("m-1", "Clicked")]


@pytest.mark.parametrize("name", [*"tipsga", "track", "identify", "page", "screen", "group", "alias"])
def test_segments_calls_are_accepted_one_by_one(client: TestClient, log: MemoryLog, name: str) -> None:
    answer = client.post(f"/v1/{name}", json={"messageId": "m-1", "userId": "8812"}, headers=BASIC)
    assert answer.status_code == 200
    assert _ids(log) == ["m-1"]


def test_the_key_may_be_in_the_body_or_the_address(client: TestClient, log: MemoryLog) -> None:
    in_body = {"batch": [CALL], "writeKey": KEY}
    assert client.post("/v1/batch", json=in_body).status_code == 200
    assert client.post("/v1/batch", json=in_body, headers={"Authorization": "Bearer token"}).status_code == 200
    assert client.post(f"/v1/track?writeKey={KEY}", json=CALL).status_code == 200
    assert client.post(f"/v1/events?writeKey={KEY}", json=document()).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/json"])
def test_gzip_and_any_content_type_are_taken(client: TestClient, log: MemoryLog, content_type: str) -> None:
    body = gzip.compress(json.dumps({"batch": [CALL]}).encode())
    headers = BASIC | {"Content-Type": content_type, "Content-Encoding": "gzip"}
    assert client.post("/v1/batch", content=body, headers=headers).status_code == 200
    assert _ids(log) == ["m-1"]


def test_every_recorded_request_of_the_real_clients_is_accepted(
    engine: sa.Engine, database_url: str, shared: Path
) -> None:
    files = [*shared.glob("fixtures/web/segment/recorded/*"), *shared.glob("fixtures/web/rudderstack/recorded/*")]
    requests = [json.loads(line) for file in files for line in file.open()]
    with engine.begin() as conn:
        access.add_source(conn, "shop", "segment", "WRITEKEY123")
    log = MemoryLog()
    with TestClient(create_app(Settings(), database_url, log)) as client:
        for one in requests:
            headers = {name: value for name, value in one["headers"] if name.lower() != "content-length"}
            raw = one["body"].encode()
            body = gzip.compress(raw) if "Content-Encoding" in headers else raw
            assert client.post(one["path"], content=body, headers=headers).status_code == 200
    calls = {call["messageId"] for one in requests for call in json.loads(one["body"])["batch"]}
    assert set(_ids(log)) == calls


def test_a_browser_may_post_from_another_site(client: TestClient) -> None:
    origin, wanted = {"Origin": "https://shop.example"}, ("authorization", "content-type", "x-retry-count")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": ", ".join(wanted)}
    answer = client.options("/v1/b", headers=origin | asked)
    assert answer.status_code == 200
    assert set(wanted) <= set(answer.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    refused = client.post("/v1/b", json={}, headers=origin)
    assert {one.headers["Access-Control-Allow-Origin"] for one in (answer, refused)} == {"*"}


def test_only_the_sites_that_are_set_may_post(engine: sa.Engine, database_url: str) -> None:
    settings = Settings(cors_origins=["https://shop.example"])
    client = TestClient(create_app(settings, database_url, MemoryLog()))
    for origin, allowed in [("https://shop.example", 200), ("https://other.example", 400)]:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        assert client.options("/v1/b", headers=headers).status_code == allowed


def test_it_is_ready_while_the_log_and_the_database_answer(client: TestClient, log: MemoryLog) -> None:
    assert {client.get(path).status_code for path in ("/healthz", "/readyz")} == {200}
    log.away = True
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "event log" in answer.json()["message"]
    assert client.get("/healthz").status_code == 200


def test_it_is_not_ready_without_its_database(log: MemoryLog) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with TestClient(create_app(Settings(), nowhere, log)) as client:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert "database" in answer.json()["message"]
        assert client.post("/v1/events", json=document(), headers=BEARER).status_code == 503


def test_metrics_count_what_became_of_events(client: TestClient, log: MemoryLog) -> None:
    post = document(id="1")
    client.post("/v1/events", json=[post, post, {"id": "2"}], headers=BEARER)
    client.post("/v1/events", json=post)
    log.away = True
    client.post("/v1/events", json=document(), headers=BEARER)
    lines = client.get("/metrics").text.splitlines()
    for line in (
        'tellonce_ingest_events_total{verdict="accepted"} 1.0',
        'tellonce_ingest_events_total{verdict="duplicate"} 1.0',
        'tellonce_ingest_refused_total{code="unauthorized"} 1.0',
        'tellonce_ingest_unavailable_total{code="log_unavailable"} 1.0',
        'tellonce_ingest_request_seconds_count{route="/v1/events",status="200"} 1.0',
        'tellonce_ingest_request_seconds_count{route="/v1/events",status="503"} 1.0',
        "tellonce_ingest_in_flight_bytes 0.0",
        "tellonce_ingest_in_flight_limit_bytes 100000.0",
        'tellonce_ingest_append_seconds_count{outcome="stored"} 1.0',
        'tellonce_ingest_append_seconds_count{outcome="failed"} 1.0',
        "tellonce_ingest_append_records_sum 1.0",
    ):
        assert line in lines
    assert any(line.startswith("tellonce_ingest_refused_total{") and "missing" in line for line in lines)


def test_the_description_tells_bodies_keys_and_answers() -> None:
    described = create_app(Settings(), "postgresql://stand-in", MemoryLog()).openapi()
    post = described["paths"]["/v1/events"]["post"]
    assert "message.received" in post["requestBody"]["content"]["application/cloudevents+json"]["examples"]
    assert set(post["responses"]) >= {"200", "400", "401", "413", "503"}
    assert len(post["security"]) == 3
    assert "/v1/batch/" not in described["paths"]
