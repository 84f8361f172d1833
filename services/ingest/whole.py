"""Small posts of events that came whole, on the short way from the connection to the log; see `services/shortcut.py`.

What it does not take, because something is unusual, unknown or wrong, the endpoint takes, and says so where it is
(`Posts.events`); both give the same answers (tests/test_whole.py).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

from schemas.codec import Malformed
from services.access import Source, digest
from services.errors import Problem
from services.ingest import cloudevents
from services.ingest.acceptance import LONG, Judged
from services.ingest.credentials import in_request
from services.ingest.endpoints import written
from services.ingest.posts import Posts
from services.shortcut import Exchange, Headers

# What asks for more than to take what is in the body: pages of other sites, bodies that are to be inflated.
UNUSUAL = frozenset({"origin", "content-encoding"})


class Asked(NamedTuple):
    """A request without a query."""

    headers: Mapping[str, str]
    query_params: Mapping[str, str] = {}


@lru_cache(maxsize=1_000)
def _hashed(authorization: str) -> bytes | None:
    """The digest of the first key in a header: clients send the same with each request."""
    key = next(in_request(Asked({"authorization": authorization})), None)
    return digest(key) if key else None


class Whole:
    """Takes posts that came whole, and answers them when they are durable."""

    def __init__(self, route: str, posts: Posts) -> None:
        self._route = route
        self._posts = posts

    def take(self, headers: Headers, body: bytes, exchange: Exchange) -> bool:
        """Have the events stored and answered, or say False; see `Take`."""
        began = perf_counter()
        asked = Asked({name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(headers)})
        hashed = _hashed(asked.headers.get("authorization", ""))
        source = self._posts.keys.at_hand(hashed) if hashed else None
        if source is None or len(body) > LONG or not UNUSUAL.isdisjoint(asked.headers):
            return False
        try:
            judged = self._judged(source, asked.headers, body)
            if judged.refusals:
                return False
            self._posts.acceptance.begin(judged, lambda failure: self._end(exchange, judged, failure, began))
        except (Malformed, Problem):
            return False
        return True

    def _judged(self, source: Source, headers: Mapping[str, str], body: bytes) -> Judged:
        """Raises Malformed, TooLarge and LogUnavailable."""
        self._posts.acceptance.check()
        posted = cloudevents.translate(headers, body, self._posts.settings.max_depth)
        return self._posts.acceptance.judge(source, posted, datetime.now(UTC))

    def _end(self, exchange: Exchange, judged: Judged, failure: Exception | None, began: float) -> None:
        """Answer as `Endpoint` does."""
        measures = self._posts.measures
        if failure:
            problem = failure if isinstance(failure, Problem) else Problem("The events could not be stored.")
            measures.refused(problem)
            status, (headers, answer) = problem.status, written(problem.body, problem.headers)
        else:
            status, (headers, answer) = 200, written(self._posts.answer(judged), {})
        measures.timed(self._route, status, perf_counter() - began)
        exchange.answer(status, headers, answer)
