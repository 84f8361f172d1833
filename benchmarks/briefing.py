"""How fast a brief is told by any identifier, while events go on coming."""

import json
from collections.abc import Iterator
from random import Random
from time import monotonic, sleep
from urllib.parse import urlencode

import sqlalchemy as sa

from benchmarks import references
from benchmarks.asking import Asking
from benchmarks.figures import Figure, Line, Reading, Run, in_rounds
from benchmarks.references import percentiles
from benchmarks.stands import Stand
from tests.e2e import stacks

EVERY = 0.01  # seconds between questions
# Busy customers are asked for more often, as they come more often.
KNOWN = """
    SELECT i.type || ':' || i.value FROM (SELECT identifier_id FROM events ORDER BY random() LIMIT 2000) e
    JOIN identifiers i ON i.id = e.identifier_id"""


def briefs(run: Run) -> Iterator[Line]:
    """Over HTTP, by identifiers of customers that have called before."""
    rate = run.scale.background
    with Stand(run) as stand, stand.running("ingest", "timeline", "api"):
        run.say("customers get a history")
        filled = stand.fill(run.scale.events)
        stacks.wait_for(lambda: filled.now() >= filled.accepted, "all that is accepted", 300)
        with stand.engine.connect() as conn:
            known = list(conn.scalars(sa.text(KNOWN)))
        ask = Asking(stand.address("api"), stand.tellonce("keys", "add", "desk", "--role", "agent"))
        answer = json.loads(ask(_path(known[0])))
        with references.bare_application(stand) as address, stand.under(rate):
            bare = Asking(address)
            bare("/answer", answer)
            what = f"brief by any identifier, at {rate:,} events/s"
            beside = {"bare ASGI application, such an answer": lambda: _asked(run, bare, ["-:-"])}
            yield in_rounds(run, what, lambda: _asked(run, ask, known), beside)


def _path(identifier: str) -> str:
    return f"/v1/brief?{urlencode({'identifier': identifier})}"


def _asked(run: Run, ask: Asking, known: list[str]) -> Reading:
    """One question after another, at most 100 a second."""
    random, times = Random(2), []
    ends = monotonic() + run.scale.seconds
    while monotonic() < ends:
        path, began = _path(random.choice(known)), monotonic()
        ask(path)
        times.append((monotonic() - began) * 1000)
        sleep(max(EVERY - (monotonic() - began), 0))
    return percentiles(times) | {"max ms": max(times)}


FIGURES = (Figure("brief", "a brief over HTTP by any identifier, while events come", briefs),)
