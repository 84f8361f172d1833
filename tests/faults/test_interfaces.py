"""Whatever is sent to any address of either service, by its OpenAPI or beside it: an answer, never a server error."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from itertools import islice
from random import Random
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.e2e.stacks import open_folder, wait_for
from tests.faults.crowd import documents
from tests.faults.stand import LONG, SEED, Stand

if os.environ.get("CI") != "true":
    pytest.importorskip("schemathesis", reason="`make test` installs it")
import schemathesis
from schemathesis import Case, GenerationMode

CASES = 5000 if LONG else 500  # of each service and key
CUSTOMERS = 400  # events of a crowd of them
ENDS = ["0001-01-01", "9999-12-31"]  # of calendars
EXAMPLES = [json.loads(file.read_text("utf-8")) for file in (resources.files("schemas") / "examples").iterdir()]

by_chance = settings(
    max_examples=CASES, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30)
    | st.sampled_from(["", "\0", "\ud800", "2026-05-04T09:00:00Z", "9999-12-31T23:59:59-14:00", "1e400", "x" * 600]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


class Interface:
    """A service with a key to it, its OpenAPI, and the ids of real customers."""

    def __init__(self, address: str, key: str, ids: list[str]) -> None:
        self.address, self.ids, self.statuses = address, ids, Counter[str]()
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {key}"
        schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
        self.cases = st.one_of(
            operation.ok().as_strategy(mode) for operation in schema.get_all_operations() for mode in GenerationMode
        )

    def ask(self, case: Case) -> None:
        """Send a case. Fails where the answer is a server error."""
        words = case.as_transport_kwargs(base_url=self.address)
        words["headers"] = {name: value for name, value in words["headers"].items() if name.lower() != "authorization"}
        self.send(**words)

    def send(self, **words: Any) -> None:
        """Send a request. Fails where the answer is a server error, or JSON that can't be read; a stream is left when
        it has begun."""
        try:
            answer = self._session.request(**words, timeout=30, stream=True, allow_redirects=False)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
            return  # not to be had from this client
        with answer:
            self.statuses[f"{words['method']} {answer.status_code}"] += 1
            assert answer.status_code < 500, (words, answer.text)
            kind = answer.headers["content-type"]
            if kind.startswith("application/json") and words["method"] != "HEAD":
                answer.json()
            elif not kind.startswith("text/event-stream"):
                assert len(answer.content) == int(answer.headers.get("content-length", len(answer.content)))


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    """A deployment with customers."""
    with open_folder() as folder, Stand(folder, workers=1) as one:
        key, crowd = one.key(), [document for document, _ in islice(documents(Random(SEED)), CUSTOMERS)]
        posted = requests.post(f"{one.ingest}/v1/events", json=crowd, auth=(key, ""), timeout=30)
        assert posted.ok, posted.text
        wait_for(lambda: one.status()["events"] >= posted.json()["accepted"], "a crowd of customers")
        yield one


@pytest.fixture(scope="module")
def ids(stand: Stand) -> list[str]:
    """Of customers, from before any merge; all of them resolve."""
    engine = stand.engine()
    with engine.connect() as conn:
        found = [str(id) for id in conn.exec_driver_sql("SELECT id FROM identifiers ORDER BY id").scalars()]
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def ingest(stand: Stand) -> Interface:
    """With a source's key."""
    return Interface(stand.ingest, stand.key("fuzzer"), [])


@pytest.fixture(scope="module", params=["agent", "admin"])
def api(stand: Stand, ids: list[str], request: pytest.FixtureRequest) -> Interface:
    """With an agent's key, and with an admin's, who may read figures too."""
    key = stand.tellonce("keys", "add", f"fuzzer-{request.param}", "--role", request.param)
    return Interface(stand.api, key, ids)


def test_ingest_has_an_answer_to_everything(ingest: Interface) -> None:
    @seed(SEED)
    @by_chance
    @given(st.data())
    def cases(data: st.DataObject) -> None:
        ingest.ask(data.draw(ingest.cases))

    cases()
    _report(ingest)


def test_ingest_has_an_answer_to_events_with_something_else_in_any_place(ingest: Interface) -> None:
    @seed(SEED)
    @by_chance
    @given(st.data())
    def cases(data: st.DataObject) -> None:
        event = json.loads(json.dumps(data.draw(st.sampled_from(EXAMPLES))))
        _change(data, event)
        body = json.dumps([event] * data.draw(st.integers(1, 2))).encode()
        ingest.send(method="POST", url=f"{ingest.address}/v1/events", data=body)

    cases()
    _report(ingest)


def test_the_api_has_an_answer_to_everything_about_customers_there_are(api: Interface) -> None:
    @seed(SEED)
    @by_chance
    @given(st.data())
    def cases(data: st.DataObject) -> None:
        case, id = data.draw(api.cases), st.sampled_from(api.ids)
        if "id" in (case.path_parameters or {}) and data.draw(st.booleans()):
            case.path_parameters["id"] = data.draw(id)
        if isinstance(case.body, dict) and data.draw(st.booleans()):
            if "with" in case.body:
                case.body["with"] = data.draw(id)
            if "identifiers" in case.body:
                case.body["identifiers"] = [{"id": data.draw(id)}]
        if "figures" in case.path and data.draw(st.booleans()):
            case.query = (case.query or {}) | dict.fromkeys(("from", "to"), data.draw(st.sampled_from(ENDS)))
        api.ask(case)

    cases()
    assert api.statuses["GET 200"], "nothing was asked that there is"
    _report(api)


def test_what_odd_events_left_can_be_read(stand: Stand, api: Interface) -> None:
    wait_for(lambda: sum(stand.status()["lag"].values()) == 0, "the worker")
    engine = stand.engine()
    with engine.connect() as conn:
        query = """SELECT DISTINCT customer_id FROM events e JOIN identifiers i ON i.id = e.identifier_id
                   WHERE e.source LIKE 'fuzzer%%' ORDER BY 1 LIMIT %s"""
        found = conn.exec_driver_sql(query, (CASES // 20,)).scalars().all()
    engine.dispose()
    for id in found:
        for path in ("", "/timeline?limit=100", "/timeline?view=flat&limit=100", "/identity", "/vcon"):
            api.send(method="GET", url=f"{api.address}/v1/customers/{id}{path}")
        api.send(method="GET", url=f"{api.address}/v1/brief?customer={id}")
        api.send(method="GET", url=f"{api.address}/customers/{id}")
    _report(api)


def _change(data: st.DataObject, node: Any) -> None:
    """Put something else in a place of an event, or add it."""
    while isinstance(node, dict | list) and node:
        place = data.draw(st.sampled_from(list(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[place], dict | list) or not node[place] or data.draw(st.booleans()):
            node[place] = data.draw(JSON)
            return
        node = node[place]


def _report(one: Interface) -> None:
    print(f"{sum(one.statuses.values())} cases: {dict(sorted(one.statuses.items()))}")
    one.statuses.clear()
