"""Channel systems that post under any circumstances, and a ledger of what each event was answered."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from threading import Event as Flag
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple, Self

import requests

from tests.faults.crowd import documents

PATIENCE = 60.0  # seconds for which a post is tried again after the load has ended
LONGEST_PAUSE = 1.0  # seconds between tries, whatever Retry-After says
WEARY = 0.05  # share of failed tries after which the system gives up, as some do


class Try(NamedTuple):
    """One request: when it began (monotonic), how long it took, and the status; 0 without an answer."""

    at: float
    seconds: float
    status: int


@dataclass
class Ledger:
    """What became of each event's id. What was sent and is in neither set may be there, once, or not.

    `bad`: what is to be refused, and nothing else.
    """

    source: str
    sent: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    tries: list[Try] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def answers(self) -> Counter[int]:
        """Requests by status; 0: the connection failed."""
        return Counter(one.status for one in self.tries)

    def settle(self, results: Sequence[dict[str, Any]]) -> None:
        """Keep the verdicts of an answer."""
        with self.lock:
            for one in results:
                refused = one["status"] == "refused"
                (self.refused if refused else self.accepted).add(one["id"])
                if refused != (one["id"] in self.bad):
                    self.surprises.append(f"a wrong verdict: {one}")

    def figures(self) -> str:
        """In one line."""
        unknown = len(self.sent - self.accepted - self.refused)
        words = f"sent {len(self.sent)}, accepted {len(self.accepted)}, refused {len(self.refused)}, unknown {unknown}"
        return f"{words}; requests by status {dict(sorted(self.answers.items()))}"


class Load:
    """Posts a crowd's events while the block lasts, about `rate` of them a second, in requests of 1 to `most`.

    `key`: of the source named `source`. After the block each request has been answered or given up.
    """

    def __init__(
        self, address: str, key: str, seed: int, rate: float = 200, most: int = 10, posters: int = 4,
        source: str = "shop",
    ) -> None:  # fmt: skip
        self.ledger = Ledger(source)
        self._address, self._key, self._rate, self._most = address, key, rate, most
        self._random = Random(seed)
        self._documents = documents(self._random)
        self._next, self._due = Lock(), 0.0
        self._end, self._give_up_at = Flag(), float("inf")
        self._posters = posters
        self._threads = ThreadPoolExecutor(posters, thread_name_prefix="poster")

    def __enter__(self) -> Self:
        self._due = monotonic()
        self._running = [self._threads.submit(self._post_on) for _ in range(self._posters)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_up_at = monotonic() + (0 if error else PATIENCE)
        self._end.set()
        self._threads.shutdown()
        for one in self._running:
            one.result()
        assert not self.ledger.surprises, self.ledger.surprises[:5]

    def _post_on(self) -> None:
        with requests.Session() as session:
            session.auth = self._key, ""
            while not self._end.is_set():
                with self._next:
                    batch = list(islice(self._documents, self._random.randint(1, self._most)))
                    due, self._due = self._due, max(self._due, monotonic() - 1) + len(batch) / self._rate
                    self.ledger.sent.update(document["id"] for document, _ in batch)
                    self.ledger.bad.update(document["id"] for document, good in batch if not good)
                    chance = Random(self._random.random())
                if not self._end.wait(max(due - monotonic(), 0)):
                    self._deliver(session, [document for document, _ in batch], chance)

    def _deliver(self, session: requests.Session, batch: list[dict[str, Any]], chance: Random) -> None:
        """Try until there is a verdict, or this system is weary."""
        while monotonic() < self._give_up_at:
            pause = self._try(session, batch)
            if pause is None or chance.random() < WEARY:
                return
            Flag().wait(min(pause, LONGEST_PAUSE))

    def _try(self, session: requests.Session, batch: list[dict[str, Any]]) -> float | None:
        """None when there are verdicts, else the seconds until the next try."""
        began = monotonic()
        try:
            answer = session.post(f"{self._address}/v1/events", json=batch, timeout=(3, 10))
            said = answer.json()  # an answer that was cut within its headers looks like one without a body
        except requests.RequestException:
            self._note(began, 0)
            return 0.1
        self._note(began, answer.status_code)
        if answer.status_code in (200, 400) and "results" in said:
            self.ledger.settle(said["results"])
            return None
        if answer.status_code != 503 or "Retry-After" not in answer.headers:
            self.ledger.surprises.append(f"{answer.status_code} {dict(answer.headers)} {answer.text[:300]}")
            return None
        return float(answer.headers["Retry-After"])

    def _note(self, began: float, status: int) -> None:
        self.ledger.tries.append(Try(began, monotonic() - began, status))
