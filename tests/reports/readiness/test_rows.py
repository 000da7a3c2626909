"""Each machine's standing, how long it lasts, what is asked of it, and what to mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from media_check import CHECKS
from probes import PROBES
from reports.policy import SITUATIONS
from reports.readiness.requirements import OTHER, REQUIREMENTS, of_finding, of_rule
from reports.readiness.rows import report, rows, total, totals, work
from reports.readiness.shapes import STANDINGS
from reports.record import Finding, Measurement
from reports.reference import code_of
from reports.verdict import judge
from tests.reports.make import POLICY, echo, good, link, policy_from
from tests.reports.readiness.made import BAD, DAY, NOW, THROUGHPUT, a_fleet, a_report, latest, self_test

WIFI = link("wlan0", "wifi", is_default=True)


def test_one_of_each_standing() -> None:
    found = rows(a_fleet(), POLICY, NOW)
    assert [row.standing for row in found] == ["ready", "not_ready", "degraded", "expired", "untested", "unknown"]
    assert [row.soon for row in found] == [False, True, False, False, False, False]
    assert [row.level for row in found] == ["ready", "not_ready", "degraded", "ready", None, "unknown"]
    assert [row.reference for row in found][:1] == [code_of("r1")]


@pytest.mark.parametrize(
    ("days_ago", "standing", "soon"),
    [(0, "ready", False), (22.9, "ready", False), (23.1, "ready", True), (29.9, "ready", True), (30, "expired", False)],
)
def test_how_long_a_test_counts(days_ago: float, standing: str, soon: bool) -> None:
    (row,) = rows([latest(1, self_test(ago=days_ago * DAY))], POLICY, NOW)
    assert (row.standing, row.soon) == (standing, soon)
    assert row.valid_until == pytest.approx(NOW + (30 - days_ago) * DAY)


def test_the_huvudman_says_how_long(tmp_path: Path) -> None:
    mine = policy_from(tmp_path, "[readiness]\nvalid_seconds = 864000\nsoon_seconds = 0\n")
    machines = [latest(1, self_test(ago=9 * DAY)), latest(2, self_test(ago=11 * DAY))]
    assert [row.standing for row in rows(machines, mine, NOW)] == ["ready", "expired"]
    assert report("habo", None, machines, mine, NOW).valid_seconds == 10 * DAY


def sound(word: str) -> Measurement:
    return Measurement("microphone", "microphone", NOW, 1.0, facts={"microphone_sound": word})


def equipment(word: str) -> Measurement:
    return Measurement("equipment", "computer", NOW, 1.0, facts={"equipment": word})


ASKED = [
    ((good(**THROUGHPUT),), {"connection": "ready", "network": "ready", "capacity": "ready"}),
    ((good(**BAD),), {"connection": "ready", "network": "not_ready"}),
    ((good(), echo("camera", name="camera", camera_frames_per_second=12)), {"camera": "degraded"}),
    ((good(), echo("camera", name="camera", failure="devices_unanswered")), {"camera": "unknown"}),
    ((good(), echo("eth0", name="join_tls", failure="tls_expired")), {"join": "not_ready"}),
    ((echo("eth0", name="echo", failure="room_unreachable"),), {"network": "unknown"}),
    ((good(), sound("good"), equipment("not_asked")), {"sound": "ready"}),
    ((good(), sound("not_spoken"), equipment("fits")), {"sound": "unknown"}),
    ((good(), equipment("not_asked")), {"sound": None}),
]


@pytest.mark.parametrize(("measurements", "expected"), ASKED)
def test_each_requirement_has_the_worst_of_its_rules(measurements, expected) -> None:  # type: ignore[no-untyped-def]
    (row,) = rows([latest(1, self_test(*measurements))], POLICY, NOW)
    assert {name: row.requirements.get(name) for name in expected} == expected
    assert "call" not in row.requirements  # what was not tested is not there


def test_a_test_within_the_computer_says_nothing_of_the_network() -> None:
    verdict = judge(POLICY, (link(is_default=True),), (good(),), chosen="eth0", embedded=True)
    test = replace(self_test(good()), verdict=verdict)
    (row,) = rows([latest(1, test)], POLICY, NOW)
    assert (row.standing, row.requirements) == ("unknown", {"connection": "ready", "network": "unknown"})
    assert [(fix.owner, fix.advice) for fix in row.fixes] == [("municipal_it", "ask_for_room")]


def test_another_links_faults_are_not_the_machines() -> None:
    links = (link(is_default=True), link("wlan0", "wifi"))
    (row,) = rows([latest(1, self_test(good(), good("wlan0", **BAD), links=links))], POLICY, NOW)
    assert (row.standing, row.requirements["network"], row.fixes) == ("ready", "ready", ())


def test_of_two_links_of_one_kind_the_one_in_use_counts() -> None:
    links = (link(is_default=True), link("eth1"))
    (row,) = rows([latest(1, self_test(good(), good("eth1", **BAD), links=links))], POLICY, NOW)
    assert (row.requirements["network"], row.fixes) == ("ready", ())


def test_what_is_not_sure_counts_as_degraded() -> None:
    unsure = good(loss_up_ratio=0.04, loss_up_ratio_ci95_low=0.01, loss_up_ratio_ci95_high=0.07)
    (row,) = rows([latest(1, self_test(unsure))], POLICY, NOW)
    assert (row.standing, row.requirements["network"]) == ("degraded", "degraded")


def fixes(*measurements, **more):  # type: ignore[no-untyped-def]
    (row,) = rows([latest(1, self_test(*measurements, **more))], POLICY, NOW)
    return [(fix.owner, fix.advice, [f.rule for f in fix.findings]) for fix in row.fixes]


def test_what_to_mend_and_who() -> None:
    assert fixes(good()) == []
    assert fixes(good(**BAD)) == [("municipal_it", "ask_network", ["loss_up"])]
    assert fixes(good(loss_up_ratio=0.2, jitter_up_seconds=0.2)) == [
        ("municipal_it", "ask_network", ["jitter_up", "loss_up"])
    ]
    assert fixes(good(), ago=31 * DAY) == [("you", "readiness.new_test", [])]
    assert fixes(good(**BAD), ago=31 * DAY)[0] == ("you", "readiness.new_test", [])
    assert fixes(echo("eth0", failure="room_unreachable")) == [("municipal_it", "ask_room_reachable", ["echo"])]
    assert [row.fixes[0].advice for row in rows([latest()], POLICY, NOW)] == ["readiness.first_test"]


def test_a_cable_that_is_there_is_to_be_used() -> None:
    links = (WIFI, link("eth0"))
    (row,) = rows([latest(1, self_test(good("wlan0"), links=links, chosen="wlan0"))], POLICY, NOW)
    assert (row.link_kind, row.fixes[0].advice) == ("wifi", "use_cable")
    assert "link" not in row.fixes[0].params


def test_totals_add_up() -> None:
    found = a_report().machines
    units = totals(found)
    assert [each.unit for each in units] == ["Norr", "Söder & Öst", ""]
    whole = total("", found)
    assert whole.machines == sum(whole.standings.values()) == 6
    assert {s: sum(each.standings[s] for each in units) for s in STANDINGS} == whole.standings
    assert (whole.soon, [each.soon for each in units]) == (1, [1, 0, 0])


def test_units_stand_in_swedish_order() -> None:
    machines = [latest(n, unit=unit) for n, unit in enumerate(("Örby", "", "zon", "Ängen", "Åsen", "Ale"))]
    assert [each.unit for each in totals(rows(machines, POLICY, NOW))] == ["Ale", "zon", "Åsen", "Ängen", "Örby", ""]


def test_work_counts_machines_not_findings() -> None:
    machines = [latest(n, self_test(good(loss_up_ratio=0.2, jitter_up_seconds=0.2))) for n in range(3)] + [latest(9)]
    assert [(each.owner, each.advice, each.machines) for each in work(rows(machines, POLICY, NOW))] == [
        ("municipal_it", "ask_network", 3),
        ("you", "readiness.first_test", 1),
    ]


def test_each_rule_probe_check_situation_and_fault_belongs_to_one_requirement() -> None:
    kinds = ("wifi", "tethered", "mobile")
    faults = {name for name in POLICY.faults if name.rpartition("_")[2] not in kinds}
    known = {*POLICY.rows, *PROBES, *CHECKS, *SITUATIONS, *faults}
    listed = [rule for rules in REQUIREMENTS.values() for rule in rules]
    assert sorted(listed) == sorted(known)
    assert of_rule("join_portal") == "join"


def test_a_rule_of_the_huvudmans_own_goes_where_its_value_is_known() -> None:
    mine = Finding(
        "degraded", "our_rtt", "wired", 0.2, 0.1, "you", "ask_network", params={"quantity": "rtt_p95_seconds"}
    )
    assert of_finding(mine) == "network"
    assert of_finding(replace(mine, params={"quantity": "battery_ratio"})) == OTHER
