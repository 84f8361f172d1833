"""How fast an API process answers: whole requests over a kept connection, one after the other, in milliseconds."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from services import access, database, ports
from services.access import Role

PATIENCE = 60.0  # seconds until the process answers


class Desk:
    """One agent's connection to an API process."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def get(self, address: str, **parameters: Any) -> Any:
        """The answer's JSON, which must be good."""
        return self._ask("GET", f"{address}?{urlencode(parameters, doseq=True)}" if parameters else address)

    def post(self, address: str, body: Any) -> Any:
        """The same of a command."""
        return self._ask("POST", address, json.dumps(body))

    def _ask(self, method: str, address: str, body: str | None = None) -> Any:
        try:
            self._connection.request(method, address, body, self._headers)
            answer = self._connection.getresponse()
            read = answer.read()
        except OSError:
            self._connection.close()
            raise
        if answer.status != 200:
            raise RuntimeError(f"{method} {address}: {answer.status} {read.decode()}")
        return json.loads(read)


@contextmanager
def api(url: str) -> Iterator[Desk]:
    """An API process on a database, as it runs in production, and an agent at it."""
    store, name = database.engine(url), f"benchmark-{time.time_ns()}"
    with store.begin() as conn:
        key = access.add_key(conn, name, Role.agent)
    store.dispose()
    port = ports.free("127.0.0.1", 0)
    environment = os.environ | {"TELLONCE_DATABASE": url, "TELLONCE_API_PORT": str(port)}
    command = [sys.executable, "-m", "services", "api", "--attached"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    try:
        desk = Desk(port, key)
        _wait(lambda: desk.get("/healthz"), process)
        yield desk
    finally:
        process.terminate()
        process.wait()


def percentiles(ask: Callable[[], object], requests: int) -> dict[str, float]:
    """What an answer takes, in milliseconds: p50, p99, max."""
    taken = []
    for _ in range(requests):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    at = {"p50": len(taken) // 2, "p99": min(int(len(taken) * 0.99), len(taken) - 1), "max": -1}
    return {name: round(taken[place], 2) for name, place in at.items()}


def _wait(answers: Callable[[], object], process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answers()
            return
        except (ConnectionError, RuntimeError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
