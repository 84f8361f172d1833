"""Labelled data that can't be measured are told of by file, line and field."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import pairs
from benchmarks.labelled import Appearance, Timeline, Unreadable, rows

ROOT = Path(__file__).parents[1]
EVENT = {"event_id": "1", "ts": "2026-01-01T10:00:00", "channel": "chat", "direction": "in", "role": "customer",
         "text": "the lamp is broken", "gold": None}  # fmt: skip


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_rows_of_the_form_come_as_they_are_with_what_stands_beside(tmp_path: Path) -> None:
    row = {"customer": "a", "source": "shop", "events": [EVENT]}
    assert list(rows(written(tmp_path / "plain.jsonl", row, "", row), Timeline)) == [row, row]
    packed = tmp_path / "packed.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(row).encode()))
    assert list(rows(packed, Timeline)) == [row]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hello", "line 2: Invalid JSON"),
        ({"customer": "a"}, "line 2: events: Field required"),
        ({"customer": "a", "events": [EVENT | {"ts": "yesterday"}]}, r"line 2: events\.0\.ts: .*datetime"),
        ({"customer": "a", "events": [EVENT | {"gold": {"kind": "first"}}]}, r"events\.0\.gold\.issue: Field required"),
    ],
)
def test_a_line_of_another_form_is_told_by_its_number_and_field(tmp_path: Path, line: Any, told: str) -> None:
    path = written(tmp_path / "some.jsonl", {"customer": "a", "events": [EVENT]}, line)
    with pytest.raises(Unreadable, match=rf"some\.jsonl, {told}" if told.startswith("line") else told):
        list(rows(path, Timeline))


def test_what_is_no_such_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, written(tmp_path / "none.jsonl"), written(tmp_path / "plain.jsonl.gz", "hello")):
        with pytest.raises(Unreadable, match=path.name):
            list(rows(path, Appearance))
    with pytest.raises(Unreadable, match="no folder with files"):
        pairs.read(tmp_path)


def quality(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.quality", *words]
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=300)


def test_measuring_says_what_is_wrong_with_a_file_and_ends(tmp_path: Path) -> None:
    refused = quality("--timelines", str(written(tmp_path / "bad.jsonl", {"customer": "a"})))
    assert refused.returncode == 1
    assert refused.stderr == f"{tmp_path / 'bad.jsonl'}, line 1: events: Field required\n"


def test_where_figures_can_not_be_written_nothing_is_measured(tmp_path: Path) -> None:
    told = quality("--timelines", str(written(tmp_path / "bad.jsonl")), "--out", str(tmp_path / "no" / "figures.json"))
    assert told.returncode == 2
    assert "to write figures.json into" in told.stderr


def test_timelines_in_which_nobody_explains_again_are_measured(tmp_path: Path) -> None:
    told = written(tmp_path / "calm.jsonl", {"customer": "a", "events": [EVENT]})
    measured = quality("--timelines", str(told), "--out", str(tmp_path / "figures.json"))
    assert measured.returncode == 0, measured.stderr
    assert json.loads((tmp_path / "figures.json").read_text())["timelines"]["average_precision"] is None
