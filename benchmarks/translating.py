"""What it costs to translate what vendors post: processor time for an ordinary payload of each."""

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from time import process_time_ns
from typing import Any

import orjson

from benchmarks.figures import Figure, Line, Reading, Run, in_rounds
from benchmarks.references import percentiles
from schemas.codec import Malformed, from_wire
from services.ingest.sources import vendors
from services.ingest.sources.vendor import Post, Vendor
from tests.sources.samples import SAMPLES, posts


def translations(run: Run) -> Iterator[Line]:
    """From the inflated body to events as they are stored; beside it the same events, posted in our own form."""
    for name in sorted(SAMPLES):
        vendor = vendors()[name]
        samples = [post for post in posts(name) if _documents(vendor, post)]
        own = [orjson.dumps(_documents(vendor, post)) for post in samples]
        beside = {"the same events in our own form": partial(_timed, run, own, partial(_read, samples[0]))}
        yield in_rounds(run, f"translate {name}", partial(_timed, run, samples, partial(_translate, vendor)), beside)


def _documents(vendor: Vendor, post: Post) -> list[Any]:
    """None of those samples that are there to be refused."""
    try:
        return [one for one in vendor.documents(post, 32) if not isinstance(one, Malformed)]
    except Malformed:
        return []


def _translate(vendor: Vendor, post: Post) -> int:
    known = {one.name: getattr(post, one.name) for one in fields(post)}
    return _events(vendor.documents(Post(**known), 32), post)  # anew, for a post remembers what was read of it


def _read(post: Post, body: bytes) -> int:
    return _events(orjson.loads(body), post)


def _events(documents: Any, post: Post) -> int:
    read = [from_wire(one, source="bench", received_at=post.received_at) for one in documents if isinstance(one, dict)]
    return len(read)


def _timed(run: Run, payloads: list[Any], work: Callable[[Any], int]) -> Reading:
    """Payload by payload, in turns."""
    times, events = [], 0
    for _ in range(run.scale.requests):
        for payload in payloads:
            began = process_time_ns()
            events += work(payload)
            times.append((process_time_ns() - began) / 1e6)
    return percentiles(times) | {"events/payload": events / len(times)}


FIGURES = (Figure("translate", "a payload of each vendor into events", translations, ("postgres",)),)
