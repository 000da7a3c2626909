"""Drawings are true to their figures, and one self-test's page leaves nothing out."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reports.advice import LANGUAGES
from reports.policy import load_policy
from reports.record import Failure, Measurement
from testroom.it import network, selftest, svg
from testroom.it.data import Spread
from testroom.it.markup import Html
from testroom.it.query import Query
from tests.testroom.it.fleets import made
from tests.testroom.it.make import Page
from tests.testroom.it.test_data import DAY, NOW, one

POLICY = load_policy()


def numbers(drawing: Html, tag: str, attribute: str) -> list[float]:
    found = re.findall(rf'<{tag}[^>]* {attribute}="([\d.]+)%?"', drawing)
    return [float(value) for value in found]


def test_bars_are_as_wide_as_their_counts() -> None:
    bar = svg.stacked({"ready": 6, "degraded": 0, "not_ready": 3, "untested": 1}, 20)
    assert numbers(bar, "rect", "width") == [30.0, 15.0, 5.0]
    assert numbers(bar, "rect", "x") == [0.0, 30.0, 45.0]
    assert re.findall(r"<text[^>]*>([^<]*)<", bar) == ["✔ 6", "✖ 3", "–"]
    assert svg.stacked({}, 0).count("<rect") == 0
    assert numbers(svg.plain(1, 4), "rect", "width") == [100.0, 25.0]


@pytest.mark.parametrize(("value", "place"), [(0, 0.5), (50, 50.0), (100, 99.5), (1000, 99.5), (-5, 0.5)])
def test_scales(value: float, place: float) -> None:
    assert svg.Scale(0, 100).place(value) == place


def test_a_scale_without_width_draws_in_the_middle() -> None:
    assert svg.Scale(3, 3).place(3) == 50.0


def test_a_spread_is_drawn_where_its_values_are() -> None:
    drawing = svg.spread(Spread("wifi", 9, 10, 20, 30, 60, 90, None), svg.Scale(0, 100), [svg.Mark(50, "ready")])
    ready, whisker, median = numbers(drawing, "line", "x1")
    assert (ready, whisker, median) == pytest.approx((50.0, 10.4, 30.2))
    assert numbers(drawing, "line", "x2") == pytest.approx([50.0, 89.6, 30.2])
    assert numbers(drawing, "rect", "x") + numbers(drawing, "rect", "width") == pytest.approx([20.3, 39.6])


def test_labels_that_are_near_each_other_stand_below_each_other() -> None:
    near = svg.axis(svg.Scale(0, 100), [(svg.Mark(30, "ready"), "a"), (svg.Mark(40, "not_ready"), "b")])
    far = svg.axis(svg.Scale(0, 100), [(svg.Mark(20, "ready"), "a"), (svg.Mark(80, "not_ready"), "b")])
    assert len(set(numbers(near, "text", "y"))) == 2
    assert len(set(numbers(far, "text", "y"))) == 1


def test_the_network_table_has_the_figures_of_the_chart() -> None:
    machines = [one(kind="wifi", rtt_p95_seconds=v) for v in (0.05, 0.06, 0.2, 0.4)] + [one(rtt_p95_seconds=0.01)]
    machines.append(one(kind="wifi", days=99, rtt_p95_seconds=9.0))
    told = Page(network.view(machines, Query("en", NOW), POLICY)).text
    assert "Wifi 4 machines 60 ms 400 ms 50%" in told
    assert "Network cable 1 machine 10 ms 10 ms 100%" in told
    assert "100 ms 300 ms" in told  # the limits


def test_limits_are_those_of_the_policy() -> None:
    rows = POLICY.rows
    assert network.limits(rows["rtt"]) == [svg.Mark(0.1, "ready"), svg.Mark(0.3, "not_ready")]
    mine = replace(rows["rtt"], ready=(float("-inf"), 0.05))
    assert network.limits(mine)[0] == svg.Mark(0.05, "ready")
    assert network.scale_of(rows["rtt"], [5.0]).high == 0.6  # what is worse is drawn at the edge
    assert network.scale_of(rows["throughput_up"], [5e6]).high == 5e6


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_self_test_shows_all_that_was_measured_and_why_the_rest_was_not(lang: str) -> None:
    test = made(3, 0, NOW - DAY)
    broken = Measurement(
        "call", "eth0", NOW, 5.0, unknown={"call_frames_per_second": "no <media> came"},
        failure=Failure("ice", "ice_failed", "three candidates"),
    )  # fmt: skip
    page = Page(selftest.view(replace(test, measurements=(*test.measurements, broken)), Query(lang, NOW)))  # type: ignore[arg-type]
    assert len(page.all("details")) == 1 + len(test.measurements) + 1
    names = {name for m in test.measurements for name in (*m.values, *m.facts) if "_ci95_" not in name}
    assert {name for name in names if name not in page.words} == set()
    for words in ("ice_failed", "three candidates", "no <media> came", "call_frames_per_second"):
        assert words in page.text
    for finding in test.verdict.findings:
        assert finding.level == "ready" or finding.source in page.text or finding.source == "diagnosis"
