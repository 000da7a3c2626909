"""The rules: promtool finds nothing to say, each alert fires and resolves, and says what a person needs."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml

from reports.record import OWNERS
from tests.dashboards.documents import FOLDER, ROOT, alerts, rules

TESTS = yaml.safe_load((FOLDER / "rules_test.yml").read_text("utf-8"))["tests"]
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs Prometheus's promtool")


@needs_promtool
@pytest.mark.parametrize(
    "command",
    [("check", "config", "prometheus.yml"), ("check", "rules", "rules.yml"), ("test", "rules", "rules_test.yml")],
)
def test_promtool(command: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *command], cwd=FOLDER, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_seen_to_fire_and_to_resolve() -> None:
    seen: dict[str, list[bool]] = {}
    for test in TESTS:
        for moment in test.get("alert_rule_test", ()):
            seen.setdefault(moment["alertname"], []).append(bool(moment["exp_alerts"]))
    assert seen.keys() == {alert["alert"] for alert in alerts()}
    for name, moments in seen.items():
        fired = moments.index(True)
        assert not moments[0], name
        assert False in moments[fired:], name


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_each_alert_says_what_who_and_where_to_read_on(alert: dict) -> None:
    assert alert["alert"].startswith("Motesklar")
    assert alert["labels"]["severity"] in ("warning", "critical")
    owner = alert["labels"].get("owner")
    assert owner in OWNERS or "owner" in re.findall(r"by \(([^)]*)\)", alert["expr"])[0]
    assert len(alert["annotations"]["summary"]) > 40
    runbook = (ROOT / alert["annotations"]["runbook_url"]).read_text("utf-8")
    assert runbook.startswith(f"# {alert['alert']}\n")
    assert re.findall(r"^## (.*)", runbook, re.MULTILINE) == ["What to look at", "Whom to ask"]


def test_each_runbook_is_of_an_alert() -> None:
    there = {f"docs/runbooks/{path.name}" for path in (ROOT / "docs/runbooks").iterdir()}
    assert there == {alert["annotations"]["runbook_url"] for alert in alerts()}


def test_the_table_of_alerts_is_whole() -> None:
    table = (ROOT / "docs/dashboards.md").read_text("utf-8")
    told = re.findall(r"^\| \[(\w+)\]\((runbooks/\w+\.md)\) \|", table, re.MULTILINE)
    assert sorted(told) == sorted(
        (alert["alert"], alert["annotations"]["runbook_url"].removeprefix("docs/")) for alert in alerts()
    )


def test_records_are_named_by_level_metric_and_operation() -> None:
    for rule in rules():
        if "record" in rule:
            level, metric, operation = rule["record"].split(":")
            assert metric.startswith("motesklar_")
            assert re.fullmatch(r"[a-z]+\d*d?", operation)
            for label in re.split(r"_(?=unit|rule|level|owner|le\b|link_kind)", level):
                assert re.search(rf"\b{label}\b", rule["expr"]), rule["record"]


def test_the_files_beside_them_name_files_that_are_there() -> None:
    compose = yaml.safe_load((FOLDER / "docker-compose.yml").read_text("utf-8"))
    mounts = [v.split(":")[:2] for s in compose["services"].values() for v in s["volumes"] if v.startswith("./")]
    assert {(FOLDER / here).exists() for here, _ in mounts} == {True}
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/motesklar.yml").read_text("utf-8"))["providers"][0]
    assert ["./grafana", provider["options"]["path"]] in mounts
    source = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text("utf-8"))["datasources"][0]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    scraping = yaml.safe_load((FOLDER / "prometheus.yml").read_text("utf-8"))["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraping
