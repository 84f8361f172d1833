"""What tests of faults share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that other accounts may enter at any time: pytest's own is closed anew by each pytest that
    starts, and a PostgreSQL that was killed would not come back."""
    with tempfile.TemporaryDirectory(prefix="tellonce-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
