"""What no system should send: once in the dead letters or on the timeline with a mark, and nothing around it waits."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

import orjson
import pytest
import requests
import sqlalchemy as sa

from schemas.codec import encode
from services.eventlog import Appender, Draft
from services.eventlog.opening import open_appender
from services.settings import Settings
from tests.builders import event
from tests.e2e.stacks import open_folder, wait_for
from tests.faults.load import Load
from tests.faults.stand import LONG, SEED, Log, Stand
from tests.faults.truth import settled

MOST_DELAY = 1.0  # seconds that poison may keep its neighbours from their timelines, beyond the calm before it
CROWD = 10_000 if LONG else 3_000  # identifiers seen with one account
KEY = "email:mari@example.com"  # of the record, and so its partition
WHO = {"identifiers": [{"type": "email", "value": "mari@example.com"}]}
GOOD = {"type": "message.received", "time": "2026-05-04T09:00:00Z", "channel": "email", **WHO}
RANDOM = random.Random(SEED)
LONG = RANDOM.randbytes(4000).hex()  # more than an index takes, however it is compressed


@dataclass
class Kitchen:
    """A deployment under light load, into whose log anything can be put."""

    stand: Stand
    appender: Appender
    engine: sa.Engine
    keys: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def put(self, *values: bytes) -> float:
        """Put values straight in the log between two good events, in one partition.

        The seconds until both are on the timeline.
        """
        first, last = (f"neighbour{next(self.numbers)}" for _ in range(2))
        good = [encode(event(id=id, source="neighbours")) for id in (first, last)]
        self.appender.append([Draft(KEY, value) for value in (good[0], *values, good[1])])
        return self.waited_for("neighbours", [first, last])

    def was_prompt(self, delay: float, calm: float) -> None:
        """Fail if neighbours of poison waited for longer than without it, before and now."""
        if delay > calm + MOST_DELAY:
            calm = max(calm, *(self.put() for _ in range(3)))
        assert delay < calm + MOST_DELAY, f"{delay:.2f} s instead of {calm:.2f} s"

    def post(self, *documents: dict[str, Any], path: str = "/v1/events") -> tuple[float, list[dict[str, Any]]]:
        """Post documents between two good ones: the seconds until those are on the timeline, and the verdicts."""
        first, last = ({**GOOD, "id": f"posted{next(self.numbers)}"} for _ in range(2))
        body = json.dumps([first, *documents, last])
        answer = requests.post(self.stand.ingest + path, body, auth=(self.keys["kitchen"], ""), timeout=30)
        assert answer.status_code == 200, answer.text
        return self.waited_for("kitchen", [first["id"], last["id"]]), answer.json()["results"][1:-1]

    def waited_for(self, source: str, ids: Sequence[str]) -> float:
        """The seconds until events are on the timeline."""
        began = monotonic()
        query = "SELECT count(*) FROM events WHERE source = %s AND event_id = ANY(%s)"
        wait_for(lambda: self.rows(query, source, list(ids)) == [(len(ids),)], f"{ids}")
        return monotonic() - began

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What the store says."""
        with self.engine.connect() as conn:
            return [tuple(row) for row in conn.exec_driver_sql(query, values)]

    def dead(self, value: bytes) -> list[str]:
        """The reasons for which a record was set aside."""
        return [reason for (reason,) in self.rows("SELECT reason FROM dead_letters WHERE record = %s", value)]

    def timeline(self, id: str) -> dict[str, Any]:
        """The one event of this id as the API shows it on its customer's timeline; the page is readable too."""
        query = "SELECT i.customer_id FROM events e JOIN identifiers i ON i.id = e.identifier_id WHERE e.event_id = %s"
        [(customer,)] = self.rows(query, id)
        address = f"{self.stand.api}/v1/customers/{customer}"
        found, asked = dict[str, Any](), {"view": "flat", "limit": "100"}
        while id not in found:
            page = self.get(f"{address}/timeline", **asked).json()
            found |= {one["event"]["id"]: one for one in page["items"]}
            if not page["next"]:
                break
            asked["cursor"] = page["next"]
        for path in (f"{address}/timeline", address, f"{address}/identity", f"{self.stand.api}/customers/{customer}"):
            self.get(path)
        self.get(f"{self.stand.api}/v1/brief", customer=str(customer))
        return dict(found[id])

    def get(self, address: str, **asked: str) -> requests.Response:
        """Ask the API; the answer must be good."""
        answer = requests.get(address, asked, headers={"X-API-Key": self.keys["desk"]}, timeout=30)
        assert answer.status_code == 200, (address, answer.text)
        return answer


@pytest.fixture(scope="module", params=["postgres", "kafka"])
def kitchen(request: pytest.FixtureRequest) -> Iterator[Kitchen]:
    """Each of the logs in turn; in the end all that the load had accepted is on its timelines."""
    kind: Log = request.param
    with open_folder() as folder, Stand(folder, kind) as stand:
        settings, engine = Settings(log=stand.log, append_timeout=10), stand.engine()
        keys = {"kitchen": stand.key("kitchen"), "desk": stand.tellonce("keys", "add", "desk", "--role", "agent")}
        with closing(open_appender(settings, stand.database)) as appender:
            with Load(stand.ingest, stand.key(), SEED, rate=30, posters=2) as load:
                yield Kitchen(stand, appender, engine, keys)
            settled(stand, load.ledger)
        engine.dispose()


@pytest.fixture
def calm(kitchen: Kitchen) -> float:
    """The seconds that a good event takes to its timeline, on this machine now."""
    return max(kitchen.put() for _ in range(3))


def _wide(number: int) -> list[dict[str, str]]:
    return [{"type": "device", "value": f"d{one}"} for one in range(number)]


def _line(**fields: Any) -> bytes:
    whole = {"specversion": "1.0", "source": "kitchen", "channel": "web", "direction": "inbound", **GOOD, **fields}
    return orjson.dumps({"id": f"line{RANDOM.random()}", **whole})


OWN = {"source": "tellonce", "identifiers": []}
SET_ASIDE = {
    "bytes that are no text": (b"\xff\xfe\x00\x01" * 10, "not_json"),
    "nothing at all": (b"", "not_json"),
    "an event that breaks off": (_line()[:-9], "not_json"),
    "half a surrogate pair": (_line().replace(b"mari", b"\\ud800"), "not_json"),
    "a list": (b"[1, 2]", "not_an_event"),
    "a megabyte of brackets": (b"[" * 1_000_000, "not_json"),
    "a specversion from the future": (_line(specversion="2.0"), "unknown_version"),
    "ten thousand identifiers": (_line(identifiers=_wide(10_000)), "not_an_event"),
    "a merge of nobody": (_line(type="customer.merged", data={"left": 1, "right": None}, **OWN), "not_an_event"),
    "a note about a value too long for an index": (
        _line(type="note.written", data={"about": {"type": "phone", "scope": "", "value": LONG}}, **OWN), "unstorable",
    ),
    "a note about a number": (
        _line(type="note.from.the.future", data={"about": {"type": 1, "scope": [], "value": {}}}, **OWN), "unstorable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SET_ASIDE)
def test_what_can_not_be_read_is_set_aside_once_and_delays_nobody(what: str, kitchen: Kitchen, calm: float) -> None:
    value, reason = SET_ASIDE[what]
    delay = kitchen.put(value)
    assert kitchen.dead(value) == [reason]
    kitchen.was_prompt(delay, calm)


@pytest.mark.parametrize(
    "odd",
    [
        {
            "type": "from.the.future",
            "data": {"author": "John", "references": [1, {}], "identifiers": {}, "text": [2]},
            "identifiers": None,
        },
        {"type": "call.menu_choice", "channel": "phone", "data": {"path": ["a"], "reason": "b", "more": {"x": None}}},
        {"time": "9999-12-31T23:59:59.999999Z", "channel": "web", "type": "page.viewed"},
        {"time": "0001-01-01T00:00:00Z", "channel": "web", "type": "page.viewed"},
        {"data": {"text": "a\0b", "\0": {"\0": "\0"}}},
        {"data": {"number": 1e308, "small": 5e-324, "long": 2**63, "deep": [[[[[[[[{}]]]]]]]]}},
        {"identifiers": [{"type": "device", "value": "\U0001f4a9" * 512}], "id": "字" * 512},
        {"identifiers": [{"type": "phone", "value": "0" * 512}, {"type": "email", "value": "@" * 512}]},
        {"type": "customer.identified", "data": {"traits": {"name": LONG}}},
        {"type": "call.started", "channel": "phone", "data": {"queue": LONG, "agent": LONG, "team": LONG}},
        {"text": "x" * 950_000},
    ],
    ids=lambda odd: str(odd)[:40],
)
def test_what_is_only_odd_is_on_the_timeline(odd: dict[str, Any], kitchen: Kitchen, calm: float) -> None:
    fields = {"id": f"odd{next(kitchen.numbers)}", **odd}
    value = _line(**{"identifiers": [{"type": "device", "value": "odd"}], **fields})
    delay = kitchen.put(value)
    assert kitchen.dead(value) == []
    assert kitchen.timeline(fields["id"])
    kitchen.was_prompt(delay, calm)


def test_a_type_that_nobody_knows_is_accepted(kitchen: Kitchen, calm: float) -> None:
    delay, [verdict] = kitchen.post({**GOOD, "id": "unknown-type", "type": "com.example.v9.unheard-of"})
    assert verdict["status"] == "accepted"
    assert "unheard" in kitchen.timeline("unknown-type")["summary"].lower()
    kitchen.was_prompt(delay, calm)


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        ({"identifiers": _wide(10_000)}, "invalid_field", "at most 50 items"),
        ({"specversion": "2.0"}, "unsupported_specversion", 'write "1.0"'),
    ],
)
def test_what_can_not_be_kept_is_refused_clearly(
    bad: dict[str, Any], code: str, words: str, kitchen: Kitchen, calm: float
) -> None:
    delay, [verdict] = kitchen.post({**GOOD, "id": "refused", **bad})
    assert (verdict["status"], verdict["code"]) == ("refused", code)
    assert words in verdict["message"]
    assert kitchen.rows("SELECT count(*) FROM events WHERE event_id = 'refused'") == [(0,)]
    kitchen.was_prompt(delay, calm)


def test_an_event_of_900_kilobytes_is_on_the_timeline(kitchen: Kitchen, calm: float) -> None:
    delay, [verdict] = kitchen.post({**GOOD, "id": "large", "text": "Where is it? " * 69_000})
    assert verdict["status"] == "accepted"
    assert len(kitchen.timeline("large")["event"]["data"]["text"]) == 13 * 69_000
    kitchen.was_prompt(delay, calm)


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
def test_characters_that_no_store_can_hold_are_replaced_and_marked(letter: str, kitchen: Kitchen, calm: float) -> None:
    id = f"letter{ord(letter)}"
    delay, [verdict] = kitchen.post({**GOOD, "id": id, "text": f"a{letter}b"})
    assert verdict["status"] == "accepted"
    item = kitchen.timeline(id)
    assert (item["event"]["data"]["text"], item["event"]["sanitised"]) == ("a\ufffdb", True)
    assert item["marks"] == ["some characters could not be kept"]
    kitchen.was_prompt(delay, calm)


@pytest.mark.parametrize("time", ["1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("channel", ["web", "email"])
def test_an_event_with_a_wrong_clock_counts_as_of_now_and_is_marked(
    time: str, channel: str, kitchen: Kitchen, calm: float
) -> None:
    id = f"clock{time[:4]}{channel}"
    delay, [verdict] = kitchen.post({**GOOD, "id": id, "time": time, "channel": channel})
    if time.startswith("9999"):
        assert verdict["code"] == "invalid_time"  # in UTC it is the year 10000
        return
    assert verdict["status"] == "accepted"
    item = kitchen.timeline(id)
    assert item["event"]["time"] == item["event"]["recordedtime"]
    assert item["event"]["statedtime"].startswith(time[:10])
    assert item["marks"] == [f"its clock said {time[:10]}"]
    kitchen.was_prompt(delay, calm)


def test_the_same_id_with_other_content_is_kept_and_seen(kitchen: Kitchen, calm: float) -> None:
    kitchen.post({**GOOD, "id": "twice", "text": "My parcel is lost."})
    before = kitchen.stand.status()["conflicts"]
    for text in ("My parcel is here.", "My parcel is late.", "My parcel is late."):
        delay, [verdict] = kitchen.post({**GOOD, "id": "twice", "text": text})
        assert verdict["status"] in ("accepted", "duplicate")
        kitchen.was_prompt(delay, calm)
    item = kitchen.timeline("twice")
    assert item["event"]["data"]["text"] == "My parcel is lost."
    assert item["marks"] == ["came again with other content (2 times)"]
    assert kitchen.stand.status()["conflicts"] == before + 2


def test_an_account_with_thousands_of_identifiers_delays_nobody(kitchen: Kitchen, calm: float) -> None:
    account = {"type": "account", "value": "crowd"}
    seen = [
        encode(event(source="neighbours", id=f"crowd{number}", channel="web", minute=number / 100, identifiers=[
            account, {"type": "device", "value": f"crowd{number}"}
        ]))
        for number in range(CROWD)
    ]  # fmt: skip
    for start in range(0, CROWD, 500):
        kitchen.appender.append([Draft("account:crowd", value) for value in seen[start : start + 500]])
    kitchen.waited_for("neighbours", ["crowd0", f"crowd{CROWD - 1}"])
    another = {"identifiers": [account, {"type": "device", "value": f"crowd{CROWD}"}]}
    delays = [kitchen.put(_line(**another, id=f"more{number}")) for number in range(3)]
    print(f"{CROWD} identifiers: {max(delays):.2f} s instead of {calm:.2f} s")
    assert kitchen.timeline("more0")
    kitchen.was_prompt(min(delays), calm)
