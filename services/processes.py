"""Child processes, watched: one that ends is started again, and all end with their parent, however it ends."""

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import NoReturn

STOP_SECONDS = 10
BEAT = 0.2  # seconds between looks at the children
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds until one that ended is started again
# Of nice(2): 5 is a third of the weight, with 10 too little is accepted on a busy machine; 15 is a thirtieth.
COURTESY, PATIENCE = 5, 15
STEADY = 60.0  # seconds after which one that ends is no longer taken for one that can't start

# In a terminal Ctrl-C reaches the whole process group. The parent alone shall answer it, and stop the others in
# order; what a shell is told to ignore stays ignored in what it becomes.
DEAF = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")


def collect_rarely() -> None:
    """Let Python look for cycles of garbage rarely. To be called when a service has loaded what it needs.

    Nearly all we make are trees, freed at once by their reference counts; looking for cycles among them after every
    700 objects took a fifth of a worker's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def give_way(by: int = COURTESY) -> None:
    """Let the machine's other processes go first where there are not processors for all (nice(2)).

    Who is asked by somebody on the phone is to go before those whose work may be done a moment later, and these before
    those whose work may be done in a minute (PATIENCE).
    """
    os.nice(by)


Start = Callable[[], subprocess.Popen[bytes]]


def command(words: Sequence[str], environment: Mapping[str, str]) -> Start:
    """Starts a command in the parent's process group, whose standard input ends with the parent."""
    return lambda: subprocess.Popen([*DEAF, *words], stdin=subprocess.PIPE, env=dict(environment))


class Child:
    """A process that shall run: how to start it, and it itself if it runs already."""

    def __init__(self, name: str, start: Start, process: subprocess.Popen[bytes] | None = None) -> None:
        self.name = name
        self._launch = start
        self._pause = FIRST_PAUSE
        self._again_at: float | None = None
        self._started_at = time.monotonic()
        self._process = process or start()

    def tend(self, say: Callable[[str], object]) -> None:
        """Start it again when it has ended and a pause is over, which doubles each time."""
        code, now = self._process.poll(), time.monotonic()
        if code is None:
            return
        if self._again_at is None:
            if now - self._started_at > STEADY:
                self._pause = FIRST_PAUSE
            say(f"{self.name} has ended ({_ending(code)}); it starts again in {self._pause:g} s.")
            self._again_at = now + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        elif now >= self._again_at:
            self._start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and let its standard input end, should it not be listening yet."""
        self._process.terminate()
        if self._process.stdin:
            self._process.stdin.close()

    def wait(self, seconds: float) -> None:
        """Return when it has ended, for which it is killed after so many seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._started_at, self._again_at = time.monotonic(), None
        self._process = self._launch()


def stop(children: Sequence[Child]) -> None:
    """Stop all at once and wait for them."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        child.wait(max(deadline - time.monotonic(), 0))


def watch(children: Sequence[Child], say: Callable[[str], object]) -> NoReturn:
    """Start again what has ended, for ever."""
    while True:
        for child in children:
            child.tend(say)
        time.sleep(BEAT)


def end_with_parent() -> None:
    """In a child: take the end of standard input for SIGTERM."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(sys.stdin.fileno(), 4096):  # not its buffer, whose lock would not outlive the interpreter
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, name="parent", daemon=True).start()


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
