"""The API as such: who may ask, the trace that every read leaves, errors, what operators see."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from services import access, tables
from services.access import Role
from services.api.app import create_app
from services.eventlog.opening import open_appender
from tests.builders import event
from tests.house import MAIL, SETTINGS, House


def basic(words: str) -> str:
    return "Basic " + b64encode(words.encode()).decode()


def test_a_key_is_read_where_clients_put_it(house: House, subtests: pytest.Subtests) -> None:
    key = house.keys[Role.agent]
    for headers in (
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": key},
        {"Authorization": basic(f"{key}:")},
        {"Authorization": basic(f"anybody:{key}")},
    ):
        with subtests.test(headers=headers):
            assert house.client.get("/v1/search?q=x", headers=headers).status_code == 200


def test_without_a_valid_key_nothing_is_answered(house: House, subtests: pytest.Subtests) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic %"}, {"Cookie": "tellonce=wrong"}):
        with subtests.test(headers=headers):
            answer = house.client.get("/v1/search?q=x", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert "WWW-Authenticate" in answer.headers


def test_a_revoked_key_is_refused_at_once(house: House) -> None:
    with house.engine.begin() as conn:
        access.revoke(conn, tables.keys, "agent")
    assert house.ask("/v1/search", q="x").status_code == 401


READS = [
    "/v1/search?q=mari",
    "/v1/customers/{id}",
    "/v1/customers/{id}/timeline",
    "/v1/customers/{id}/identity",
    "/v1/customers/{id}/issues",
    "/v1/customers/{id}/facts",
]


BRIEF = "/v1/brief?email=mari@example.com"
MAY = {
    Role.channel: {BRIEF},
    Role.agent: {BRIEF, *READS},
    Role.analyst: set[str](),
    Role.admin: {BRIEF, *READS},
}


@pytest.mark.parametrize("role", Role)
def test_a_role_reads_what_it_may_and_each_read_leaves_a_trace(house: House, role: Role) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    for address in MAY[role]:
        before = len(house.reads())
        assert house.ask(address.format(id=id), role).status_code == 200
        assert len(house.reads()) == before + 1
    before = len(house.reads())
    for address in {BRIEF, *READS} - MAY[role]:
        answer = house.ask(address.format(id=id), role)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert len(house.reads()) == before


@pytest.mark.parametrize("role", [Role.channel, Role.analyst])
def test_only_agents_change_and_follow_customers(house: House, role: Role) -> None:
    house.happened(event(MAIL))
    address = f"/v1/customers/{house.id(MAIL)}"
    assert house.ask(f"{address}/stream", role).status_code == 403
    for command in ("notes", "merge", "unmerge"):
        assert house.post(f"{address}/{command}", {}, role).status_code == 403


def test_what_is_on_record_is_checked_for_agents_alone_and_traced(house: House) -> None:
    house.happened(event(MAIL))
    address, asked = f"/v1/customers/{house.id(MAIL)}/check", {"question": "What is your order number?"}
    before = len(house.reads())
    for role in (Role.channel, Role.analyst):
        assert house.post(address, asked, role).status_code == 403
    assert len(house.reads()) == before
    for role in (Role.agent, Role.admin):
        assert house.post(address, asked, role).status_code == 200
    assert [read.what for read in house.reads()[before:]] == ["check", "check"]


def signed_in(house: House) -> dict[str, str]:
    now = datetime.now(UTC)
    with house.engine.begin() as conn:
        link = access.make_link(conn, "anna", Role.agent, now + timedelta(hours=1))
        return {"Cookie": f"tellonce={access.redeem(conn, link, now)}"}


def test_who_is_signed_in_reads_without_a_key(house: House) -> None:
    house.happened(event(MAIL))
    answer = house.client.get("/v1/brief?email=mari@example.com", headers=signed_in(house))
    assert answer.status_code == 200
    assert house.reads()[0].reader == "anna"


def test_a_foreign_page_can_not_use_a_cookie_to_change_anything(house: House) -> None:
    house.happened(event(MAIL))
    address, signed = f"/v1/customers/{house.id(MAIL)}/notes", signed_in(house)
    for origin, status in (("http://testserver", 200), ("https://evil.example", 401)):
        answer = house.client.post(address, json={"text": "Hi"}, headers=signed | {"Origin": origin})
        assert answer.status_code == status


def test_every_read_says_who_what_and_why(house: House) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    for address in READS:
        house.get(address.format(id=id), reason="open call")
    house.client.get(f"/v1/customers/{id}", headers=house.by(Role.agent) | {"X-Reason": "by header"})
    traces = [(str(read.customer_id), read.reader, read.what, read.reason) for read in house.reads()[1:]]
    assert traces == [
        (id, "agent", "search", "open call"),
        (id, "agent", "customer", "open call"),
        (id, "agent", "timeline", "open call"),
        (id, "agent", "identity", "open call"),
        (id, "agent", "issues", "open call"),
        (id, "agent", "facts", "open call"),
        (id, "agent", "customer", "by header"),
    ]


def test_a_read_that_can_not_be_traced_is_not_answered(house: House) -> None:
    house.happened(event(MAIL))
    id = house.id(MAIL)
    with house.engine.begin() as conn:
        conn.execute(sa.text("ALTER TABLE reads ADD CONSTRAINT full_up CHECK (false) NOT VALID"))
    for address in (*READS, "/v1/brief?email=mari@example.com", "/v1/customers/{id}/stream"):
        answer = house.ask(address.format(id=id))
        assert answer.status_code == 500
        assert "mari" not in answer.text


def test_who_is_not_found_leaves_no_trace(house: House) -> None:
    house.ask("/v1/brief", email="nobody.knows@example.com")
    house.get("/v1/search", q="nobody")
    assert house.reads() == []


def test_it_is_ready_when_the_tables_are_of_this_version(house: House) -> None:
    assert house.client.get("/healthz").status_code == 200
    assert house.client.get("/readyz").json() == {"status": "ready"}
    with house.engine.begin() as conn:
        conn.execute(sa.text("DELETE FROM alembic_version"))
    answer = house.client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_migrated")


def test_it_is_not_ready_when_live_streams_would_stay_silent(house: House) -> None:
    assert house.client.portal
    house.client.portal.call(house.client.app.state.backing.watching.cancel)  # type: ignore[attr-defined]
    answer = house.client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_watching")


def test_a_database_that_is_away_is_a_503_that_says_when_to_ask_again(database_url: str) -> None:
    nowhere = sa.make_url(database_url).set(database="nowhere").render_as_string(hide_password=False)
    with TestClient(create_app(SETTINGS, nowhere, open_appender(SETTINGS, nowhere))) as client:
        assert client.get("/healthz").status_code == 200
        for address in ("/readyz", "/v1/search?q=x"):
            answer = client.get(address, headers={"X-API-Key": "any"})
            assert (answer.status_code, answer.json()["code"]) == (503, "database_away")
            assert int(answer.headers["Retry-After"]) > 0


def test_metrics_count_requests_by_route_and_reads_by_role(house: House) -> None:
    house.happened(event(MAIL))
    house.get(f"/v1/customers/{house.id(MAIL)}")
    house.client.get("/v1/search?q=mari")
    told = house.client.get("/metrics").text
    assert 'tellonce_api_request_seconds_count{route="/v1/customers/{id}",status="200"} 1.0' in told
    assert 'tellonce_api_reads_total{role="agent",what="customer"} 1.0' in told
    assert 'tellonce_api_refused_total{code="unauthorized"} 1.0' in told
    assert 'tellonce_pool_connections_limit{pool="reading"} 20.0' in told
    assert 'tellonce_pool_wait_seconds_count{pool="reading"}' in told
    assert "tellonce_api_open_streams 0.0" in told


def test_what_the_database_can_not_take_is_the_callers_to_correct(house: House, subtests: pytest.Subtests) -> None:
    house.happened(event(MAIL))
    customer = f"/v1/customers/{house.id(MAIL)}"
    for address in (
        "/v1/search?q=%00",
        "/v1/brief?customer=%00",
        f"{customer}/timeline?q=%00",
        f"{customer}?reason=%00",
    ):
        with subtests.test(address=address):
            answer = house.ask(address)
            assert (answer.status_code, answer.json()["code"]) == (400, "invalid_value")
    assert house.post(f"{customer}/notes", {"text": "Hi\x00"}).status_code == 400


def test_errors_of_the_framework_have_the_one_form_too(house: House) -> None:
    for answer in (house.ask("/v1/nothing"), house.client.delete("/healthz")):
        assert answer.status_code in (404, 405)
        assert answer.json().keys() == {"code", "message", "hint"}


def test_the_description_tells_errors_and_keys_of_every_operation(house: House) -> None:
    described = house.client.get("/openapi.json").json()
    operations = [
        one for path, methods in described["paths"].items() if path.startswith("/v1/") for one in methods.values()
    ]
    assert len(operations) >= 9
    for one in operations:
        assert one["security"]
        assert one["responses"]["401"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Trouble"
        }
