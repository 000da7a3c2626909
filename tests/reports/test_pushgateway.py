from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.core import GaugeMetricFamily

from reports.pushgateway import PushgatewayError, push_families
from tests.metric_servers import pushgateway


def family(value: float, probe: str = "echo") -> GaugeMetricFamily:
    made = GaugeMetricFamily("motesklar_rtt_p95_seconds", "round trip", labels=["probe"])
    made.add_metric([probe], value, timestamp=1.8e9)
    return made


def test_it_shows_a_machines_last_values_and_forgets_those_before(tmp_path: Path):
    with pushgateway(tmp_path) as gateway:
        for machine, value, probe in (("m1", 0.5, "dns"), ("m1", 0.25, "echo"), ("m2", 0.75, "echo")):
            push_families(gateway.url, [family(value, probe)], {"instance": machine})
        shown = gateway.get("/metrics").decode()
    lines = [line for line in shown.splitlines() if line.startswith("motesklar_")]
    assert lines == [
        'motesklar_rtt_p95_seconds{instance="m1",job="motesklar",probe="echo"} 0.25',
        'motesklar_rtt_p95_seconds{instance="m2",job="motesklar",probe="echo"} 0.75',
    ]


def test_what_it_does_not_take_is_said(tmp_path: Path):
    with pushgateway(tmp_path) as gateway:
        clash = GaugeMetricFamily("pushgateway_http_requests_total", "its own, and a counter", value=1)
        with pytest.raises(PushgatewayError, match=r"^the Pushgateway did not take the metrics: it answers 400$"):
            push_families(gateway.url, [clash], {"instance": "m1"})
    with pytest.raises(PushgatewayError, match="Connection refused"):
        push_families(gateway.url, [family(1)], {"instance": "m1"})


def test_an_address_that_is_none():
    with pytest.raises(PushgatewayError):
        push_families("ftp://127.0.0.1:1/", [family(1)], {"instance": "m1"})
