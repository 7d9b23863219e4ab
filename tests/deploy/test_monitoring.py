"""The dashboard and the alert rules ask for metrics that exist, with labels that they have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from api.observe import HttpMetrics
from runtime.gauges import GAUGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "monitoring"


def known() -> dict[str, set[str]]:
    """Series by name with their labels, from the metrics themselves."""
    registry = CollectorRegistry()
    HttpMetrics(registry).count(method="GET", route="/livez", status=200, seconds=0.01)
    series = {gauge.name: set(gauge.labels) for gauge in GAUGES}
    for metric in registry.collect():
        for sample in metric.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series


def queries() -> list[str]:
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return asked + [rule["expr"] for rule in rules()]


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("query", queries())
def test_a_query_names_metrics_that_exist(query: str) -> None:
    named = set(re.findall(r"tailwise_\w+", query))
    assert named
    assert named <= set(known())


@pytest.mark.parametrize("query", queries())
def test_a_query_selects_and_groups_by_labels_that_the_metric_has(query: str) -> None:
    [first, *_] = re.findall(r"tailwise_\w+", query)
    grouped = re.findall(r"by \(([^)]*)\)", query)
    selected = re.findall(r"(\w+)=~?\"", query)
    labels = {label.strip() for group in grouped for label in group.split(",")} | set(selected)
    assert labels <= known()[first]


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs" / "watching.md").read_text()
    assert [rule["alert"] for rule in rules() if f"**{rule['alert']}**" not in page] == []
