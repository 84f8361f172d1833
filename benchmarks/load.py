"""Load by `wrk`, which is cheap: it shares the machine with what it loads."""

import json
import shutil
import signal
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from benchmarks import crowd
from benchmarks.figures import Reading

SCRIPT = Path(__file__).with_name("load.lua")
HINT = "wrk is missing; install it (Debian: apt-get install wrk) or run tests/prepare"


class Answered(NamedTuple):
    """What became of the requests; times in ms. `refused`: answered by 400 and above, as by 503 when it is too much
    for the log. `failed`: not answered."""

    requests: int
    seconds: float
    refused: int
    failed: int
    p50: float
    p99: float
    max: float

    @property
    def accepted(self) -> int:
        """Requests whose events are durable."""
        return self.requests - self.refused


@dataclass(frozen=True)
class Load:
    """Posts to an address: `connections` at once, each request with `batch` events.

    `rate`: events a second in all; None for as fast as the answers come. `key`: of the source that posts.
    """

    address: str
    patterns: Path
    connections: int
    batch: int = 1
    rate: float | None = None
    key: str = ""
    customers: int = crowd.CUSTOMERS

    def run(self, seconds: float) -> Answered:
        """Post for so long. Raises RuntimeError when a request was not answered, or all were refused."""
        with self.going(seconds) as process:
            process.wait()
        return self.outcome(process)

    def reading(self, seconds: float) -> Reading:
        """The same as a figure: events accepted a second, times of requests, and requests refused if any were."""
        answered = self.run(seconds)
        rate = answered.accepted * self.batch / answered.seconds
        refused = {"refused": float(answered.refused)} if answered.refused else {}
        return {"/s": rate, "p50 ms": answered.p50, "p99 ms": answered.p99} | refused

    @contextmanager
    def going(self, seconds: float = 3600) -> Iterator[subprocess.Popen[str]]:
        """Post while the block lasts, and so many seconds at most; `outcome` says what became of it."""
        process = subprocess.Popen(self._command(seconds), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()

    def outcome(self, process: subprocess.Popen[str]) -> Answered:
        """What became of the requests of a load that has ended. Raises RuntimeError as `run` does."""
        assert process.stdout
        said = process.stdout.read()
        last = said.rstrip().rpartition("\n")[2]
        if not last.startswith("{"):
            raise RuntimeError(f"wrk ended without figures:\n{said}")
        answered = Answered(**json.loads(last))
        if answered.failed or (answered.requests and not answered.accepted):
            raise RuntimeError(f"{self.address} is of no use: {answered}")
        return answered

    def _command(self, seconds: float) -> list[str]:
        if not shutil.which("wrk"):
            raise SystemExit(HINT)
        key = b64encode(f"{self.key}:".encode()).decode()
        wrk = ["wrk", "--threads=1", f"--connections={self.connections}", f"--duration={ceil(seconds)}s"]
        wrk += ["--timeout=30s", f"--header=Authorization: Basic {key}", "--header=Content-Type: application/json"]
        run = f"{uuid4().hex[:8]}-"
        own = [self.patterns, self.batch, self.rate or 0, run, self.customers]
        return [*wrk, f"--script={SCRIPT}", self.address, "--", *map(str, own)]
