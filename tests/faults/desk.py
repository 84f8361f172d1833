"""An agent who reads briefs and writes notes under any circumstances, and remembers which notes were answered."""

from collections import Counter
from random import Random
from threading import Event as Flag
from threading import Thread
from types import TracebackType
from typing import Any, Self

import psycopg
import requests

from tests.faults.crowd import CUSTOMERS
from tests.faults.stand import Stand

STORED = "SELECT event_id, count(*) FROM events WHERE source = 'tellonce' AND type = 'note.written' GROUP BY 1"
EXPECTED = {0, 200, 404, 503}  # 0: no answer in time, or the connection failed; 404: nobody knows the customer yet
PAUSE = 0.2  # seconds between questions


class Desk:
    """Asks the API about customers, and writes notes about them, while the block lasts."""

    def __init__(self, address: str, key: str, seed: int) -> None:
        self.answers: Counter[int] = Counter()
        self.notes: set[str] = set()
        self._address, self._headers = address, {"Authorization": f"Bearer {key}"}
        self._random = Random(seed)
        self._end = Flag()
        self._thread = Thread(target=self._work, name="agent")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        assert self.answers.keys() <= EXPECTED, self.answers

    def verify(self, stand: Stand) -> None:
        """Each note that was answered is there, and each that is there is there once."""
        with psycopg.connect(stand.database) as conn:
            found = dict(conn.execute(STORED).fetchall())
        assert self.notes <= found.keys(), "a note was lost"
        assert set(found.values()) <= {1}, "a note was doubled"

    def _work(self) -> None:
        while not self._end.wait(PAUSE):
            brief = self._ask("GET", f"/v1/brief?email=c{self._random.randrange(CUSTOMERS)}@example.com")
            if brief and "customer" in brief:
                address = f"/v1/customers/{brief['customer']['id']}/notes"
                if written := self._ask("POST", address, {"text": "Promised to call back."}):
                    self.notes.add(written["event"]["id"])

    def _ask(self, method: str, address: str, body: object = None) -> dict[str, Any] | None:
        try:
            answer = requests.request(
                method, self._address + address, json=body, headers=self._headers, timeout=(3, 20)
            )
            said: dict[str, Any] = answer.json()
        except requests.RequestException:
            self.answers[0] += 1
            return None
        self.answers[answer.status_code] += 1
        return said if answer.status_code == 200 else None
