"""Overview: verdicts by municipality and kind of link, what fails most, and who can mend it."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import ORGANISATION, UNIT, Panel, Query, bars, dashboard, graph, matrix, number
from dashboards.queries import counted, daily, findings, machines, self_tests

READY = 'level="ready"'


def made() -> Dashboard:
    """From the room's aggregates alone: no agent's own metrics are needed."""
    return dashboard(
        "overview",
        "Overview",
        "Which machines are ready for a meeting, what keeps the others from it, and who can mend that.",
        (ORGANISATION, UNIT),
        {"Now": [*_numbers(), *_verdicts()], "Over time": _over_time(), "What is wrong": _wrong()},
    )


def _numbers() -> list[Panel]:
    return [
        number("Machines tested", machines(), "Machines with a self-test in the last 30 days."),
        number(
            "Ready", f"({machines(where=READY)} or vector(0)) / {machines()}",
            "The share of these whose latest verdict is ready.", unit="percentunit", good=True,
        ),
        number("Self-tests", self_tests(), "Self-tests that came in the period shown."),
        number(
            "Alerts", 'count(ALERTS{alertname=~"Motesklar.*",alertstate="firing"}) or vector(0)',
            "Alerts of rules.yml that are firing, of all municipalities.",
        ),
    ]  # fmt: skip


def _verdicts() -> list[Panel]:
    about = "Machines by the verdict of their latest self-test."
    return [
        matrix(f"Verdict by {what}", machines(label, "level"), about, row=label, column="level", width=8)
        for what, label in (("municipality", "organisation"), ("unit", "unit"), ("kind of link", "link_kind"))
    ]


def _over_time() -> list[Panel]:
    share = f"{daily('self_tests', 'level', 'link_kind', where=READY)} / {daily('self_tests', 'level', 'link_kind')}"
    return [
        graph(
            "Self-tests by verdict", [Query(daily("self_tests", "level", "level"), "{{level}}")],
            "Self-tests that came in the 24 hours before each moment.", stacked=True,
        ),
        graph(
            "Ready by kind of link", [Query(share, "{{link_kind}}")],
            "The share of the self-tests of those 24 hours that ended ready. none: it had none, or did not tell.",
            unit="percentunit",
        ),
    ]  # fmt: skip


def _wrong() -> list[Panel]:
    owners = counted("faults_total", ("owner", "level"), "owner")
    return [
        bars(
            "What fails most", [Query(f"topk(15, {findings('rule')})", "{{rule}}")],
            "Self-tests in the period in which a rule of the policy was not met, or that failed in this way. "
            "docs/policy.md explains the names.",
        ),
        bars(
            "Who can mend it", [Query(owners, "{{owner}}")],
            "Self-tests of the period that were not ready, by who can do something about what stands first in the "
            "verdict. you: whoever sits at the machine; municipal_it, operator, region_it.", width=6,
        ),
        graph(
            "The same over time", [Query(daily("faults", "owner_level", "owner"), "{{owner}}")],
            "In the 24 hours before each moment.", width=6, stacked=True,
        ),
    ]  # fmt: skip
