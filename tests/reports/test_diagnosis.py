"""Where the fault is: faults as the probes would see them, and what is named, by whom to mend, in which words."""

import math
from typing import Any

import pytest

from reports.advice.words import finding_text
from reports.record import Kind, Measurement, Wifi
from tests.reports.make import link, verdict
from tests.reports.seen import CLEAN, dns, echo, full_queue, judged, local, named, path, probe, rates

UP, DOWN = full_queue("up"), full_queue("down")
SHAKEN = {"pdv_down_p50_seconds": 0.03, "pdv_down_p95_seconds": 0.06}
FLOODED = {"rtt_min_seconds": 0.2, "rtt_p50_seconds": 0.21, "rtt_p95_seconds": 0.22, "mos_up": 2.0}
RANDOM = UP | {"ipdv_up_p50_seconds": 0.06, "ipdv_up_p95_seconds": 0.17}
PATH, LOCAL, DNS, RATES = path(), local(), dns(), rates()

FOUR, EIGHT = 26, 53  # per cent, of the echo's packets; 4 is not surely more than the policy's 3

# what is wrong, kind of link, measurements: what is named, whose it is, how bad, is it sure
FAULTS: list[tuple[str, Kind, tuple[Measurement, ...], str, str, str, bool]] = [
    ("wifi loses 4 %", "wifi", (echo(FOUR), path(12), LOCAL, DNS, *RATES), "first_hop_loss", "you", "degraded", True),
    ("wifi loses 8 %", "wifi", (echo(EIGHT), path(24), LOCAL), "first_hop_loss", "you", "not_ready", True),
    ("wifi loses 1 %", "wifi", (echo(9), path(4)), "first_hop_loss", "you", "degraded", True),
    ("a bad cable", "wired", (echo(FOUR), path(12)), "first_hop_loss", "municipal_it", "degraded", True),
    ("a phone loses", "tethered", (echo(0, EIGHT), path(24)), "first_hop_loss", "you", "not_ready", True),
    ("wifi and more beyond", "wifi", (echo(66), path(12, beyond=30)), "first_hop_loss", "you", "not_ready", True),
    ("loss beyond the router", "wired", (echo(EIGHT), path(0, beyond=24), LOCAL, DNS, *RATES),
     "beyond_loss", "operator", "not_ready", True),
    ("loss beyond, one ping lost", "wifi", (echo(0, FOUR), path(1, beyond=12)),
     "beyond_loss", "operator", "degraded", True),
    ("a neighbour sends", "wired", (echo(**UP), PATH, LOCAL, *RATES), "upload_queue", "municipal_it", "degraded", True),
    ("a neighbour sends, wifi", "wifi", (echo(**UP), PATH, LOCAL), "upload_queue", "you", "degraded", True),
    ("and the queue overflows", "wired", (echo(EIGHT, **UP), PATH, LOCAL),
     "upload_queue", "municipal_it", "not_ready", True),
    ("a neighbour fetches", "mobile", (echo(**DOWN), PATH, LOCAL, *RATES), "download_queue", "you", "degraded", True),
    ("who fills it is not known", "wired", (echo(**UP), PATH), "upload_queue", "municipal_it", "degraded", False),
    ("a flood", "wired", (echo(300, **FLOODED), PATH, LOCAL, *rates(20_000)),
     "upload_queue", "municipal_it", "not_ready", True),
    ("a flood, or far away", "wired", (echo(300, **FLOODED), PATH, LOCAL),
     "upload_queue", "municipal_it", "not_ready", False),
    ("a flood, or an early stop", "wired", (echo(300, **FLOODED), PATH, LOCAL, *rates(20_000, full=False)),
     "upload_queue", "municipal_it", "not_ready", False),
    ("what fills the way out shakes the way in", "wired", (echo(**(DOWN | UP | SHAKEN)), PATH, LOCAL),
     "upload_queue", "municipal_it", "degraded", True),
    ("far away, loss both ways beyond", "wired", (echo(100, 100, **FLOODED), path(0, beyond=60), LOCAL),
     "beyond_loss", "operator", "not_ready", True),
    ("own upload", "wired", (echo(**UP), PATH, local(up=500_000), *RATES), "own_upload", "you", "degraded", True),
    ("own upload, seen in the rate only", "wifi", (echo(), PATH, local(up=500_000), *rates(100_000)),
     "own_upload", "you", "degraded", True),
    ("own upload, rate not known", "wired", (echo(**UP), PATH, local(up=500_000)),
     "own_upload", "you", "degraded", False),
    ("own upload waits in here", "wired", (echo(local_queue_p95_seconds=0.3), local(up=500_000), *RATES),
     "own_upload", "you", "degraded", True),
    ("own download", "wired", (echo(**DOWN), PATH, local(down=1_000_000), *RATES),
     "own_download", "you", "degraded", True),
    ("no core free", "wired", (echo(), PATH, local(busy=0.99, wait=0.4)), "cpu_starved", "you", "degraded", True),
    ("no core free, wait not told", "wired", (echo(), probe("local", {"cpu_busy_ratio": 0.99})),
     "cpu_starved", "you", "degraded", True),
    ("held up by a quota, packets late", "wired", (echo(sends_missed_ratio=0.3), PATH, local(wait=0.6)),
     "cpu_starved", "you", "degraded", True),
    ("packets late", "wired", (echo(sends_missed_ratio=0.5), PATH), "cpu_starved", "you", "degraded", False),
    ("small mtu, icmp filtered", "wired", (echo(), path(hole="up")),
     "mtu_black_hole", "municipal_it", "degraded", True),
    ("both ways", "wifi", (path(hole="both"),), "mtu_black_hole", "municipal_it", "degraded", True),
    ("slow dns", "wired", (echo(), PATH, dns(1.5)), "slow_dns", "municipal_it", "degraded", True),
    ("dns that fails", "wired", (echo(), dns(0.02, 0.5)), "slow_dns", "municipal_it", "degraded", True),
    ("dns silent", "wired", (echo(), probe("dns", {}, failure="dns_timeout")),
     "slow_dns", "municipal_it", "degraded", True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "kind", "found", "rule", "owner", "level", "sure"), FAULTS, ids=[f[0] for f in FAULTS]
)
def test_a_fault_is_named(
    what: str, kind: Kind, found: tuple[Measurement, ...], rule: str, owner: str, level: str, sure: bool
) -> None:
    faults = named(judged(found, kind))
    assert [(f.rule, f.owner, f.level, f.sure) for f in faults] == [(rule, owner, level, sure)]
    for said in (finding_text(faults[0], "en"), finding_text(faults[0], "sv")):
        assert "…" not in said
        assert "fault." not in said
        assert "remark." not in said


NOTHING: list[tuple[str, tuple[Measurement, ...]]] = [
    ("all is well", CLEAN),
    ("a packet lost here and there", (echo(1, 1), path(1), *CLEAN[2:])),
    ("pings lost and nothing else: the router rations them", (echo(), path(200, beyond=1), *CLEAN[2:])),
    ("loss, and a router that rations its answers", (echo(FOUR), path(200, beyond=12))),
    ("loss, and the router was not asked", (echo(FOUR), LOCAL, *RATES)),
    ("far away", (echo(rtt_min_seconds=0.28, rtt_p95_seconds=0.3), PATH, LOCAL)),
    ("random delay is no queue", (echo(**RANDOM), PATH, LOCAL)),
    ("values that are no numbers", (echo(**(UP | {f"pdv_up_{p}_seconds": math.inf for p in ("p50", "p95")})), LOCAL)),
    ("much background and all is well", (echo(), PATH, local(up=500_000, down=900_000), *RATES)),
    ("a busy computer that keeps up", (echo(), PATH, local(busy=0.9))),
    ("slow, but under our own load only", (echo(rtt_rise_up_seconds=0.4), PATH, LOCAL, *RATES)),
    ("the line is slow", (echo(), PATH, LOCAL, *rates(50_000, capacity_up_bytes_per_second=52_000.0))),
    ("work in the background that yields", (echo(), PATH, local(busy=0.99, wait=0.05))),
    ("names lost with the rest", (echo(FOUR), LOCAL, dns(0.02, 0.6))),
    ("names as slow as everything", (echo(rtt_min_seconds=0.7, rtt_p95_seconds=0.8), LOCAL, dns(0.8))),
    ("weak wifi that holds", (echo(), PATH, local(wifi_signal_dbm=-82.0, wifi_retry_ratio=0.6))),
    ("a link that vanished", (echo(300), path(0, beyond=150), probe("throughput", {}, failure="link_vanished"))),
    ("an mtu that could not be found", (echo(), path(hole="unknown"))),
]


@pytest.mark.parametrize(("what", "found"), NOTHING, ids=[n[0] for n in NOTHING])
def test_nothing_is_named(what: str, found: tuple[Measurement, ...]) -> None:
    assert named(judged(found, "wifi")) == []


def test_within_this_computer_only_the_computer_can_be_at_fault() -> None:
    found = (echo(FOUR), path(12), dns(2.0), local(busy=0.99, wait=0.5))
    assert [f.rule for f in named(verdict(*found, embedded=True))] == ["cpu_starved"]


def said(found: tuple[Measurement, ...], kind: Kind = "wifi", lang: Any = "en", **more: Any) -> str:
    (fault,) = named(judged(found, kind, **more))
    return finding_text(fault, lang).replace("\u00a0", " ")


SENTENCES = [
    (said((echo(FOUR), path(12))), "first router (wifi) 4% of the packets are lost, and after that next to nothing."),
    (said((echo(FOUR), path(12))), "Use a network cable if you can. Otherwise move closer to the wifi router"),
    (said((echo(FOUR), path(12)), lang="sv"), "(wifi) tappas 4 % av paketen, och därefter nästan inget."),
    (said((echo(17), path(8)), lang="sv"), "tappas 2,67 % av paketen"),
    (said((echo(66), path(12, beyond=30))), "4% of the packets are lost; on the whole way it is 10%."),
    (said((echo(FOUR), path(12), local(wifi_signal_dbm=-82.0))), "The wifi signal is weak (−82 dBm)."),
    (said((echo(FOUR), path(12)), wifi=Wifi(signal_dbm=-80.0)), "The wifi signal is weak (−80 dBm)."),
    (said((echo(FOUR), path(12), local(wifi_retry_ratio=0.5))), "50% of the wifi frames had to be sent again."),
    (said((echo(FOUR), path(0, beyond=12), local(vpn=True))), "The traffic goes through a VPN"),
    (said((echo(**UP), PATH, LOCAL)), "packets from you wait up to 180 ms in a queue. It is not this computer"),
    (said((echo(**UP), PATH, LOCAL)), "The queue is in the first router or beyond it."),
    (said((echo(**UP), path(rtt=0.2), LOCAL)), "The queue is before the first router."),
    (said((echo(**UP),)), "What fills it could not be seen."),
    (said((echo(**UP), local(up=5e5, background_kind="file sync"), *RATES)), "send 4 Mbit/s. Packets from you"),
    (said((echo(**UP), local(up=5e5, background_kind="file sync"), *RATES)), "It is probably file syncing."),
    (said((echo(), path(hole="up", path_mtu_up_bytes=1400.0))), "No packet from you over 1400 bytes comes through."),
    (said((echo(), local(busy=0.99, wait=0.4))), "The processor is 99% busy. The test had to wait for it 40% of the"),
    (said((echo(), dns(1.5)), lang="sv"), "ett svar tar 1,5 s."),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "part"), SENTENCES)
def test_the_evidence_in_a_sentence(sentence: str, part: str) -> None:
    assert part in sentence


def test_what_a_sure_fault_explains_gets_its_owner_and_advice_and_comes_after_it() -> None:
    v = judged((echo(EIGHT, mos_up=3.0), path(0, beyond=24)), "wifi")
    worst = [f for f in v.findings if f.level == "not_ready"]
    assert [(f.rule, f.owner, f.advice) for f in worst] == [
        ("beyond_loss", "operator", "ask_operator"),
        ("loss_up", "operator", "ask_operator"),
        ("mos_up", "operator", "ask_operator"),
    ]
    assert (v.level, v.action) == ("not_ready", "ask_operator")


def test_what_an_unsure_fault_explains_keeps_its_own() -> None:
    v = judged((echo(**UP), PATH), "wired")
    rows = {f.rule: f for f in v.findings}
    assert (rows["upload_queue"].sure, rows["rtt"].advice) == (False, "ask_network")


ACTIONS = [
    ("wifi", (echo(FOUR), path(12)), "cable_or_closer"),
    ("wired", (echo(FOUR), path(12)), "change_cable"),
    ("wired", (echo(FOUR), path(0, beyond=12)), "ask_operator"),
    ("wired", (echo(**UP), PATH, LOCAL), "ask_full_up"),
    ("wired", (echo(rtt_rise_up_seconds=0.1, **UP), PATH, LOCAL), "ask_full_up"),
    ("wired", (echo(**UP), PATH, local(busy=0.9)), "ask_full_up"),
    ("wired", (echo(**UP), PATH, local(up=5e5), *RATES), "pause_uploads"),
    ("wifi", (echo(**DOWN), PATH, LOCAL), "others_pause_downloads"),
    ("wired", (echo(), local(busy=0.99, wait=0.4)), "close_programs"),
    ("wired", (echo(), path(hole="down")), "ask_mtu"),
    ("wired", (echo(), dns(2.0)), "ask_dns"),
    ("wired", (echo(rtt_min_seconds=0.38, rtt_p95_seconds=0.4), dns(2.0)), "call_support"),  # DNS is not the reason
]  # fmt: skip


@pytest.mark.parametrize(("kind", "found", "action"), ACTIONS)
def test_the_next_action_follows_the_diagnosis(kind: Kind, found: tuple[Measurement, ...], action: str) -> None:
    assert judged(found, kind).action == action


def test_another_link_mends_the_wifi_hop_but_not_this_computer() -> None:
    links = (link(kind="wifi"), link("eth1"))
    assert verdict(echo(FOUR), path(12), links=links).action == "use_cable"
    assert verdict(echo(**UP), PATH, local(up=5e5), *RATES, links=links).action == "pause_uploads"


def test_each_link_is_weighed_by_itself() -> None:
    other = tuple(Measurement(m.name, "eth1", 1.8e9, 6.0, m.values, m.facts) for m in (echo(FOUR), path(0, beyond=12)))
    v = verdict(echo(FOUR), path(12), *other, links=(link(kind="wifi"), link("eth1")))
    assert [(f.rule, f.subject) for f in named(v)] == [("first_hop_loss", "eth0"), ("beyond_loss", "eth1")]
