"""Alerts and dashboard ask only for metrics that there are, and can be read by Prometheus."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from services.api.measures import Measures as ApiMeasures
from services.eventlog.budget import Budget
from services.ingest.measures import Measures as IngestMeasures
from services.timeline.measures import Analyses
from services.timeline.measures import Measures as WorkerMeasures

DEPLOY = Path(__file__).parents[1] / "deploy"
ALERTS = DEPLOY / "prometheus/alerts.yaml"
NAME = re.compile(r"\b(?:tellonce|process)_[a-z0-9_]+|\bup\b(?={)")
ENDS = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""], "info": ["_info"]}


def exported(data: Path) -> set[str]:
    """The names of all series that the four services export."""
    registries = [
        one.registry for one in (ApiMeasures(), IngestMeasures(Budget(1)), WorkerMeasures(data), Analyses())
    ]
    families = [family for registry in registries for family in registry.collect()]
    return {family.name + end for family in families for end in ENDS[family.type]} | {"up"}  # which Prometheus adds


def alerts() -> list[dict[str, str]]:
    rules: list[dict[str, str]] = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    return rules


def panels() -> dict[str, list[str]]:
    told = json.loads((DEPLOY / "grafana/tellonce.json").read_text())
    return {one["title"]: [target["expr"] for target in one["targets"]] for one in told["panels"]}


def test_alerts_and_panels_ask_for_metrics_that_there_are(tmp_path: Path) -> None:
    there = exported(tmp_path)
    asked = {one["alert"]: set(NAME.findall(one["expr"])) for one in alerts()}
    asked |= {title: set(NAME.findall(" ".join(expressions))) for title, expressions in panels().items()}
    assert len(asked) > 20
    assert all(asked.values())
    assert not {what: names - there for what, names in asked.items() if names - there}


def test_every_metric_of_ours_is_shown_or_alerts(tmp_path: Path) -> None:
    seen = set(NAME.findall(ALERTS.read_text() + json.dumps(panels())))
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in seen}
    ours = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported(tmp_path) if name.startswith("tellonce")}
    # Told by others of them already.
    spare = {"tellonce_api_refused_total", "tellonce_identifiers_moved_total", "tellonce_partition_claims_total"}
    spare |= {"tellonce_ingest_append_records", "tellonce_pool_connections_used", "tellonce_pool_connections_limit"}
    assert ours - shown == spare | {"tellonce_oldest_unstitched_timestamp_seconds"}


def test_names_end_in_their_units(tmp_path: Path) -> None:
    ours = {name for name in exported(tmp_path) if name.startswith("tellonce")}
    assert not {name for name in ours if re.search(r"seconds_(?!bucket|count|sum|total)|bytes_", name)}


def test_each_alert_says_what_to_do_and_is_explained() -> None:
    explained = (DEPLOY.parent / "docs/operations.md").read_text()
    for one in alerts():
        assert set(one["annotations"]) == {"summary", "action"}  # type: ignore[arg-type]
        assert f"`{one['alert']}`" in explained


def test_prometheus_takes_the_rules() -> None:
    if not (promtool := shutil.which("promtool")):
        pytest.skip("no promtool (Debian: prometheus)")
    done = subprocess.run([promtool, "check", "rules", ALERTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
