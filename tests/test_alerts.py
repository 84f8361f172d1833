"""What Prometheus makes of the alert rules, by its own promtool."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_dashboards import ALERTS

WARN, PAGE = {"severity": "warn"}, {"severity": "page"}
LETTERS = 'tellonce_dead_letters_total{reason="unstorable",instance="w"}'
AWAY = 'tellonce_api_unavailable_total{code="database_away",instance="a"}'
API, INGEST = 'tellonce_api_open_streams{instance="a"}', 'tellonce_ingest_in_flight_limit_bytes{instance="i"}'
UP = 'up{job="tellonce-api",instance="a"}'


@pytest.fixture
def promtool() -> str:
    if not (path := shutil.which("promtool")):
        pytest.skip("no promtool (Debian: prometheus)")
    return path


def check(promtool: str, folder: Path, alert: str, series: dict[str, str], fires: list[dict[str, str]]) -> None:
    """That an alert fires with such labels after half an hour of series told each minute; its words are left out."""
    rules = yaml.safe_load(ALERTS.read_text())
    for rule in rules["groups"][0]["rules"]:
        del rule["annotations"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    expected = {"eval_time": "30m", "alertname": alert, "exp_alerts": [{"exp_labels": one} for one in fires]}
    told = [{"series": name, "values": values} for name, values in series.items()]
    case: dict[str, Any] = {"interval": "1m", "input_series": told, "alert_rule_test": [expected]}
    (folder / "case.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": [case]}))
    done = subprocess.run([promtool, "test", "rules", folder / "case.yaml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("alert", "series", "labels"),
    [
        pytest.param("TellonceDeadLetters", {LETTERS: "0x28 1x9"}, {**WARN, "reason": "unstorable"}, id="one letter"),
        pytest.param("TellonceDeadLetters", {LETTERS: "_x28 1x9"}, {**WARN, "reason": "unstorable"}, id="the first"),
        pytest.param("TellonceApiUnavailable", {AWAY: "0+60x40"}, {**PAGE, "code": "database_away"}, id="API's 503"),
        pytest.param("TellonceNoApi", {INGEST: "1x40"}, PAGE, id="no API"),
        pytest.param("TellonceNoIngest", {API: "1x40"}, PAGE, id="no ingest"),
        pytest.param("TellonceDown", {UP: "0x40"}, {**PAGE, "job": "tellonce-api", "instance": "a"}, id="one down"),
    ],
)
def test_an_alert_fires(
    promtool: str, tmp_path: Path, alert: str, series: dict[str, str], labels: dict[str, str]
) -> None:
    check(promtool, tmp_path, alert, series, [labels])


@pytest.mark.parametrize(
    "alert", ["TellonceDeadLetters", "TellonceApiUnavailable", "TellonceNoApi", "TellonceNoIngest", "TellonceDown"]
)
def test_it_is_silent_while_all_is_well(promtool: str, tmp_path: Path, alert: str) -> None:
    well = {LETTERS: "3x40", AWAY: "5x40", API: "0x40", INGEST: "1x40", UP: "1x40"}
    check(promtool, tmp_path, alert, well, [])
