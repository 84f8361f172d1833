"""What growing costs: the same questions of a store of few and of many events, pages of a long history, and merges."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from benchmarks import references
from benchmarks.asking import Asking
from benchmarks.figures import Figure, Line, Reading, Run
from benchmarks.filling import HEAVY, SEED, Filled, fill
from benchmarks.population import START as BEGINNING
from benchmarks.population import WINDOW, window
from benchmarks.references import percentiles
from benchmarks.stands import Stand
from services.api.timelines import Cursor
from services.identifiers import Rules, normalise

WARM = 20  # questions of each kind before it is measured
MERGES = 20  # each taken back
BYTES = """
    SELECT relname AS name,
        pg_relation_size(c.oid) + coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0) AS size
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = 'public' AND relkind IN ('r', 'i') AND relname NOT LIKE 'bench%' ORDER BY 2 DESC"""

Ask = Callable[[], bytes]
Measured = tuple[str, Reading, dict[str, Reading]]  # what, its figures, and what is beside it


def pages(run: Run) -> Iterator[Line]:
    """Of a customer with 20 identifiers and 50,000 events, and how long merging two of them takes."""
    yield from _growing(run, (0,))


def growth(run: Run) -> Iterator[Line]:
    """The same at each size, with what an event costs to stitch and to keep."""
    yield from _growing(run, run.scale.sizes)


def _growing(run: Run, sizes: tuple[int, ...]) -> Iterator[Line]:
    """Line by line; from the second size on the first one is beside it."""
    first: dict[str, list[Reading]] = {}
    with Stand(run) as stand:
        for size in sizes:
            run.say(f"filling to {size:,} events")
            for what, own, beside in (*_filled(stand, size), *_asked(stand, size)):
                at_first = {f"at {sizes[0]:,}": first[what]} if what in first else {}
                first.setdefault(what, [own])
                name = f"{what}, at {size:,} events" if size else what
                yield Line(name, run.log, [own], {**at_first, **{name: [one] for name, one in beside.items()}})


def _filled(stand: Stand, size: int) -> Iterator[Measured]:
    """What an event costs, of the last that were stitched on the way to this size."""
    costs = list(fill(stand.engine, stand.folder, size, stand.run.scale.events))
    with stand.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")  # as PostgreSQL does by itself within a minute
    if costs:
        last = costs[-1]
        own = {"/s": 1e6 / last["wall"], "worker µs": last["worker"], "backend µs": last["backend"]}
        own["memory MB"] = last["memory"]
        yield "stitching", own, {"bare COPY into such a table": references.copied_events(stand)}
        yield "bytes of an event", kept(stand.engine), {"its canonical JSON": bare_bytes(stand.engine)}


def _asked(stand: Stand, size: int) -> Iterator[Measured]:
    """What questions take over HTTP, and a bare application that answers the same."""
    windows, times = Filled.read(stand.folder).windows, stand.run.scale.requests
    with stand.running("api"), references.bare_application(stand) as address:
        bare, ask = Asking(address), Asking(stand.address("api"), _key(stand, size))
        for name, one in questions(ask, windows).items():
            stand.run.say(name)
            bare("/answer", json.loads(one()))
            own, other = timed(one, times), timed(lambda: bare("/"), times)
            yield name, own, {"bare ASGI application, such an answer": other}
        for name, own in merges(ask, min(MERGES, times)):
            bare("/answer", {"customer": "-"})
            yield name, own, {"bare ASGI application, such an answer": timed(lambda: bare("/"), times)}


def questions(ask: Asking, windows: int) -> dict[str, Ask]:
    """Each asks about the next of many customers, or at the next of many depths."""
    found: dict[str, Ask] = {}
    for type, values in handles(windows).items():
        some = cycle(values)
        found[f"brief by {type}"] = lambda type=type, some=some: ask(_brief(f"{type}:{next(some)}"))  # type: ignore[misc]
    whole = _customer(ask, HEAVY[0])
    address = f"/v1/customers/{whole['id']}/timeline?"
    named = cycle([f"{one['type']}:{one['value']}" for one in whole["identifiers"]])
    depths = cycle([str(Cursor((BEGINNING + 1_000 * WINDOW * part / 40).isoformat())) for part in range(1, 40)])

    def page(**asked: Any) -> Ask:
        return lambda: ask(address + urlencode({**asked, "cursor": next(depths)}))

    return found | {
        "brief, long history": lambda: ask(_brief(next(named))),
        "first page": lambda: ask(address),
        "page at any depth": page(),
        "flat page at any depth": page(view="flat"),
        "page of one channel": page(channel="email"),
        "page by a type that never was": page(type="feedback.received"),
        "page by words": page(q="parcel"),
        "page by words that nobody said": page(q="no such words"),
        "flat page by words that nobody said": page(q="no such words", view="flat"),
        "search by a name": lambda: ask("/v1/search?q=heavy"),
    }


def merges(ask: Asking, times: int) -> Iterator[tuple[str, Reading]]:
    """Merging the two customers with the long histories, and taking that back."""
    one, other = (_customer(ask, name) for name in HEAVY)
    address, apart = f"/v1/customers/{one['id']}", [{"id": identifier["id"]} for identifier in other["identifiers"]]
    merged, unmerged = [], []
    for _ in range(times):
        merged.append(_taken(lambda: ask(f"{address}/merge", {"with": other["id"]})))
        unmerged.append(_taken(lambda: ask(f"{address}/unmerge", {"identifiers": apart})))
    yield "merge", _percentiles(merged[1:] or merged)  # the first one starts a worker thread
    yield "unmerge", _percentiles(unmerged[1:] or unmerged)


def handles(windows: int) -> dict[str, list[str]]:
    """Identifiers that a store of so many windows knows, by type, the busiest the most often."""
    found: dict[str, list[str]] = defaultdict(list)
    for number in range(0, windows, max(1, windows // 8)):
        for event in window(SEED, number):
            for one in event.identifiers:
                if normalise(one.type, one.value, "", Rules()):  # not the number that is all zeros
                    found[one.type].append(one.value)
    for values in found.values():
        Random(SEED).shuffle(values)
    return found


def kept(engine: sa.Engine) -> Reading:
    """Bytes an event, of each table and index that has at least one, and of all."""
    with engine.connect() as conn:
        events = conn.execute(sa.text("SELECT count(*) FROM arrivals")).scalar_one()
        sizes = {row.name: row.size / events for row in conn.execute(sa.text(BYTES))}
    return {f"{name} bytes": round(size) for name, size in sizes.items() if size >= 1} | {
        "all bytes": round(sum(sizes.values()))
    }


def bare_bytes(engine: sa.Engine) -> Reading:
    """Of some events' JSON."""
    query = "SELECT avg(octet_length(event::text)) FROM (SELECT event FROM events LIMIT 10000) some_events"
    with engine.connect() as conn:
        return {"all bytes": round(conn.exec_driver_sql(query).scalar_one())}


def timed(one: Ask, times: int) -> Reading:
    """What an answer takes once it is warm."""
    for _ in range(WARM):
        one()
    return _percentiles([_taken(one) for _ in range(times)])


def _key(stand: Stand, size: int) -> str:
    return stand.tellonce("keys", "add", f"desk-{size}", "--role", "agent")


def _customer(ask: Asking, account: str) -> Any:
    return json.loads(ask(_brief(f"account:{account}")))["customer"]


def _brief(identifier: str) -> str:
    return f"/v1/brief?{urlencode({'identifier': identifier})}"


def _taken(one: Ask) -> float:
    began = perf_counter()
    one()
    return (perf_counter() - began) * 1000


def _percentiles(times: list[float]) -> Reading:
    return percentiles(times) | {"max ms": max(times)}


LONG = "pages of a customer with 20 identifiers and 50,000 events, at any depth; merging two"
FIGURES = (
    Figure("page", LONG, pages, ("postgres",)),
    Figure("growth", "the same, briefs, stitching and bytes in stores of several sizes", growth, ("postgres",)),
)
