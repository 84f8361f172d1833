"""Locks on files (flock(2)): the kernel frees them when their holder ends, however that comes about."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO


def take(path: Path, seconds: float = 0) -> IO[bytes] | None:
    """The locked file, to be held open; None if somebody else holds it for longer than so many seconds."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() >= deadline:
                file.close()
                return None
        time.sleep(0.05)


def held(path: Path) -> bool:
    """Whether somebody holds the lock now."""
    if not path.exists():
        return False
    if lock := take(path):
        lock.close()
    return lock is None
