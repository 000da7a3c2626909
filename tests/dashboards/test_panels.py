"""Every query of every dashboard, on a real Prometheus that has watched a real room and a small fleet for a while."""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from dashboards import queries
from reports.metrics import HELP
from reports.record import Finding
from reports.vocabulary import FAILURES
from tests.dashboards.documents import NAMES, dashboard, filled, rules, series
from tests.dashboards.documents import queries as asked
from tests.dashboards.scene import Scene, scene

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs a real Prometheus")
# what a room that is well does not count
QUIET = ("sessions_expired", "sessions_refused", "stamp_send_failed", "call_worker_restarts")
Found = list[tuple[dict[str, str], float]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("scene")) as running:
        yield running


def of(seen: Scene, expr: str) -> Found:
    return [(labels, value) for labels, value in seen.server.query(filled(expr), time.time()) if math.isfinite(value)]


def by(seen: Scene, expr: str, *labels: str) -> dict[tuple[str, ...], float]:
    return {tuple(found.get(label, "") for label in labels): value for found, value in of(seen, expr) if value}


def test_every_panels_every_query_gives_data(seen: Scene) -> None:
    silent = [query for query in asked() if not of(seen, query.expr)]
    assert silent == []
    assert len(asked()) > 60


def test_what_is_counted_moves(seen: Scene) -> None:
    rates = [query.expr for query in asked() if "rate(" in query.expr]
    still = [expr for expr in rates if not any(value > 0 for _, value in of(seen, expr))]
    assert len(rates) > 10
    assert [expr for expr in still if not any(f"motesklar_room_{quiet}_total" in expr for quiet in QUIET)] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_choices_offer_something(seen: Scene, name: str) -> None:
    chosen = [v for v in dashboard(name)["templating"]["list"] if v["type"] == "query"]
    assert chosen
    for variable in chosen:
        metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
        answer = json.loads(seen.server.get(f"/api/v1/label/{label}/values", **{"match[]": filled(metric)}))
        assert answer["data"], variable["name"]


def test_each_name_is_the_vocabularys_or_the_rooms(seen: Scene) -> None:
    kinds = re.findall(r"^# TYPE (\S+) (\w+)$", seen.exposed, re.MULTILINE)
    room = {name for name, _ in kinds} | {f"{name}_bucket" for name, kind in kinds if kind == "histogram"}
    known = room | HELP.keys() | {rule["record"] for rule in rules() if "record" in rule}
    used = {
        name for expr in [query.expr for query in asked()] + [rule["expr"] for rule in rules()] for name in series(expr)
    }
    assert used - known == set()
    assert len(used) > 50


# ---- what they say is so


def test_verdicts_are_the_fleets(seen: Scene) -> None:
    levels = Counter((machine.organisation, test.verdict.level) for machine, test in seen.tests)
    assert len(levels) > 3
    assert by(seen, queries.machines("organisation", "level"), "organisation", "level") == levels
    assert by(seen, queries.self_tests("organisation", "level"), "organisation", "level") == levels
    daily = queries.daily("self_tests", "level", "organisation", "level")
    assert by(seen, daily, "organisation", "level") == levels


def test_units_and_kinds_of_link_are_the_fleets(seen: Scene) -> None:
    wanted = Counter((machine.unit, machine.kind or "none") for machine, _ in seen.tests)
    assert by(seen, queries.machines("unit", "link_kind"), "unit", "link_kind") == wanted


def _rule(finding: Finding) -> str:
    """The finding of a test that failed is named after the probe, and counted by its code."""
    return str(finding.value) if finding.value in FAILURES else finding.rule


def test_what_fails_and_who_can_mend_it_are_the_fleets(seen: Scene) -> None:
    missed = [{(_rule(f), f.level) for f in test.verdict.findings if f.level != "ready"} for _, test in seen.tests]
    found = Counter((rule,) for each in missed for rule, _ in each)
    assert len(found) > 8
    assert by(seen, queries.findings("rule"), "rule") == found
    faults = by(seen, queries.counted("faults_total", ("owner", "level"), "owner"), "owner")
    assert sum(faults.values()) == sum(test.verdict.level != "ready" for _, test in seen.tests)
    assert {"you", "municipal_it"} <= {owner for (owner,) in faults}


def test_quantiles_and_shares_are_the_fleets(seen: Scene) -> None:
    wired = [test for machine, test in seen.tests if machine.kind == "wired"]
    losses = [m.values["loss_up_ratio"] for test in wired for m in test.measurements if m.name == "echo"]
    within = by(seen, queries.share_within("loss_up_ratio", "0.01"), "link_kind")
    assert within["wired",] == pytest.approx(sum(loss <= 0.01 for loss in losses) / len(losses))
    assert 0 < within["wired",] < 1
    (rtt,) = by(seen, queries.daily_quantile(0.95, "rtt_p95_seconds"), "link_kind").keys() & {("wired",)}
    assert rtt == ("wired",)
    jitter = by(seen, queries.daily_quantile(0.5, "jitter_down_seconds"), "link_kind")
    assert 0 < jitter["wired",] <= 0.005, "3 ms, in the first bucket"
