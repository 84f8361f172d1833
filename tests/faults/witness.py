"""A well-behaved client beside others that are not: it must be served as if they were not there."""

from collections import Counter
from contextlib import suppress
from threading import Event as Flag
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import Self

import requests

from tests.faults.load import Try

PAUSE = 0.03  # seconds between requests


class Witness:
    """Posts an event, or asks for the same address, again and again while the block lasts."""

    def __init__(self, address: str, key: str, posts: bool) -> None:
        self.tries: list[Try] = []
        self._address, self._key, self._posts = address, key, posts
        self._end = Flag()
        self._thread = Thread(target=self._go_on)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def p99(self, since: float) -> float:
        """Seconds until an answer, of the slowest hundredth of those asked from then on (monotonic).

        Each must have been answered, if only by a 503.
        """
        tries = [one for one in list(self.tries) if one.at >= since]
        answers = Counter(one.status for one in tries)
        assert answers.keys() <= {200, 503}, answers
        assert answers[503] <= 1 + len(tries) // 50, answers
        return sorted(one.seconds for one in tries)[-1 - len(tries) // 100]

    def _go_on(self) -> None:
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self._key}"
            while not self._end.wait(PAUSE):
                began, status = monotonic(), 0
                with suppress(requests.RequestException):
                    status = self._ask(session, len(self.tries)).status_code
                self.tries.append(Try(began, monotonic() - began, status))

    def _ask(self, session: requests.Session, number: int) -> requests.Response:
        if not self._posts:
            return session.get(self._address, timeout=10)
        event = {"id": f"w{number}", "type": "page.viewed", "time": "2026-05-04T09:00:00Z", "channel": "web"}
        who = [{"type": "device", "value": "witness"}]
        return session.post(self._address, json={**event, "identifiers": who}, timeout=10)
