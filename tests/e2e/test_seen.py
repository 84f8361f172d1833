"""What a running product says of itself, in log lines and metrics, holds nothing of customers, whatever goes wrong."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import requests

from services.database import engine
from services.eventlog import Draft
from services.eventlog.postgres import PostgresAppender
from tests.brokers import free_port
from tests.builders import document
from tests.e2e import stacks
from tests.e2e.stacks import Stack, wait_for

NAME, MAIL, PHONE, TEXT = "Leelo Kuusemets", "leelo.kuusemets@example.ee", "+37255598761", "Mu kapp on hapukapsas"
PRIVATE = ("Kuusemets", "leelo", "55598761", "hapukapsas")


def told(number: int, **changes: Any) -> dict[str, Any]:
    """One of her events."""
    known = [{"type": "email", "value": MAIL}, {"type": "phone", "value": PHONE}]
    data = {"identifiers": known, "text": f"{TEXT}, {number}", "author": {"name": NAME, "role": "customer"}}
    return document(id=f"hers-{number}", **{"data": data} | changes)


def post_what_is_good_and_bad(stack: Stack, key: str) -> None:
    bad = [
        told(1000, time=TEXT),
        told(1001, type=17),
        told(1002, data={"identifiers": [{"type": MAIL, "value": [PHONE]}], "text": [TEXT]}),
        told(1003, channel=NAME),
    ]
    for batch in ([told(number) for number in range(200)], bad, [told(1, subject=TEXT)]):
        requests.post(f"{stack.ingest}/v1/events", json=batch, auth=(key, ""), timeout=20)
    for body in (f"{{{TEXT}", f'{{"id": "{MAIL}"'.encode() + b"\xff"):
        requests.post(f"{stack.ingest}/v1/events", data=body, auth=(key, ""), timeout=20)


def ask_what_is_good_and_bad(stack: Stack, key: str) -> None:
    mail, name = quote(f"email:{MAIL}"), quote(NAME)
    for path in (
        f"/v1/brief?identifier={mail}",
        f"/v1/brief?identifier={mail}%00",
        f"/v1/search?q={name}",
        f"/v1/search?q={name}%00",
        f"/v1/customers/{name}",
        f"/{name}/{mail}",
    ):
        requests.get(stack.api + path, auth=(key, ""), timeout=20)
        requests.get(stack.api + path, timeout=20)


def poison_the_log(url: str) -> None:
    store = engine(url)
    appender = PostgresAppender(store)
    records = [f'{{"id": "{MAIL}", "text": "{TEXT}"'.encode(), TEXT.encode() + b"\xff", json.dumps(told(1)).encode()]
    appender.append([Draft(MAIL, record) for record in records])
    appender.close()
    store.dispose()


def break_the_database(url: str) -> None:
    """Nobody named so can be stored any more, and every connection is lost."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("ALTER TABLE names ADD CONSTRAINT no_new CHECK (seen_at < '2000-01-01') NOT VALID")
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE usename = current_user AND pid <> pg_backend_pid()"
        )


def count(url: str, query: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute(query).fetchone()  # type: ignore[arg-type]
        assert row
        return int(row[0])


def test_no_log_line_and_no_metric_holds_what_customers_said_or_who_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("TELLONCE_LOG_LEVEL", "info")
    monkeypatch.setenv("TELLONCE_TIMELINE_PORT", str(port))
    written = tmp_path / "up.log"
    with stacks.embedded(tmp_path) as stack:
        url = (tmp_path / "data/url").read_text()
        source, reader = (
            stack.tellonce("sources", "add", "shop"),
            stack.tellonce("keys", "add", "mari", "--role", "agent"),
        )
        post_what_is_good_and_bad(stack, source)
        poison_the_log(url)
        wait_for(lambda: count(url, "SELECT count(*) FROM events") >= 200, "her events on her timeline")
        wait_for(lambda: count(url, "SELECT count(*) FROM dead_letters") >= 2, "the poison set aside")
        ask_what_is_good_and_bad(stack, reader)
        metrics = [requests.get(f"{at}/metrics", timeout=20).text for at in (stack.api, stack.ingest)]
        metrics.append(requests.get(f"http://127.0.0.1:{port}/metrics", timeout=20).text)
        status = stack.tellonce("status")
        break_the_database(url)
        stacks.ready(stack.api, stack.ingest)
        late = [told(number, data={"identifiers": [], "author": {"name": NAME}}) for number in range(2000, 2003)]
        late += [told(number, time="2026-05-05T09:00:00Z") for number in range(2003, 2006)]
        requests.post(f"{stack.ingest}/v1/events", json=late, auth=(source, ""), timeout=20)
        unstorable = "SELECT count(*) FROM dead_letters WHERE reason = 'unstorable'"
        wait_for(lambda: count(url, unstorable) >= 1, "a failing row set aside")
        ask_what_is_good_and_bad(stack, reader)
    logs = {one.name: one.read_text(errors="replace") for one in (written, tmp_path / "data/postgres.log")}
    actions = {json.loads(line)["event"] for line in logs["up.log"].splitlines() if line.startswith("{")}
    assert {"record_set_aside", "partition_claimed"} <= actions
    assert "no_new" in logs["postgres.log"], "the failing row is there, without its values"
    everything = {**logs, "metrics": "".join(metrics), "status": status}
    for where, words in everything.items():
        assert not [(where, one) for one in PRIVATE if one.lower() in words.lower()]
