"""What is counted: each machine once, by its latest self-test of the period; nothing forgotten, nothing made up."""

from __future__ import annotations

import pytest

from reports.policy import load_policy
from reports.record import Finding, Level
from reports.store.shapes import BUCKETS, Latest, Past
from testroom.it import data, equipment_data, network
from testroom.it.data import UNTESTED
from testroom.it.markup import Html, tag
from testroom.it.query import Query, read

NOW = 1.8e9
DAY = 86400.0


def finding(rule: str, level: Level = "degraded", owner: str = "you", subject: str = "wifi", **params: str) -> Finding:
    return Finding(level, rule, subject, None, None, owner, "use_cable", params={"quantity": rule} | params)  # type: ignore[arg-type]


def one(
    level: Level | None = "ready", days: float = 1, unit: str = "", kind: str = "wired",
    findings: tuple[Finding, ...] = (), passed: tuple[str, ...] = (), **values: float,
) -> Latest:  # fmt: skip
    at = NOW - days * DAY
    test = Past("r", at, at, level, kind, "agent", "0.1.0", values) if level else None
    return Latest("a" * 32, "", unit, "", at, at, test, findings, passed)


def test_each_machine_counts_once_and_the_old_are_untested() -> None:
    machines = [one("ready"), one("not_ready"), one("ready", days=31), one(None), one("unknown")]
    since = NOW - 30 * DAY
    assert data.total(machines, since) == {"ready": 1, "not_ready": 1, "unknown": 1, UNTESTED: 2}
    assert sum(data.total(machines, since).values()) == len(machines)


def test_units_and_kinds_add_up_to_all() -> None:
    machines = [
        one("ready", unit="A"),
        one("degraded", unit="A", kind="wifi"),
        one("not_ready", unit="B", kind="none"),
        one(None, unit="B"),
    ]
    since = NOW - 30 * DAY
    units = {line.name: dict(line.tally) for line in data.by_unit(machines, since)}
    assert units == {"B": {"not_ready": 1, UNTESTED: 1}, "A": {"ready": 1, "degraded": 1}}
    assert [line.name for line in data.by_unit(machines, since)] == ["B", "A"]  # the worst first
    assert [line.name for line in data.by_kind(machines, since)] == ["wired", "wifi", "none"]
    assert sum(sum(line.tally.values()) for line in data.by_kind(machines, since)) == 3


def test_what_fails_is_counted_by_machine_at_its_worst() -> None:
    twice = (finding("loss_up"), finding("loss_up", "not_ready"), finding("rtt", "unknown"))
    failed = finding("camera_busy", "degraded", "you", "camera", quantity="camera", code="camera_busy")
    fault = finding("upload_queue", "degraded", "municipal_it", quantity="fault")
    machines = [one("not_ready", findings=twice), one("degraded", findings=(finding("loss_up"), failed, fault))]
    assert [(ln.name, dict(ln.tally)) for ln in data.failing(machines)] == [
        ("loss_up", {"not_ready": 1, "degraded": 1}),
        ("camera_busy", {"degraded": 1}),
    ]
    assert [(ln.name, dict(ln.tally)) for ln in data.owners(machines)] == [
        ("you", {"not_ready": 1, "degraded": 1}),
        ("municipal_it", {"degraded": 1}),
    ]
    assert data.faults(machines) == [("upload_queue", "municipal_it", 1)]


def test_the_counts_lead_to_lists_of_the_same_length() -> None:
    machines = [
        one("not_ready", findings=(finding("loss_up", "not_ready"), finding("rtt", "unknown"))),
        one("degraded", findings=(finding("loss_up", owner="operator"),)),
        one("ready"), one("degraded", days=60, findings=(finding("loss_up"),)),
    ]  # fmt: skip
    since = NOW - 30 * DAY
    for line in data.failing(data.tested(machines, since)):
        found = [m for m in machines if data.has(m, since, "", line.name, "")]
        assert len(found) == sum(line.tally[level] for level in data.WRONG)
    for line in data.owners(data.tested(machines, since)):
        assert len([m for m in machines if data.has(m, since, "", "", line.name)]) == sum(line.tally.values())
    for level, count in data.total(machines, since).items():
        assert len([m for m in machines if data.has(m, since, level, "", "")]) == count
    assert not any(data.has(m, since, "", "rtt", "") for m in machines)  # unknown is no failing


@pytest.mark.parametrize(("q", "value"), [(0.05, 1), (0.25, 3), (0.5, 5), (0.75, 8), (0.95, 10), (1.0, 10)])
def test_quantiles_are_values_that_were_measured(q: float, value: float) -> None:
    assert data.quantile([float(n) for n in range(1, 11)], q) == value


def test_spreads_are_of_each_kind_by_itself() -> None:
    machines = [one(kind="wifi", rtt_p95_seconds=n / 100) for n in range(1, 11)]
    machines += [one(rtt_p95_seconds=0.2), one("unknown")]
    wired, wifi = data.spreads("rtt_p95_seconds", machines, lambda v: v < 0.055)
    assert (wired.kind, wired.count, wired.median, wired.good) == ("wired", 1, 0.2, 0)
    assert (wifi.kind, wifi.count, wifi.low, wifi.median, wifi.high, wifi.good) == ("wifi", 10, 0.01, 0.05, 0.1, 5)


def test_every_distribution_that_is_kept_is_drawn_with_its_rule() -> None:
    rows = load_policy().rows
    assert network.RULES.keys() == BUCKETS.keys()
    assert {quantity: rows[rule].value for quantity, rule in network.RULES.items()} == {q: q for q in BUCKETS}


def test_every_rule_about_the_computer_is_in_a_part() -> None:
    shown = {rule for rules in equipment_data.PARTS.values() for rule in rules}
    assert shown == {rule for rule, row in load_policy().rows.items() if row.per == "computer"}


def test_equipment_is_told_apart_by_what_was_found() -> None:
    busy = finding("camera_busy", "not_ready", "you", "camera", quantity="camera", code="camera_busy")
    old = finding("browser", "degraded", subject="computer")
    machines = [one(passed=("camera_picture", "camera_frames", "browser")), one(findings=(busy, old)), one()]
    found = {part.line.name: part for part in equipment_data.parts(machines)}
    assert found["camera"].line.tally == {"ready": 1, "not_ready": 1, UNTESTED: 1}
    assert {ln.name: dict(ln.tally) for ln in found["camera"].rules} == {
        "camera_picture": {"ready": 1}, "camera_frames_per_second": {"ready": 1}, "camera_busy": {"not_ready": 1}
    }  # fmt: skip
    assert found["browser"].line.tally == {"ready": 1, "degraded": 1, UNTESTED: 1}
    assert found["speaker"].line.tally == {UNTESTED: 3}


def test_ages() -> None:
    machines = [one(days=d) for d in (0.5, 1, 1.1, 7, 8, 30, 31, 91)] + [one(None)]
    assert data.ages(machines, NOW) == {"1": 2, "7": 2, "30": 2, "90": 1, "older": 1, "never": 1}


@pytest.mark.parametrize(("asked", "unit", "days"), [
    ({}, None, 30), ({"unit": ""}, None, 30), ({"unit": "="}, "", 30), ({"unit": "=A=B", "days": "7"}, "A=B", 7),
    ({"unit": "A"}, None, 30), ({"days": "8"}, None, 30), ({"days": "x"}, None, 30), ({"unit": "=\ud800"}, None, 30),
    ({"unit": "=\0"}, None, 30),
])  # fmt: skip
def test_questions(asked: dict[str, str], unit: str | None, days: int) -> None:
    q = read(asked, "sv", NOW)
    assert (q.unit, q.days) == (unit, days)
    assert q.since == NOW - days * DAY


def test_links_keep_the_question() -> None:
    assert Query("sv", NOW).href("/it") == "/it"
    assert (
        Query("sv", NOW, "Å & B", 7).href("/it/machines", level="ready")
        == "/it/machines?unit=%3D%C3%85+%26+B&days=7&level=ready"
    )


def test_text_never_becomes_markup() -> None:
    assert tag("p", "<b>", ["&", None], Html("<br>"), title='"x"', hidden=True, lang=None) == (
        '<p title="&quot;x&quot;" hidden>&lt;b&gt;&amp;<br></p>'
    )
    with pytest.raises(TypeError):
        tag("p", object())
