"""Fields of others' JSON, read leniently."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.sources.fields import moment, number

AT = datetime(2026, 5, 4, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [1777886400, "1777886400", 1777886400000, "1777886400000", 1777886400000000, "2026-05-04T09:20:00Z",
     "2026-05-04T12:20:00+03:00", "2026-05-04 09:20:00", "2026-05-04 09:20:00 UTC"],
)  # fmt: skip
def test_a_moment_is_read_however_it_is_written(written: Any) -> None:
    assert moment({"at": written}, "at") == AT


@pytest.mark.parametrize("written", [None, "", "soon", "nan", "inf", 1e300, True, [], {}, "2026-13-01T00:00:00Z"])
def test_what_is_no_moment_is_none(written: Any) -> None:
    assert moment({"at": written}, "at") is None


def test_a_number_beyond_a_trillion_is_none() -> None:
    assert number({"a": 1e13, "b": "2.5"}, "a", "b") == 2.5
