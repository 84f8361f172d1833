"""What growing costs: the same questions of a store of few and of many events."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import cycle
from random import Random
from typing import Any

from benchmarks.filling import HEAVY, SEED
from benchmarks.population import START as BEGINNING
from benchmarks.population import WINDOW, window
from benchmarks.reading import Desk, percentiles
from services.api.timelines import Cursor
from services.identifiers import Rules, normalise

REQUESTS = 1_000
ROUNDS = 20  # merges of the two heavy customers, each taken back


def reads(desk: Desk, filled: int, requests: int = REQUESTS) -> Iterator[tuple[str, dict[str, float]]]:
    """Each question with what its answers took."""
    for name, ask in questions(desk, filled).items():
        percentiles(ask, 20)  # warm
        yield name, percentiles(ask, requests)


def questions(desk: Desk, filled: int) -> dict[str, Callable[[], object]]:
    """What is asked: each call by the next of many customers, or at the next of many depths."""
    known = handles(filled)
    mails = cycle(known["email"])
    whole = desk.get("/v1/brief", customer=HEAVY[0])["customer"]
    address = f"/v1/customers/{whole['id']}/timeline"
    named = cycle([f"{one['type']}:{one['value']}" for one in whole["identifiers"]])
    starts = cycle([{}])
    depths = cycle([_cursor(part / 40) for part in range(1, 40)])
    last = cycle([_cursor(0.001)])

    def page(where: Iterator[dict[str, str]], **asked: Any) -> Callable[[], object]:
        return lambda: desk.get(address, **asked, **next(where))

    def brief(type: str) -> Callable[[], object]:
        named = cycle(known[type])
        return lambda: desk.get("/v1/brief", identifier=f"{type}:{next(named)}")

    return {
        "brief by account": brief("account"),
        "brief by mail": brief("email"),
        "brief by phone": brief("phone"),
        "brief by device": brief("device"),
        "brief, heavy customer": lambda: desk.get("/v1/brief", identifier=next(named)),
        "customer, heavy": lambda: desk.get(f"/v1/customers/{whole['id']}"),
        "page, first": page(starts),
        "page, any depth": page(depths),
        "page, last": page(last),
        "flat page, any depth": page(depths, view="flat"),
        "page by channel": page(depths, channel="email"),
        "page by type": page(depths, type="purchase.made"),
        "page by words, found": page(depths, q="parcel"),
        "page by words, not found": page(starts, q="no such words"),
        "flat page by words, not found": page(starts, q="no such words", view="flat"),
        "search by start of a mail": lambda: desk.get("/v1/search", q=next(mails)[:18]),
        "search by name": lambda: desk.get("/v1/search", q="Heavy"),
    }


def merges(desk: Desk) -> Iterator[tuple[str, dict[str, float]]]:
    """Merging the two heavy customers, and taking that back."""
    one, other = (desk.get("/v1/brief", customer=name)["customer"] for name in HEAVY)
    apart = [{"id": identifier["id"]} for identifier in other["identifiers"]]
    merge = lambda: desk.post(f"/v1/customers/{one['id']}/merge", {"with": other["id"]})  # noqa: E731
    unmerge = lambda: desk.post(f"/v1/customers/{one['id']}/unmerge", {"identifiers": apart})  # noqa: E731
    taken: dict[str, list[dict[str, float]]] = {"merge": [], "unmerge": []}
    for _ in range(ROUNDS):
        taken["merge"].append(percentiles(merge, 1))
        taken["unmerge"].append(percentiles(unmerge, 1))
    for name, some in taken.items():
        times = sorted(one["max"] for one in some)
        yield name, {"p50": times[len(times) // 2], "max": times[-1]}


def handles(filled: int) -> dict[str, list[str]]:
    """Identifiers that a store of so many windows knows, by type, the busiest the most often."""
    found: dict[str, list[str]] = defaultdict(list)
    for number in range(0, filled, max(1, filled // 8)):
        for event in window(SEED, number):
            for one in event.identifiers:
                if normalise(one.type, one.value, "", Rules()):  # not the number that is all zeros
                    found[one.type].append(one.value)
    for values in found.values():
        Random(SEED).shuffle(values)
    return found


def _cursor(part: float) -> dict[str, str]:
    return {"cursor": str(Cursor((BEGINNING + 1_000 * WINDOW * part).isoformat()))}
