"""The verdict's table: what was found, and the level, the finding and the next action that follow from it."""

from pathlib import Path

import pytest

from reports.record import Failure, Measurement
from tests.reports.make import GOOD, echo, finding, good, link, policy_from, verdict


def between(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}_ci95_low": low, f"{name}_ci95_high": high}


BAD_LOSS = between("loss_up_ratio", 0.05, 0.04, 0.06)
UNSURE_LOSS = between("loss_up_ratio", 0.04, 0.01, 0.07)
ONE_LOST = between("burst_loss_up_ratio", 0.05, 0.002, 0.2)
MANY_LOST = between("burst_loss_up_ratio", 0.5, 0.3, 0.7)
CPU_BAD = echo("eth0", name="call", call_cpu_ratio=0.95)

LEVELS = [  # what, measurements, with a room, embedded
    ("all is well", [good()], "ready", "unknown"),
    ("nothing measured", [], "unknown", "unknown"),
    ("one value short", [echo(**{k: v for k, v in GOOD.items() if k != "loss_up_ratio"})], "unknown", "unknown"),
    ("another link only", [good("wlan0")], "unknown", "unknown"),
    ("a bit slow", [good(rtt_p95_seconds=0.2)], "degraded", "unknown"),
    ("too slow", [good(rtt_p95_seconds=0.4)], "not_ready", "unknown"),
    ("lossy", [good(**BAD_LOSS)], "not_ready", "unknown"),
    ("perhaps lossy", [good(**UNSURE_LOSS)], "degraded", "unknown"),
    ("a lost packet in a window", [good(**ONE_LOST)], "ready", "unknown"),
    ("many lost in a window", [good(**MANY_LOST)], "not_ready", "unknown"),
    ("the test failed", [echo(failure="no_reply")], "unknown", "unknown"),
    ("the link went", [echo(failure="link_vanished")], "not_ready", "unknown"),
    ("stopped, good so far", [Measurement("echo", "eth0", 1.8e9, 2.0, GOOD, failure=Failure("echo", "interrupted"))],
     "unknown", "unknown"),
    ("bad and a failed test", [good(rtt_p95_seconds=0.4), echo(name="throughput", failure="timeout")],
     "not_ready", "unknown"),
    ("degraded and a failed test", [good(rtt_p95_seconds=0.2), echo(name="throughput", failure="timeout")],
     "degraded", "unknown"),
    ("good and a failed test that nothing needs", [good(), echo(name="throughput", failure="transfer_stalled")],
     "ready", "unknown"),
    ("good and name servers that are silent", [good(), echo(name="dns", failure="dns_timeout")],
     "degraded", "unknown"),
    ("one value short and a failed test", [echo(rtt_p95_seconds=0.02), echo(name="path", failure="timeout")],
     "unknown", "unknown"),
    ("good, and then the link went", [good(), echo(name="throughput", failure="link_vanished")],
     "not_ready", "unknown"),
    ("another link is bad", [good(), good("wlan0", rtt_p95_seconds=0.9)], "ready", "unknown"),
    ("another link failed", [good(), echo("wlan0", failure="no_reply")], "ready", "unknown"),
    ("this computer is too busy", [good(), CPU_BAD], "not_ready", "not_ready"),
    ("a quiet microphone", [good(), echo("mic", name="microphone", speech_level_dbfs=-45)], "degraded", "unknown"),
    ("exact zeros", [good(), Measurement("microphone", "mic", 1.8e9, 1.0, facts={"exact_zeros": True})],
     "not_ready", "not_ready"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "found", "with_room", "embedded"), LEVELS, ids=[row[0] for row in LEVELS])
def test_the_level(what: str, found: list[Measurement], with_room: str, embedded: str) -> None:
    links = (link(), link("wlan0", "wifi"))
    assert verdict(*found, links=links).level == with_room
    assert verdict(*found, links=links, embedded=True).level == embedded


def test_no_link_at_all() -> None:
    none = verdict(links=(link(carrier=False, addresses=()),), chosen=None)
    assert (none.level, none.action, finding(none, "link").owner) == ("not_ready", "connect", "you")
    assert verdict(links=(link(),), chosen=None, embedded=True).level == "unknown"


def test_the_embedded_room_is_said_and_its_rows_are_listed() -> None:
    v = verdict(good(), embedded=True)
    assert (finding(v, "room").level, finding(v, "room").owner) == ("unknown", "municipal_it")
    assert (finding(v, "rtt").level, finding(v, "rtt").params["consequence"]) == ("ready", "means.within_computer")
    assert "consequence" not in finding(verdict(good()), "rtt").params
    assert v.action == "ask_for_room"


def test_what_could_not_be_measured_is_listed_as_unknown_and_is_neither() -> None:
    m = Measurement("echo", "eth0", 1.8e9, 10.0, GOOD, unknown={"throughput_up_bytes_per_second": "no budget"})
    v = verdict(m)
    assert v.level == "ready"
    assert (finding(v, "throughput_up").level, finding(v, "throughput_up").value) == ("unknown", None)


def test_a_required_value_that_could_not_be_measured_leaves_no_answer() -> None:
    values = {k: v for k, v in GOOD.items() if k != "loss_up_ratio"}
    v = verdict(Measurement("echo", "eth0", 1.8e9, 10.0, values, unknown={"loss_up_ratio": "stateless reflector"}))
    assert (v.level, v.action) == ("unknown", "test_again")
    assert [f.rule for f in v.findings if f.level == "unknown"] == ["loss_up"]


def test_one_finding_per_rule_and_subject_the_worst() -> None:
    v = verdict(good(rtt_p95_seconds=0.2), good(rtt_p95_seconds=0.4), good(rtt_p95_seconds=0.02))
    assert finding(v, "rtt").value == 0.4


def test_five_probes_on_a_link_that_vanished_are_one_finding() -> None:
    v = verdict(*(echo(name=n, failure="link_vanished") for n in "abcde"))
    assert [f.value for f in v.findings if f.level != "ready" and "code" in f.params] == ["link_vanished"]


def test_a_failure_outranks_missing_values_even_when_the_policy_plays_it_down(tmp_path: Path) -> None:
    mild = policy_from(tmp_path, '[failures]\nno_reply = { level = "degraded" }\n')
    assert verdict(echo(failure="no_reply"), policy=mild).level == "unknown"


SURE = [  # values, the rule, its level, sure
    (between("loss_up_ratio", 0.05, 0.04, 0.06), "loss_up", "not_ready", True),
    (between("loss_up_ratio", 0.04, 0.01, 0.07), "loss_up", "not_ready", False),
    (between("loss_up_ratio", 0.01, 0.001, 0.02), "loss_up", "degraded", False),
    (between("loss_up_ratio", 0.0, 0.0, 0.02), "loss_up", "ready", False),
    (between("loss_up_ratio", 0.0, 0.0, 0.001), "loss_up", "ready", True),
    ({"jitter_up_seconds": 0.016, "jitter_floor_seconds": 0.004}, "jitter_up", "degraded", False),
    ({"jitter_up_seconds": 0.016, "jitter_floor_seconds": 0.0001}, "jitter_up", "degraded", True),
    ({"burst_loss_up_ratio": 0.3, "burst_loss_up_ratio_ci95_low": 0.2}, "burst_loss_up", "not_ready", True),
]  # fmt: skip


@pytest.mark.parametrize(("values", "rule", "level", "sure"), SURE)
def test_sure_or_not(values: dict[str, float], rule: str, level: str, sure: bool) -> None:
    f = finding(verdict(good(**values)), rule)
    assert (f.level, f.sure) == (level, sure)


def test_burst_loss_is_judged_by_the_lower_end() -> None:
    f = finding(verdict(good(burst_loss_up_ratio=0.3, burst_loss_up_ratio_ci95_low=0.05)), "burst_loss_up")
    assert (f.value, f.level, f.limit) == (0.05, "degraded", 0.01)


SENT = "throughput_up_bytes_per_second"
BOUNDS = [  # bytes per second, was the line full, level of the row, of the verdict
    (300_000, False, "ready", "ready"),
    (300_000, True, "ready", "ready"),
    (100_000, False, "unknown", "ready"),
    (100_000, True, "degraded", "degraded"),
    (9_000, False, "unknown", "ready"),
    (9_000, True, "not_ready", "not_ready"),
]


@pytest.mark.parametrize(("rate", "full", "level", "whole"), BOUNDS)
def test_a_transfer_that_ended_before_the_line_was_full_is_a_lower_bound(
    rate: float, full: bool, level: str, whole: str
) -> None:
    m = Measurement("throughput", "eth0", 1.8e9, 1.0, {SENT: rate}, {"saturated_up": full, "saturated_down": not full})
    v = verdict(good(), m)
    f = finding(v, "throughput_up")
    assert (f.level, f.value, f.sure, v.level) == (level, rate, level != "unknown", whole)
    assert f.level != "unknown" or (f.owner, f.advice) == ("you", "test_again")


def test_a_failed_test_is_shown_by_its_name_and_does_not_choose_the_next_action() -> None:
    spent = echo(name="throughput", failure="budget_spent")
    v = verdict(good(), spent)
    f = finding(v, "throughput")
    assert (f.value, f.params["quantity"], v.action) == ("budget_spent", "throughput", "ready_go")
    refused = [echo(failure="room_token_refused"), spent]
    assert verdict(*refused).action == verdict(*reversed(refused)).action == "ask_token"
    alone = verdict(echo(name="throughput", failure="room_token_refused"))
    assert (alone.level, alone.action) == ("unknown", "ask_token")


def test_needs_binds_a_rule_to_one_probe(tmp_path: Path) -> None:
    mine = policy_from(tmp_path, '[rules.mos_up]\nneeds = "call"\n')
    assert finding(verdict(good(), echo(name="call", mos_up=3.0), policy=mine), "mos_up").value == 3.0
    assert not [f for f in verdict(good(), policy=mine).findings if f.rule == "mos_up"]


def test_findings_name_the_direction_and_the_consequence() -> None:
    v = verdict(good(loss_down_ratio=0.2))
    assert finding(v, "loss_down").params["consequence"] == "means.loss_down_not_ready"
    assert finding(v, "loss_up").level == "ready"


def test_too_loud_has_other_words_than_too_quiet() -> None:
    def spoken(level: float) -> str:
        return finding(verdict(good(), echo("mic", speech_level_dbfs=level)), "speech_level").advice

    assert (spoken(-10), spoken(-45)) == ("turn_down_microphone", "speak_closer")


def test_the_order_of_findings() -> None:
    v = verdict(
        good(rtt_p95_seconds=0.4, loss_up_ratio=0.01),
        echo("cam", camera_frames_per_second=20),
        echo("mic", speech_level_dbfs=-70),
        good("wlan0", rtt_p95_seconds=0.9),
        links=(link(), link("wlan0", "wifi")),
    )
    worst = [(f.rule, f.subject) for f in v.findings if f.level != "ready"]
    assert worst == [
        ("speech_level", "mic"), ("camera_frames", "cam"), ("rtt", "eth0"), ("loss_up", "eth0"), ("rtt", "wlan0"),
    ]  # fmt: skip
    levels = [f.level for f in v.findings]
    assert levels == sorted(levels, key=lambda level: level == "ready")


WIFI = (link("wlan0", "wifi"),)
KINDS = [  # kind of the link in use, measurements, level of link_kind, of the verdict
    ("wired", [good("x")], "ready", "ready"),
    ("wifi", [good("x")], "ready", "ready"),
    ("wifi", [], "degraded", "unknown"),
    ("wifi", [echo("x", rtt_p95_seconds=0.02)], "degraded", "unknown"),
    ("wifi", [good("x", jitter_up_seconds=0.02)], "degraded", "degraded"),
    ("wifi", [good("x", mos_up=3.0)], "degraded", "not_ready"),
    ("tethered", [good("x")], "degraded", "degraded"),
    ("mobile", [good("x")], "degraded", "degraded"),
    ("other", [good("x")], "unknown", "ready"),
    ("vpn", [good("x")], "unknown", "ready"),
]


@pytest.mark.parametrize(("kind", "found", "level", "whole"), KINDS)
def test_the_kind_of_link(kind: str, found: list[Measurement], level: str, whole: str) -> None:
    v = verdict(*found, links=(link("x", kind),), chosen="x")  # type: ignore[arg-type]
    assert (finding(v, "link_kind").level, v.level) == (level, whole)


def test_wifi_with_the_embedded_room_was_not_tested() -> None:
    v = verdict(good("wlan0"), links=WIFI, chosen="wlan0", embedded=True)
    assert finding(v, "link_kind").level == "degraded"


@pytest.mark.parametrize(("beneath", "level"), [("eth0", "ready"), ("usb0", "degraded"), ("gone", "unknown")])
def test_a_vpn_is_what_is_beneath_it(beneath: str, level: str) -> None:
    links = (link("tun0", "vpn", beneath=beneath), link(), link("usb0", "tethered"))
    assert finding(verdict(good("tun0"), links=links, chosen="tun0"), "link_kind").level == level


def test_vpns_beneath_each_other_do_not_hang() -> None:
    links = (link("a", "vpn", beneath="b"), link("b", "vpn", beneath="a"))
    assert finding(verdict(good("a"), links=links, chosen="a"), "link_kind").level == "unknown"


def test_on_wifi_the_person_can_do_something_and_on_cable_the_support() -> None:
    wifi = verdict(good("wlan0", rtt_p95_seconds=0.4), links=WIFI, chosen="wlan0")
    assert (finding(wifi, "rtt").owner, finding(wifi, "rtt").advice) == ("you", "cable_or_closer")
    assert finding(verdict(good(rtt_p95_seconds=0.4)), "rtt").owner == "municipal_it"


@pytest.mark.parametrize(
    ("facts", "level", "value"),
    [
        ({}, "unknown", None),
        ({"at_least_capacity_up_bytes_per_second": 4e6}, "ready", 4e6),
        ({"at_least_capacity_up_bytes_per_second": 1e5}, "unknown", None),
        ({"at_least_capacity_down_bytes_per_second": 4e6}, "unknown", None),
    ],
)
def test_at_least_enough_is_enough(facts: dict[str, float], level: str, value: float | None) -> None:
    """How much is not known; a bound that is good settles it, one that is not settles nothing and blames nobody."""
    unknown = {"capacity_up_bytes_per_second": "the sender was the bottleneck"}
    asked = Measurement("capacity", "eth0", 1.8e9, 1.0, facts=facts, unknown=unknown)
    found = finding(verdict(good(), asked), "capacity_up")
    assert (found.level, found.value) == (level, value)
    if level == "unknown":
        assert (found.owner, found.advice) == ("you", "test_again")
