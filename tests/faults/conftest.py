"""What tests of faults share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stacks import open_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that other accounts may enter."""
    with open_folder() as folder:
        yield folder
