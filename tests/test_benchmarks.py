"""The benchmarks run: each figure in its short form, on real processes. How fast it is, is not asserted."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.figures import Line
from benchmarks.load import HINT
from benchmarks.speed import FIGURES
from benchmarks.stitching import Sample, lag, rate
from benchmarks.table import markdown
from tests import brokers

KAFKAS = ("acknowledge-batches", "stitch")  # where Kafka has references of its own
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_is_measured_beside_references(name: str, tmp_path: Path) -> None:
    for line in measured(name, "postgres", tmp_path):
        assert line["log"] == "postgres"
        assert line["beside"], "nothing to compare it with"
        for values in (line["values"], *(reference["values"] for reference in line["beside"].values())):
            assert values, "nothing measured"
            assert all(len(one["rounds"]) == 1 and one["min"] <= one["median"] <= one["max"] for one in values.values())


@pytest.mark.parametrize("name", KAFKAS)
def test_a_figure_is_measured_on_kafka_too(name: str, tmp_path: Path) -> None:
    if not brokers.has_java():
        needed(brokers.HINT)
    (line,) = measured(name, "kafka", tmp_path)
    assert any("kafka-python" in reference for reference in line["beside"])


def test_rounds_spread_from_least_to_most_around_their_median() -> None:
    told = Line("it", "kafka", [{"/s": 5.0}, {"/s": 1.0}, {"/s": 3.0}], {"bare": [{"/s": 6.0}] * 3}).as_json()
    assert told["values"] == {"/s": {"rounds": [5.0, 1.0, 3.0], "min": 1.0, "median": 3.0, "max": 5.0}}
    assert told["beside"]["bare"]["ratio"] == {"/s": 0.5}
    assert "| it | kafka | 3.00 (1.00–5.00) |" in markdown([told])


def test_a_drain_is_timed_from_its_first_batch_to_its_last() -> None:
    started = [Sample(0.0, 100, 0), Sample(9.0, 100, 0)]
    assert rate([*started, Sample(9.5, 100, 40), Sample(11.5, 100, 100)], events=1000) == 300
    assert rate([*started, Sample(9.5, 100, 100)], events=1000) == 2000, "all in one batch"


def test_lag_is_the_age_of_what_is_being_stitched() -> None:
    samples = [Sample(0.0, 10, 10), Sample(1.0, 20, 10), Sample(2.0, 30, 20), Sample(3.0, 40, 40)]
    assert [lag(samples, number) for number in range(4)] == [0, 1, 1, 0]


def measured(name: str, log: str, folder: Path) -> list[dict[str, Any]]:
    """The lines of a figure as the command writes them."""
    if not shutil.which("wrk"):
        needed(HINT)
    out = folder / "figures.json"
    command = [sys.executable, "-m", "benchmarks.speed", "--quick", "--only", name, "--log", log, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    lines: list[dict[str, Any]] = json.loads(out.read_text())["lines"]
    assert lines, "nothing measured"
    for line in lines:
        assert {"cores", "memory_gb", "processor", "python", "postgresql", "kafka"} <= line["machine"].keys()
    return lines


def needed(hint: str) -> None:
    """Skip what can't be run here; in CI it must."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(hint)
