"""Mails that are posted to a source's address: how large they may be, and what a signature is good for."""

from collections.abc import Iterator
from time import time

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from services import access
from services.ingest.app import create_app
from services.settings import Settings
from tests.fakes import MemoryLog
from tests.sources.mailposts import KEY, MAIL, form, mailgun

OURS = {"mail_own": ["shop.example"], "mail_trusted": ["mx.shop.example"]}
SETTINGS = Settings.model_validate({"append_timeout": 2, "max_mail": 2_000_000, **OURS})


@pytest.fixture
def client(engine: sa.Engine, database_url: str, log: MemoryLog) -> Iterator[TestClient]:
    with engine.begin() as conn:
        for name in ("email", "mailgun", "chatwoot"):
            access.add_source(conn, name, name, f"key of {name}")
        access.set_secrets(conn, "mailgun", [KEY])
    with TestClient(create_app(SETTINGS, database_url, log)) as client:
        yield client


def test_a_mail_may_be_larger_than_other_posts(client: TestClient, log: MemoryLog) -> None:
    large, larger = (MAIL.encode() + b"x\r\n" * size for size in (500_000, 700_000))
    posts = {"email": large, "chatwoot": large, "email?": larger}
    answers = {
        name: client.post(f"/v1/sources/{name.strip('?')}?key=key+of+{name.strip('?')}", content=body).status_code
        for name, body in posts.items()
    }
    assert answers == {"email": 200, "chatwoot": 413, "email?": 413}
    assert [one.id for one in log.events] == ["two@example.ee"]


def test_the_settings_say_which_addresses_are_ours_and_whom_we_believe(client: TestClient, log: MemoryLog) -> None:
    said = "Authentication-Results: mx.shop.example; dkim=pass header.d=example.ee\r\n" + MAIL
    answer = MAIL.replace("<two@", "<three@").replace("Mari Maasikas <mari@example.ee>", "help@shop.example")
    for mail in (said, answer.replace("To: help@shop.example", "To: mari@example.ee")):
        assert client.post("/v1/sources/email?key=key+of+email", content=mail.encode()).status_code == 200
    first, second = log.events
    assert (first.type, first.identifiers[0].verification) == ("message.received", "verified")
    assert (second.type, second.identifiers[0].value) == ("message.sent", "mari@example.ee")


def test_a_signature_brings_its_own_mail_again_and_no_other(
    client: TestClient, database_url: str, log: MemoryLog
) -> None:
    good = mailgun(timestamp=str(int(time())))
    forged = good | {"message-headers": good["message-headers"].replace("two@", "forged@")}
    with TestClient(create_app(SETTINGS, database_url, log)) as beside:  # another process on the same port
        turns = (client, good), (beside, forged), (beside, good), (client, forged)
        posts = [(who, form(fields)) for who, fields in turns]
        answers = [who.post("/v1/sources/mailgun", content=post.raw, headers=dict(post.headers)) for who, post in posts]
    assert [answer.status_code for answer in answers] == [200, 401, 200, 401]
    assert {one.id for one in log.events} == {"two@example.ee"}


def test_what_can_not_be_read_is_dropped_by_mailgun(client: TestClient) -> None:
    post = form({name: value for name, value in mailgun(timestamp=str(int(time()))).items() if "-" not in name})
    answer = client.post("/v1/sources/mailgun", content=post.raw, headers=dict(post.headers))
    assert (answer.status_code, answer.json()["code"]) == (406, "not_a_mail")
