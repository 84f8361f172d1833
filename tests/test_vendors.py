"""What a vendor's file can say of itself: its keys, addresses, handshake, answers, and what is to be fetched."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from schemas.codec import Malformed
from services import access
from services.errors import Problem
from services.ingest.app import create_app
from services.ingest.sources.vendor import Document, Forged, Post, Reply, Vendor, check_signature, signature
from services.settings import Settings
from tests.fakes import MemoryLog

KEY, SECRET, PEM = "src_test", "the token", b"a certificate"
EVENT: Document = {
    "time": "2026-05-04T09:30:00Z",
    "id": "1",
    "type": "app.event",
    "data": {"name": "x"},
    "identifiers": [{"type": "account", "value": "C-1"}],
}


def translate(post: Post) -> Iterator[Document | Malformed]:
    if post.method == "GET":
        yield EVENT | {"id": dict(post.query)["id"]}
        return
    for one in post.object.get("events", []):
        yield EVENT | one if isinstance(one, dict) else Malformed("no_event", "It is none.")


def verify(post: Post, secrets: Sequence[str]) -> None:
    """Over the public address and the body; what names a certificate is signed by it instead."""
    if "certificate" in post.object:
        if post.certificate != PEM:
            raise Forged("signature_wrong", "It is another's.")
        return
    signed = post.url.encode() + post.raw
    check_signature((signature(secret, signed) for secret in secrets), post.headers.get("x-signature"))


def keys(post: Post) -> Iterable[str]:
    return filter(None, (dict(post.query).get("token"), post.content and post.object.get("api_key")))


def handshake(post: Post, secrets: Sequence[str]) -> Reply | None:
    if post.method == "GET":
        challenge = dict(post.query).get("challenge")
        return Reply(challenge.encode()) if challenge else None
    if address := post.object.get("confirm"):
        return Reply(b"confirmed", visit=address)
    return None


def answer(post: Post, why: Problem | None) -> Reply:
    said = {"id": post.headers.get("x-id"), "error": why and why.code}
    return Reply(orjson.dumps(said), "application/json")


PLAIN: dict[str, Any] = dict(title="", channel="app", translate=translate, setup="{url}", reference="")
VENDORS = (
    Vendor(name="tracker", keys=keys, routes={"/batch/": "POST", "/i": "GET POST"}, **PLAIN),
    Vendor(name="posting", drop=406, **PLAIN),
    Vendor(name="answering", keys=keys, answer=answer, **PLAIN),
    Vendor(
        name="signing", verify=verify, secret="token", keys=keys, handshake=handshake, methods="GET POST",
        certificate=lambda post: post.object.get("certificate"), fetches=r"https://certs\.example/.*", **PLAIN
    ),
)  # fmt: skip


class Network:
    """What is elsewhere; it may be `away`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    def get(self, address: str) -> bytes:
        if self.away:
            raise OSError("the network is down")
        self.asked.append(address)
        return PEM


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def client(engine: sa.Engine, database_url: str, log: MemoryLog, network: Network) -> Iterator[TestClient]:
    with engine.begin() as conn:
        for vendor in VENDORS:
            access.add_source(conn, vendor.name, vendor.name, KEY if vendor.name == "tracker" else vendor.name)
        access.set_secrets(conn, "signing", [SECRET])
        access.set_secrets(conn, "answering", ["static"])
    known = {vendor.name: vendor for vendor in VENDORS}
    settings = Settings(append_timeout=2, ingest_url="https://ingest.example/in/")
    with TestClient(create_app(settings, database_url, log, None, known, network.get)) as client:
        yield client


def body(*events: Any, **fields: Any) -> bytes:
    return orjson.dumps({"events": [{"id": one} if isinstance(one, str) else one for one in events], **fields})


def signed(raw: bytes, target: str = "/v1/sources/signing", base: str = "https://ingest.example/in") -> dict[str, str]:
    return {"x-signature": signature(SECRET, (base + target).encode() + raw)}


def test_a_clients_own_address_finds_its_source_by_the_key_in_the_body(client: TestClient, log: MemoryLog) -> None:
    for path in ("/batch", "/batch/", "/i", "/v1/sources/tracker", "/v1/sources/tracker/batch/"):
        assert client.post(path, content=body(path, api_key=KEY)).status_code == 200
    assert {one.source for one in log.events} == {"tracker"}
    refused = client.post("/batch/", content=body("1", api_key="wrong"))
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert len(log.events) == 5


def test_an_address_takes_the_methods_that_its_vendor_says(client: TestClient, log: MemoryLog) -> None:
    assert client.get(f"/i?id=seen&token={KEY}").status_code == 200
    assert [one.id for one in log.events] == ["seen"]
    refused = client.get(f"/batch/?id=1&token={KEY}")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    refused = client.get(f"/v1/sources/tracker?id=1&token={KEY}")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")


def test_pages_may_post_to_a_vendors_addresses(client: TestClient) -> None:
    site = {"Origin": "https://shop.example"}
    for path in ("/batch/", "/v1/sources/tracker"):
        asked = site | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        assert client.options(path, headers=asked).status_code == 200
        answer = client.post(path, content=body("1", api_key=KEY), headers=site)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


def test_a_part_that_can_not_be_read_lets_the_others_through(client: TestClient, log: MemoryLog) -> None:
    answer = client.post("/batch/", content=body("1", 5, "3", api_key=KEY))
    assert answer.status_code == 200
    assert [one["status"] for one in answer.json()["results"]] == ["accepted", "refused", "accepted"]


def test_the_public_address_is_what_is_signed(client: TestClient, log: MemoryLog) -> None:
    target, raw = "/v1/sources/signing?a=%20b&c", body("1")
    assert client.post(target, content=raw, headers=signed(raw, target)).status_code == 200
    wrong = signed(raw, target, "http://testserver")
    assert client.post(target, content=raw, headers=wrong).status_code == 401


def test_without_the_setting_the_public_address_is_what_the_proxy_says(
    engine: sa.Engine, database_url: str, log: MemoryLog
) -> None:
    with engine.begin() as conn:
        access.add_source(conn, "signing", "signing", "key")
        access.set_secrets(conn, "signing", [SECRET])
    proxy = {"X-Forwarded-Proto": "https, http", "X-Forwarded-Host": "shop.example"}
    raw, target = body("1"), "/v1/sources/signing"
    with TestClient(create_app(Settings(), database_url, log, None, {"signing": VENDORS[-1]})) as client:
        by_proxy = signed(raw, target, "https://shop.example") | proxy
        assert client.post(target, content=raw, headers=by_proxy).status_code == 200
        assert client.post(target, content=raw, headers=signed(raw, target, "http://testserver")).status_code == 200


def test_a_challenge_is_answered_to_who_knows_the_token(client: TestClient, log: MemoryLog) -> None:
    answer = client.get(f"/v1/sources/signing?challenge=42&token={SECRET}")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "42", "text/plain")
    assert client.get("/v1/sources/signing?challenge=42&token=signing").status_code == 200  # the source's key
    assert client.get("/v1/sources/signing?challenge=42&token=wrong").status_code == 401
    assert not log.events


def test_an_address_that_confirms_is_visited_once_the_post_is_proven(client: TestClient, network: Network) -> None:
    raw = body(confirm="https://certs.example/confirm?token=1")
    assert client.post("/v1/sources/signing", content=raw).status_code == 401
    assert not network.asked
    answer = client.post("/v1/sources/signing", content=raw, headers=signed(raw))
    assert (answer.status_code, answer.text) == (200, "confirmed")
    assert network.asked == ["https://certs.example/confirm?token=1"]


@pytest.mark.parametrize(
    "address",
    ["http://certs.example/", "https://certs.example.evil/", "file:///etc/passwd", "https://certs.example/ x\n"],
)
def test_no_address_but_the_vendors_is_asked_for(client: TestClient, network: Network, address: str) -> None:
    raw = body(confirm=address)
    answer = client.post("/v1/sources/signing", content=raw, headers=signed(raw))
    assert (answer.status_code, answer.json()["code"]) == (401, "foreign_address")
    answer = client.post("/v1/sources/signing", content=body("1", certificate=address))
    assert (answer.status_code, answer.json()["code"]) == (401, "foreign_address")
    assert not network.asked


def test_a_certificate_is_fetched_once_for_many_posts(client: TestClient, network: Network, log: MemoryLog) -> None:
    for id in ("1", "2"):
        raw = body(id, certificate="https://certs.example/1.pem")
        assert client.post("/v1/sources/signing", content=raw).status_code == 200
    assert (network.asked, len(log.events)) == (["https://certs.example/1.pem"], 2)


def test_what_can_not_be_fetched_is_asked_to_be_sent_again(client: TestClient, network: Network) -> None:
    network.away = True
    answer = client.post("/v1/sources/signing", content=body("1", certificate="https://certs.example/1.pem"))
    assert (answer.status_code, answer.json()["code"]) == (503, "errands_unavailable")
    assert answer.headers["Retry-After"] == "1"


def test_a_vendor_is_answered_in_its_own_form_whatever_became_of_its_post(client: TestClient, log: MemoryLog) -> None:
    def post(raw: bytes) -> tuple[int, Any]:
        answer = client.post("/v1/sources/answering", content=raw, headers={"x-id": "r-1"})
        return answer.status_code, answer.json()

    assert post(body("1", api_key="static")) == (200, {"id": "r-1", "error": None})
    assert post(body("1", api_key="wrong")) == (401, {"id": "r-1", "error": "unauthorized"})
    assert post(b"no JSON")[0] == 400
    log.away = True
    answer = client.post("/v1/sources/answering?key=answering", content=body("2"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["error"]


def test_what_can_never_be_taken_is_answered_so_that_it_is_not_sent_again(client: TestClient, log: MemoryLog) -> None:
    answer = client.post("/v1/sources/posting?key=posting", content=b"no JSON")
    assert (answer.status_code, answer.json()["code"]) == (406, "not_json")
    assert client.post("/v1/sources/posting", content=body("1")).status_code == 401
    log.away = True
    assert client.post("/v1/sources/posting?key=posting", content=body("1")).status_code == 503
