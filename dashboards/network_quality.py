"""Network quality: delay, jitter, loss and throughput, each kind of link beside the others; and where it is lost."""

from __future__ import annotations

from typing import NamedTuple

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import ORGANISATION, UNIT, Panel, Query, bars, columns, dashboard, graph
from dashboards.queries import (
    ON_A_LINK,
    among_links,
    daily_quantile,
    latest,
    self_tests,
    share_above,
    share_within,
)  # fmt: skip


class Trend(NamedTuple):
    """`worst`: the quantile at which a tenth or a twentieth of the self-tests are worse."""

    title: str
    quantity: str
    worst: float
    unit: str


TRENDS = (
    Trend("Round-trip time", "rtt_p95_seconds", 0.95, "s"),
    Trend("Jitter to the room", "jitter_up_seconds", 0.95, "s"),
    Trend("Jitter from the room", "jitter_down_seconds", 0.95, "s"),
    Trend("Loss to the room", "loss_up_ratio", 0.95, "percentunit"),
    Trend("Loss from the room", "loss_down_ratio", 0.95, "percentunit"),
    Trend("Throughput to the room", "throughput_up_bytes_per_second", 0.1, "Bps"),
    Trend("Throughput from the room", "throughput_down_bytes_per_second", 0.1, "Bps"),
)


def made() -> Dashboard:
    """Of all self-tests that the room keeps; below, of the machines whose own metrics Prometheus has."""
    return dashboard(
        "network-quality",
        "Network quality",
        "Wired, wifi, tethered and mobile side by side, of the link that a meeting would use.",
        (ORGANISATION, UNIT),
        {
            "Side by side": [_side_by_side(), _tests()],
            "Over time": [_trend(t) for t in TRENDS],
            "Machines whose own metrics are here: where it is lost": _where(),
            "Machines whose own metrics are here: names, ways, calls": _ways(),
        },
    )


def _side_by_side() -> Panel:
    limits = [
        Query(share_within("rtt_p95_seconds", "0.1"), "RTT ≤ 100 ms"),
        Query(share_within("jitter_up_seconds", "0.015"), "jitter up ≤ 15 ms"),
        Query(share_within("jitter_down_seconds", "0.015"), "jitter down ≤ 15 ms"),
        Query(share_within("loss_up_ratio", "0.01"), "loss up ≤ 1 %"),
        Query(share_within("loss_down_ratio", "0.01"), "loss down ≤ 1 %"),
        Query(share_above("throughput_up_bytes_per_second", "250000.0"), "up > 2 Mbit/s"),
        Query(share_above("throughput_down_bytes_per_second", "250000.0"), "down > 2 Mbit/s"),
    ]
    about = "The share of the period's self-tests that kept within each limit, for each kind of link."
    return columns("Within the limits", limits, about, row="link_kind", unit="percentunit", width=18)


def _tests() -> Panel:
    return bars("Self-tests", [Query(self_tests("link_kind"), "{{link_kind}}")], "How many that were.", width=6)


def _trend(trend: Trend) -> Panel:
    beyond = "above" if trend.worst > 0.5 else "below"
    share = min(trend.worst, 1 - trend.worst)
    about = (
        f"{share:.0%} of the self-tests of the 24 hours before each moment were {beyond} this. Read from a histogram: "
        "good to its buckets' width."
    )
    query = Query(daily_quantile(trend.worst, trend.quantity), "{{link_kind}}")
    return graph(trend.title, [query], about, unit=trend.unit, width=8 if trend.unit == "s" else 6)


def _tenth(title: str, quantity: str, about: str, *, share: float = 0.9, unit: str = "s") -> Panel:
    """The tenth of the machines that is worst off."""
    return graph(title, [Query(among_links(share, quantity), "{{link_kind}}")], about, unit=unit, width=8)


def _pair(title: str, up: str, down: str, about: str, *, share: float, unit: str) -> Panel:
    queries = [
        Query(among_links(share, up), "{{link_kind}} to the room"),
        Query(among_links(share, down), "{{link_kind}} from the room"),
    ]
    return graph(title, queries, about, unit=unit, width=8)


def _where() -> list[Panel]:
    return [
        _tenth("First hop: round trip", "gateway_rtt_p95_seconds", "To the first router. A tenth exceed it."),
        _tenth(
            "First hop: loss", "gateway_loss_ratio", "Probes that the first router did not answer. A tenth exceed it.",
            unit="percentunit",
        ),
        _tenth(
            "Whole way: loss", "path_loss_ratio", "In the same flow as the first hop's, all the way to the room.",
            unit="percentunit",
        ),
        _tenth(
            "Wifi signal", "wifi_signal_dbm", "A tenth of the machines are weaker. -67 dBm is the usual aim.",
            share=0.1, unit="dBm",
        ),
        _tenth("Wifi frames sent again", "wifi_retry_ratio", "A tenth of the machines exceed it.", unit="percentunit"),
        _pair(
            "RTT's rise under load", "rtt_rise_up_seconds", "rtt_rise_down_seconds",
            "Full queues: somebody's transfer makes the meeting wait. A tenth exceed it.", share=0.9, unit="s",
        ),
    ]  # fmt: skip


def _ways() -> list[Panel]:
    failures = f"topk(15, count by (code) ({latest('failure_info')}))"
    success = f"avg by (probe) ({latest('probe_success')})"
    echoed = latest("probe_success", f'probe="echo",{ON_A_LINK}')
    return [
        _pair(
            "Speech quality (MOS)", "mos_up", "mos_down", "By the E-model, ITU-T G.107. A tenth are below.", share=0.1,
            unit="short",
        ),
        _tenth("Name lookup", "dns_lookup_seconds", "Median time until a name server answers. A tenth exceed it."),
        graph(
            "Joining a call",
            [
                Query(among_links(0.9, "join_seconds"), "{{link_kind}}: the way in"),
                Query(among_links(0.9, "call_setup_seconds"), "{{link_kind}}: call connected"),
            ],
            "From the service's name to its last answer; from the offer to a connected call. A tenth exceed it.",
            unit="s", width=8,
        ),
        bars(
            "Probes that measured to their end", [Query(success, "{{probe}}")], "The share of machines.",
            unit="percentunit",
        ),
        bars(
            "Why probes failed", [Query(failures, "{{code}}")],
            "Machines by the failure in their latest self-test. docs/policy.md says what each leads to.",
        ),
        graph(
            "Machines by kind of link",
            [Query(f"count by (link_kind) ({echoed})", "{{link_kind}}")],
            "How many machines these graphs speak of.", width=24,
        ),
    ]  # fmt: skip
