"""The evidence under chance: what random loss makes of it, and values of every kind and none."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.advice.words import finding_text
from reports.evidence import counts
from reports.record import Kind, Measurement
from reports.vocabulary import NAMES, QUANTITIES
from tests.reports.make import GOOD
from tests.reports.seen import CLEAN, ECHOES, PINGS, echo, judged, named, path, probe, ratio, wilson


@pytest.mark.parametrize(
    ("lost", "sent"), [(0, 120), (1, 300), (12, 300), (150, 300), (149, 300), (299, 300), (20, 20)]
)
def test_counts_are_found_again_from_a_ratio_and_its_interval(lost: int, sent: int) -> None:
    found = counts(lost / sent, *wilson(lost, sent))
    assert found is not None
    assert found == pytest.approx((lost, sent), rel=0.02, abs=1e-6)


@pytest.mark.parametrize("ends", [(0.0, 0.0), (0.3, 0.1), (-1.0, 2.0), (0.0, 1.0), (math.nan, 0.5)])
def test_an_interval_that_is_none_gives_no_counts(ends: tuple[float, float]) -> None:
    assert counts(0.2, *ends) is None


@pytest.mark.parametrize("pings", [180, 300])
def test_four_percent_on_one_hop_is_named_right_nearly_always(pings: int) -> None:
    dice = random.Random(pings)

    def lost(sent: int, p: float) -> int:
        return sum(dice.random() < p for _ in range(sent))

    right = {"first_hop_loss": 0, "beyond_loss": 0, "": 0}
    for _ in range(1000):
        whole, up = ratio("path_loss_ratio", lost(pings, 0.04), pings), lost(ECHOES, 0.04)
        here = path(**whole, **ratio("gateway_loss_ratio", lost(pings, 0.04), pings))
        there = path(**whole, **ratio("gateway_loss_ratio", 0, pings))
        clean = (echo(lost(ECHOES, 0.0005)), path(lost(PINGS, 0.0005), beyond=lost(PINGS, 0.0005)), *CLEAN[2:])
        right["first_hop_loss"] += [f.rule for f in named(judged((echo(up), here)))] == ["first_hop_loss"]
        right["beyond_loss"] += [f.rule for f in named(judged((echo(up), there)))] == ["beyond_loss"]
        right[""] += not named(judged(clean))
    assert right["first_hop_loss"] >= 970
    assert right["beyond_loss"] >= 970
    assert right[""] == 1000


UNITS = {"ratio": (0.0, 1.0), "seconds": (0.0, 10.0), "bytes per second": (0.0, 1e9)}
ANY_VALUES = st.dictionaries(st.sampled_from(sorted(NAMES)), st.floats(), max_size=25)
ANY_FACTS = st.dictionaries(
    st.sampled_from(["mtu_black_hole", "vpn", "background_kind", "saturated_up", "gateway_asked_by"]),
    st.sampled_from(["none", "up", "both", True, False, 3, 0.5, ("a",), "browser", "other", ""]),
)
ANY_PROBE = st.builds(
    lambda name, values, facts, failure: probe(name, values, failure=failure, **facts),
    st.sampled_from(["echo", "path", "local", "dns", "throughput", "capacity"]),
    ANY_VALUES,
    ANY_FACTS,
    st.sampled_from([None, None, "timeout", "dns_timeout", "link_vanished", "budget_spent"]),
)


@settings(max_examples=300, deadline=None)
@given(found=st.lists(ANY_PROBE, max_size=6), kind=st.sampled_from(["wired", "wifi", "tethered", "vpn", "other"]))
def test_nothing_breaks_it_and_all_it_says_can_be_said(found: list[Measurement], kind: Kind) -> None:
    v = judged(tuple(found), kind)
    for f in named(v):
        assert f.owner in ("you", "municipal_it", "operator")
        assert f.level in ("degraded", "not_ready")
        assert "…" not in finding_text(f, "sv") + finding_text(f, "en")


def good_value(name: str) -> st.SearchStrategy[float]:
    """What leaves every row of the policy ready, and the computer and name lookup well."""
    highest = {
        "rtt_p95_seconds": 0.099, "jitter_up_seconds": 0.0149, "jitter_down_seconds": 0.0149, "loss_up_ratio": 0.0049,
        "loss_down_ratio": 0.0049, "cpu_busy_ratio": 0.84, "cpu_wait_ratio": 0.39, "sends_missed_ratio": 0.19,
        "dns_lookup_seconds": 0.29, "dns_failed_ratio": 0.29, "local_queue_p95_seconds": 0.049,
    }  # fmt: skip
    if name.startswith(("throughput", "capacity")):
        return st.floats(375_000, 1e9)
    if name.startswith("mos"):
        return st.floats(4.0, 4.5)
    top = 0.0 if name.startswith("burst_loss") else highest.get(name, UNITS.get(QUANTITIES[name].unit, (0.0, 100.0))[1])
    return st.floats(0.0, top)


GOOD_VALUES = [n for n in QUANTITIES if not n.startswith(("call_", "first_", "camera", "speech", "signal", "wifi"))]


@settings(max_examples=200, deadline=None)
@given(data=st.data(), names=st.sets(st.sampled_from(GOOD_VALUES), max_size=30), cut=st.integers(0, 5))
def test_good_values_name_nothing(data: st.DataObject, names: set[str], cut: int) -> None:
    values = {
        name: data.draw(good_value(name), name)
        for name in sorted(names - {"reordered_up_ratio", "reordered_down_ratio"})
    }
    assert named(judged((probe("echo", GOOD | values), *CLEAN[1 : cut + 1]), "wifi")) == []
