"""A process of a deployment, which is killed, stopped and started again; it never outlives the tests."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

# Becomes the command; what it leaves behind ends it when standard input ends, that is when the tests do, however.
GUARD = 'exec 9<&0; { read -r _ <&9; kill -9 $$; } 9<&9 & exec "$@" 9<&- </dev/null'


@dataclass
class Part:
    """One process: how it is started, and what became of it. What it prints is in `log`."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the process as it runs now."""
        assert self.process, f"{self.name} was never started"
        return self.process.pid

    @property
    def peak(self) -> float:
        """The most memory that it or one of its processes ever had as they run now, in MB (resident set, Linux)."""
        own = psutil.Process(self.pid)
        statuses = [Path(f"/proc/{one.pid}/status").read_text() for one in (own, *own.children(recursive=True))]
        return max(int(status.partition("VmHWM:")[2].split()[0]) for status in statuses) / 1000

    def start(self) -> None:
        """Start it, unless it runs; does not wait until it is of use."""
        if self.alive():
            return
        self._bury()
        shell = ["sh", "-c", GUARD, "sh", *self.command]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                shell, stdin=subprocess.PIPE, stdout=out, stderr=out, process_group=0,
                env=os.environ | dict(self.environment), **self.options,
            )  # fmt: skip

    def alive(self) -> bool:
        """Whether it runs, or is stopped in its tracks."""
        return self.process is not None and self.process.poll() is None

    def signal_all(self, number: signal.Signals) -> None:
        """The same to its processes as well: PostgreSQL's go on without the one that started them."""
        for child in psutil.Process(self.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.send_signal(number)
        self.signal(number)

    def signal(self, number: signal.Signals) -> None:
        """Such as SIGSTOP, SIGCONT, SIGTERM."""
        os.kill(self.pid, number)

    def kill_one(self, word: str) -> None:
        """`kill -9` of one of its processes, by a word of its command."""
        [one] = [one for one in psutil.Process(self.pid).children(recursive=True) if word in one.cmdline()]
        one.kill()

    def kill(self) -> None:
        """As the kernel does it: `kill -9`."""
        self._bury()

    def end(self, seconds: float = 30) -> int:
        """Ask it to end, and wait; its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGINT if self.name == "postgres" else signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            self._bury()

    def _bury(self) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdin
        self.process.stdin.close()
