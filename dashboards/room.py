"""Test room: sessions, packets, transfers, calls, the collector, and what they cost."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.panels import ROOM, Panel, Query, bars, dashboard, graph, number
from dashboards.queries import ROOM as CHOSEN
from dashboards.queries import rate, room


def made() -> Dashboard:
    """From the rooms' own metrics."""
    return dashboard(
        "test-room",
        "Test room",
        "Is the room there, has it places left, and does it keep up?",
        (ROOM,),
        {
            "Now": _now(),
            "Sessions and packets": [*_sessions(), *_packets()],
            "Throughput tests": _transfers(),
            "Calls": _calls(),
            "Self-tests that come in": _collector(),
            "The machine": _machine(),
        },
    )


def _per_second(
    title: str, metrics: dict[str, str], about: str, *labels: str, unit: str = "ops", width: int = 12
) -> Panel:
    """Counters by their legend, each room by itself."""
    names = " ".join(f"{{{{{label}}}}}" for label in labels)
    queries = [
        Query(rate(name, *labels), " ".join(filter(None, ("{{instance}}", said, names))))
        for said, name in metrics.items()
    ]
    return graph(title, queries, about, unit=unit, width=width)


def _now() -> list[Panel]:
    return [
        number("Sessions", f"sum({room('sessions')})", "Open now."),
        number("Calls", f"sum({room('calls')})", "Open now."),
        number(
            "Places taken by calls", f"max({room('calls')} / ({room('calls_limit')} > 0)) or vector(0)",
            "In the fullest room. Beyond 1 it refuses.", unit="percentunit",
        ),
        number(
            "Stores that answer", f"sum(motesklar_collector_store_up{{{CHOSEN}}})", "Rooms whose database answers."
        ),
    ]  # fmt: skip


def _sessions() -> list[Panel]:
    gauges = [Query(room("sessions"), "{{instance}}"), Query(room("sessions_limit"), "{{instance}} limit")]
    counters = {"issued": "motesklar_room_sessions_issued_total", "expired": "motesklar_room_sessions_expired_total"}
    counters["refused"] = "motesklar_room_sessions_refused_total"
    return [
        graph("Open sessions", gauges, "A self-test has one for each link that it tests at a time."),
        _per_second("Sessions", counters, "Refused: no place. Expired: nobody ended them, so the agent went away."),
    ]


def _packets() -> list[Panel]:
    stamp = "motesklar_room_stamp"
    return [
        _per_second(
            "Test packets", {"received": f"{stamp}_received_total", "reflected": f"{stamp}_reflected_total"},
            "A self-test sends about 140 a second.", unit="pps",
        ),
        _per_second(
            "Test packets left unanswered", {"": f"{stamp}_refused_total"}, "By reason: docs/room.md.", "reason",
            unit="pps", width=6,
        ),
        _per_second(
            "Answers not sent", {"": f"{stamp}_send_failed_total"}, "The system did not take them.", unit="pps",
            width=6,
        ),
    ]  # fmt: skip


def _transfers() -> list[Panel]:
    name = "motesklar_room_transfers"
    turns = [Query(room(f"transfers_{s}"), f"{{{{instance}}}} {s}") for s in ("running", "waiting")]
    return [
        graph("Turns", turns, "One transfer runs at a time; the others wait.", width=8),
        _per_second(
            "Payload", {"": f"{name}_bytes_total"}, "Of transfers that have ended.", "test", unit="Bps", width=8
        ),
        _per_second("Refused", {"": f"{name}_refused_total"}, "By reason: docs/room.md.", "reason", width=8),
    ]


def _calls() -> list[Panel]:
    name = "motesklar_room_calls"
    gauges = [Query(room("calls"), "{{instance}}"), Query(room("calls_limit"), "{{instance}} limit")]
    counters = {"started": f"{name}_started_total", "connected": f"{name}_connected_total"}
    frames, restarts = "motesklar_room_call_frames_returned_total", "motesklar_room_call_worker_restarts_total"
    return [
        graph("Open calls", gauges, "Against the places that there are.", width=8),
        _per_second("Calls", counters, "Started and never connected: UDP or the relay is closed somewhere.", width=8),
        _per_second("Calls refused", {"": f"{name}_refused_total"}, "By reason: docs/room.md.", "reason", width=8),
        _per_second("Sent back", {"": frames}, "Sound packets and whole pictures.", "kind", width=16),
        bars(
            "Call processes started anew", [Query(f"increase({restarts}{{{CHOSEN}}}[$__range])", "{{instance}}")],
            "In the period shown: a defect, or too little memory.", width=8,
        ),
    ]  # fmt: skip


def _collector() -> list[Panel]:
    name = "motesklar_collector"
    return [
        _per_second(
            "Self-tests taken", {"": f"{name}_self_tests_total"}, "known: it was handed in before, and is kept once.",
            "outcome",
        ),
        _per_second("Self-tests refused", {"": f"{name}_refused_total"}, "By reason: docs/collector.md.", "reason"),
        bars(
            "Left out of self-tests", [Query(f"increase({name}_left_out_total{{{CHOSEN}}}[$__range])", "{{what}}")],
            "Quantities and failures that only a newer program knows: the room is older than its agents.", width=12,
        ),
    ]  # fmt: skip


def _machine() -> list[Panel]:
    memory = Query(f"process_resident_memory_bytes{{{CHOSEN}}} and on(instance) {room('sessions')}", "{{instance}}")
    cpu = f"rate(process_cpu_seconds_total{{{CHOSEN}}}[$__rate_interval]) and on(instance) {room('sessions')}"
    scrape = f"scrape_duration_seconds{{{CHOSEN}}} and on(instance) {room('sessions')}"
    return [
        graph(
            "CPU", [Query(cpu, "{{instance}}")],
            "Cores that the room's process uses. One is all it can; call processes are beside it.", width=8,
        ),
        graph("Memory", [memory], "Of the room's process.", unit="bytes", width=8),
        graph("Time to answer /metrics", [Query(scrape, "{{instance}}")], "As Prometheus saw it.", unit="s", width=8),
    ]  # fmt: skip
