"""What vCons become, signed or not, and which are refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from starlette.testclient import TestClient

from services import access
from services.ingest.app import create_app
from services.ingest.sources.vcon import VENDORS
from services.settings import Settings
from tests.fakes import MemoryLog
from tests.sources.posting import becomes, only, people, post, refusal

VCON = VENDORS[0]
PARTIES = [
    {"tel": "+37255512340", "mailto": "mari@example.ee", "name": "Mari"},
    {"tel": "+3726000100", "name": "Kadri", "role": "agent"},
]
CALL = {
    "type": "recording",
    "start": "2026-05-06T09:31:02Z",
    "duration": 361,
    "parties": [0, 1],
    "url": "https://r.example/1",
}


def vcon(*dialogs: Any, **fields: Any) -> dict[str, Any]:
    return {"vcon": "0.4.0", "uuid": "0195544a-b9b1-8ee4-b9a2-279e0d16bc46", "created_at": "2026-05-06T10:00:00Z",
            "parties": PARTIES, "dialog": list(dialogs)} | fields  # fmt: skip


def test_a_recording_is_a_call_of_the_party_that_is_no_agent() -> None:
    started, recorded, ended = becomes(VCON, post(vcon(CALL | {"disposition": "Issue Resolved"})))
    assert [one["type"] for one in (started, recorded, ended)] == ["call.started", "call.recorded", "call.ended"]
    assert people(started) == [("phone", "+37255512340"), ("email", "mari@example.ee")]
    assert (started["direction"], started["data"]["agent"]) == ("inbound", "Kadri")
    assert started["data"]["number"] == "+3726000100"
    assert (ended["time"], ended["data"]["talk_seconds"], ended["data"]["disposition"]) == (
        "2026-05-06T09:37:03Z", 361, "issue_resolved",
    )  # fmt: skip


def test_an_agent_who_began_made_a_call_out() -> None:
    assert becomes(VCON, post(vcon(CALL | {"originator": 1})))[0]["direction"] == "outbound"


def test_a_call_is_with_one_customer_however_many_are_in_it() -> None:
    parties = [*PARTIES, {"tel": "+37255598765", "name": "Jüri"}]
    assert len(people(becomes(VCON, post(vcon(CALL | {"parties": [0, 1, 2]}, parties=parties)))[0])) == 2


def test_a_party_that_is_not_there_is_passed_over() -> None:
    """Whoever is there is right; somebody who is not would have been the agent."""
    started, *_ = becomes(VCON, post(vcon(CALL | {"parties": [0, 5], "originator": 7})))
    assert (started["direction"], people(started)[0], started["data"].get("agent")) == (
        "inbound", ("phone", "+37255512340"), None,
    )  # fmt: skip


def test_messages_have_their_writers_and_their_channel() -> None:
    one = {"type": "text", "start": "2026-05-06T09:31:02Z", "parties": [0, 1], "body": "Hi", "encoding": "none"}
    asked, answered, mailed = becomes(
        VCON, post(vcon(one, one | {"parties": [1, 0]}, one | {"mediatype": "message/rfc822"}, subject="Parcel"))
    )
    assert (asked["type"], asked["channel"], asked["data"]["author"]["name"]) == ("message.received", "sms", "Mari")
    assert (answered["type"], answered["direction"], people(answered)) == ("message.sent", "outbound", people(asked))
    assert (mailed["channel"], mailed["data"]["subject"]) == ("email", "Parcel")
    coded = base64.urlsafe_b64encode("Tere, õhtust".encode()).decode().rstrip("=")
    assert only(VCON, post(vcon(one | {"encoding": "base64url", "body": coded})))["data"]["text"] == "Tere, õhtust"


def test_holds_keys_transfers_and_calls_that_came_to_nothing_are_told() -> None:
    history = [
        {"party": 0, "time": "2026-05-06T09:31:10Z", "event": "keydown", "button": "2"},
        {"party": 1, "time": "2026-05-06T09:32:00Z", "event": "hold"},
        {"party": 1, "time": "2026-05-06T09:33:35Z", "event": "unhold"},
    ]
    moved = {"type": "transfer", "start": "2026-05-06T09:36:00Z", "transferor": 1, "transfer_target": 2}
    missed = {"type": "incomplete", "start": "2026-05-06T08:00:00Z", "parties": [0, 1], "disposition": "no-answer"}
    parties = [*PARTIES, {"name": "Repairs", "role": "agent"}]
    found = becomes(VCON, post(vcon(CALL | {"party_history": history}, moved, missed, parties=parties)))
    by_type = {one["type"]: one for one in found}
    assert by_type["call.menu_choice"]["data"]["choice"] == "2"
    assert by_type["call.held"]["data"]["seconds"] == 95
    assert by_type["call.transferred"]["data"]["to"] == {"agent": "Repairs"}
    assert found[-1]["data"]["disposition"] == "no_answer"


@pytest.mark.parametrize(
    "body",
    [
        [{"party": 1, "text": "Hello"}, {"party": 0, "text": "My parcel"}],
        json.dumps([{"speaker": "Agent", "message": "Hello"}, {"speaker": "Customer", "message": "My parcel"}]),
        {
            "segments": [
                {"speaker": "Kadri", "text": "Hello", "start": 1},
                {"speaker": "Mari", "text": "Parcel", "start": 3},
            ]
        },
    ],
)
def test_a_transcript_becomes_turns_in_their_order(body: Any) -> None:
    analysis = [{"type": "transcript", "dialog": 0, "vendor": "v", "body": body}]
    turns = [one for one in becomes(VCON, post(vcon(CALL, analysis=analysis))) if one["type"] == "call.turn"]
    assert [one["data"]["speaker"] for one in turns] == ["agent", "customer"]
    assert [one["direction"] for one in turns] == ["outbound", "inbound"]
    assert datetime.fromisoformat(turns[0]["time"]) < datetime.fromisoformat(turns[1]["time"])


def test_a_transcript_that_does_not_say_who_spoke_is_nobodys_words() -> None:
    for body in ("Hello. My parcel is late.", [{"party": 0, "text": "Hello."}, {"party": 0, "text": "My parcel"}]):
        analysis = [{"type": "transcript", "dialog": 0, "vendor": "v", "body": body}]
        said = becomes(VCON, post(vcon(CALL, analysis=analysis)))[-1]
        assert (said["type"], said["direction"]) == ("call.transcribed", "internal")


def test_a_summary_is_a_note() -> None:
    found = becomes(VCON, post(vcon(CALL, analysis=[{"type": "summary", "vendor": "v", "body": "A late parcel"}])))
    assert (found[-1]["type"], found[-1]["data"]["text"]) == ("note.written", "A late parcel")


def test_an_amended_vcon_tells_the_same_events_again() -> None:
    first, again = vcon(CALL), vcon(CALL, uuid="0195544a-0000-8ee4-b9a2-279e0d16bc46", amended={"uuid": vcon()["uuid"]})
    assert [one["id"] for one in becomes(VCON, post(again))] == [one["id"] for one in becomes(VCON, post(first))]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"unprotected": {}, "recipients": [{}], "iv": "x", "ciphertext": "x", "tag": "x"}, "encrypted"),
        ({"payload": "!!", "signatures": [{}]}, "not_json"),
        ({"payload": "W10", "signatures": [{}]}, "not_an_object"),
        ("a.b.c", "bad_encoding"),
        ([], "not_an_object"),
        (vcon(uuid=5), None),
        (vcon({"type": "text", "start": "x", "body": {}}, created_at=None), "no_time"),
        (vcon({"type": "text", "body": {}}), "no_text"),
        (vcon({"type": "recording", "parties": [[None, True, -1, 99], "x"]}, parties={"x": 1}), "no_such_party"),
        (vcon({"type": "recording", "parties": [[None, True], "x"], "duration": -5}, parties={"x": 1}), None),
        (vcon(5, None, {"type": ["x"]}, parties=[5, None], analysis=[5, {"body": [[[]]], "dialog": "x"}]), None),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_reason(body: Any, why: str | None) -> None:
    refused = [one["refused"] for one in becomes(VCON, post(body)) if "refused" in one]
    assert refused == ([why] if why else [])


def certificate(key: Any) -> str:
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pbx")]), datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(1))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_signed_vcon_is_taken_in_each_form_and_from_either_signer() -> None:
    rsa_key, ec_key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    raw, pems = json.dumps(vcon(CALL)).encode(), (certificate(rsa_key), certificate(ec_key))
    for key, algorithm, pem in ((rsa_key, "RS256", pems[0]), (ec_key, "ES256", pems[1])):
        compact = jwt.PyJWS().encode(raw, key, algorithm=algorithm)
        protected, payload, signature = compact.split(".")
        flat = {"payload": payload, "protected": protected, "signature": signature}
        general = {"payload": payload, "signatures": [{"header": {}, "protected": protected, "signature": signature}]}
        for form in (compact, flat, general):
            assert len(becomes(VCON, post(form))) == 3
            assert refusal(VCON, post(form), *pems) is None
            assert refusal(VCON, post(form), pem) is None
            other = next(one for one in pems if one != pem)
            assert refusal(VCON, post(form), other) == "signature_wrong"
        altered = base64.urlsafe_b64encode(raw.replace(b"361", b"362")).decode().rstrip("=")
        assert refusal(VCON, post(general | {"payload": altered}), pem) == "signature_wrong"


def test_an_unsigned_vcon_needs_the_token_where_the_source_has_a_secret() -> None:
    pem = certificate(ec.generate_private_key(ec.SECP256R1()))
    assert refusal(VCON, post(vcon(CALL)), pem) == "signature_missing"
    assert refusal(VCON, post(vcon(CALL)), "token") == "key_wrong"
    assert refusal(VCON, post(vcon(CALL), x_conserver_api_token="token"), "token") is None
    assert refusal(VCON, post(vcon(CALL), x_conserver_api_token="token"), pem, "token") is None
    assert refusal(VCON, post(vcon(CALL), x_conserver_api_token="wrong"), pem, "token") == "signature_missing"


def test_at_the_servers_own_address_the_key_finds_the_source_and_the_signature_proves(
    engine: sa.Engine, database_url: str, log: MemoryLog
) -> None:
    key, forger = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    with engine.begin() as conn:
        access.add_source(conn, "pbx", "vcon", "its key")
        access.set_secrets(conn, "pbx", [certificate(key)])
    body = json.dumps(vcon(CALL)).encode()
    signed, forged = (jwt.PyJWS().encode(body, one, algorithm="ES256") for one in (key, forger))
    with TestClient(create_app(Settings(append_timeout=2), database_url, log)) as client:
        codes = [
            client.post("/vcon", content=said, headers={"x-conserver-api-token": token}).status_code
            for said, token in ((signed, "its key"), (forged, "its key"), (body, "its key"), (signed, "another"))
        ]
    assert codes == [200, 401, 401, 401]
    assert len(log.events) == 3


def test_a_key_that_all_know_signs_nothing() -> None:
    pem = certificate(ec.generate_private_key(ec.SECP256R1()))
    forged = [jwt.PyJWS().encode(b"{}", None, algorithm="none")]
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').decode().rstrip("=")
    forged.append(f"{head}.e30.AAAA")
    assert {refusal(VCON, post(one), pem) for one in forged} == {"signature_wrong"}


def test_every_sample_becomes_events_or_says_why_not(shared: Path) -> None:
    folder = shared / "fixtures/phone/vcon"
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    found = {file.name: becomes(VCON, post(file.read_bytes())) for file in files}
    refused = {name for name, events in found.items() if any("refused" in one for one in events)}
    assert refused == {
        "ietf_ab.vcon", "empty_vcon.json", "missing_uuid_and_vcon_version.json", "bad_dialog_types.json",
    }  # fmt: skip
    assert all(found.values())
