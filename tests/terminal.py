"""The command line as tests use it."""

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.__main__ import main


@dataclass(frozen=True)
class Ended:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Terminal:
    """Runs commands in this process, on one database."""

    capture: pytest.CaptureFixture[str]
    database: str

    def __call__(self, *words: str, typed: bytes | None = None) -> Ended:
        """`tellonce --database … words`, with something on standard input."""
        self.capture.readouterr()
        with _standard_input(typed), pytest.raises(SystemExit) as ended:
            main(["--database", self.database, *words])
        written = self.capture.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)


@contextlib.contextmanager
def _standard_input(typed: bytes | None) -> Iterator[None]:
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed or b""))
    try:
        yield
    finally:
        sys.stdin = before
