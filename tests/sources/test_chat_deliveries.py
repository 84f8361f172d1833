"""Chat systems at their sources' addresses: the handshake, the proof, exactly 200, a replay that changes nothing."""

import time
from collections.abc import Iterator

import orjson
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from services import access
from services.ingest.app import create_app
from services.settings import Settings
from tests.fakes import MemoryLog
from tests.sources import test_meta, test_slack, test_sunshine
from tests.sources.test_signatures import meta, slack

MESSAGE = orjson.dumps(test_meta.whatsapp(messages=[test_meta.SAID]))
ASKED = "/v1/sources/meta?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="


@pytest.fixture
def client(engine: sa.Engine, database_url: str, log: MemoryLog) -> Iterator[TestClient]:
    with engine.begin() as conn:
        for kind in ("meta", "slack", "sunshine"):
            access.add_source(conn, kind, kind, f"key of {kind}")
            access.set_secrets(conn, kind, ["s3cret"])
    with TestClient(create_app(Settings(append_timeout=2), database_url, log)) as client:
        yield client


def test_metas_challenge_is_given_to_who_knows_the_token_alone(client: TestClient) -> None:
    answer = client.get(ASKED + "key of meta")
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert client.get(ASKED + "guessed").status_code == 401


def test_a_message_is_accepted_and_its_replay_has_the_same_id(client: TestClient, log: MemoryLog) -> None:
    for _ in range(2):
        answer = client.post("/v1/sources/meta", content=MESSAGE, headers=meta(MESSAGE, "s3cret", 0))
        assert answer.status_code == 200
    assert {event.id for event in log.events} == {"wamid.1"}
    assert client.post("/v1/sources/meta", content=MESSAGE, headers=meta(MESSAGE, "guessed", 0)).status_code == 401


def test_slacks_challenge_is_given_back_once_it_is_proven(client: TestClient) -> None:
    asked = orjson.dumps({"type": "url_verification", "challenge": "3eZbrw1a"})
    answer = client.post("/v1/sources/slack", content=asked, headers=slack(asked, "s3cret", time.time()))
    assert (answer.status_code, answer.text) == (200, "3eZbrw1a")
    assert client.post("/v1/sources/slack", content=asked).status_code == 401
    said = orjson.dumps(test_slack.called_back(test_slack.SAID))
    again = slack(said, "s3cret", time.time()) | {"X-Slack-Retry-Num": "1"}
    assert client.post("/v1/sources/slack", content=said, headers=again).status_code == 200


def test_sunshine_is_known_by_the_secret_that_it_sends_along(client: TestClient, log: MemoryLog) -> None:
    body = orjson.dumps(test_sunshine.happened("conversation:message", message=test_sunshine.SAID))
    assert client.post("/v1/sources/sunshine", content=body, headers={"X-API-Key": "s3cret"}).status_code == 200
    assert client.post("/v1/sources/sunshine", content=body, headers={"X-API-Key": "guessed"}).status_code == 401
    assert [event.id for event in log.events] == ["m1"]
