"""The room's own /metrics: counts of sessions, datagrams, transfers and calls. No address.

Of self-tests that it keeps, by organisation: testroom.fleet.metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from testroom.fleet import metrics as fleet_metrics

if TYPE_CHECKING:
    from prometheus_client import Metric

    from reports.store.shapes import Aggregates
    from testroom.server import TestRoom

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Collector:
    def __init__(self, room: TestRoom, aggregates: Aggregates | None) -> None:
        self._room, self._aggregates = room, aggregates

    def collect(self) -> Iterator[Metric]:
        """The figures at this moment."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        sessions, counts = self._room.sessions, self._room.reflector.counts
        yield GaugeMetricFamily("motesklar_room_sessions", "sessions that are open", value=len(sessions))
        limit = sessions.limits.sessions
        yield GaugeMetricFamily("motesklar_room_sessions_limit", "sessions that may be open at once", value=limit)
        yield CounterMetricFamily("motesklar_room_sessions_issued", "sessions issued", value=sessions.issued)
        yield CounterMetricFamily("motesklar_room_sessions_expired", "sessions that were not ended", sessions.expired)
        yield CounterMetricFamily("motesklar_room_sessions_refused", "sessions refused: no place", sessions.refused)
        yield CounterMetricFamily("motesklar_room_stamp_received", "STAMP datagrams that came", value=counts.received)
        yield CounterMetricFamily("motesklar_room_stamp_reflected", "STAMP datagrams answered", value=counts.reflected)
        yield CounterMetricFamily("motesklar_room_stamp_send_failed", "answers not sent", value=counts.send_failed)
        refused = CounterMetricFamily("motesklar_room_stamp_refused", "datagrams left unanswered", labels=["reason"])
        for reason, count in sorted(counts.refused.items()):
            refused.add_metric([reason], count)
        yield refused
        yield from self._transfers()
        yield from self._calls()
        yield from fleet_metrics.families(self._room.fleet, self._aggregates)

    def _transfers(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counts, turns = self._room.throughput.counts, self._room.throughput.turns
        name = "motesklar_room_transfers"
        yield GaugeMetricFamily(f"{name}_running", "transfers under way", value=turns.running)
        yield GaugeMetricFamily(f"{name}_waiting", "transfers waiting for their turn", value=turns.waiting)
        for suffix, label, text, counted in (
            ("", "test", "ndt7 transfers begun", counts.transfers),
            ("_bytes", "test", "payload of ndt7 transfers that have ended", counts.bytes),
            ("_refused", "reason", "ndt7 transfers refused", counts.refused),
        ):
            family = CounterMetricFamily(name + suffix, text, labels=[label])
            for value, count in sorted(counted.items()):
                family.add_metric([value], count)
            yield family

    def _calls(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        calls, name = self._room.calls, "motesklar_room_call"
        places = calls.settings.places if calls.settings else 0
        yield GaugeMetricFamily(f"{name}s", "calls that are open", value=calls.open_now)
        yield GaugeMetricFamily(f"{name}s_limit", "calls that may be open at once", value=places)
        yield CounterMetricFamily(f"{name}s_started", "offers that were answered", value=calls.started)
        yield CounterMetricFamily(f"{name}s_connected", "calls that came about", value=calls.connected)
        yield CounterMetricFamily(f"{name}_worker_restarts", "call processes that died or hung", value=calls.restarts)
        for suffix, label, text, counted in (
            ("s_refused", "reason", "offers that were refused", calls.refused),
            ("_frames_returned", "kind", "sound packets and whole pictures sent back", calls.returned()),
        ):
            family = CounterMetricFamily(name + suffix, text, labels=[label])
            for value, count in sorted(counted.items()):
                family.add_metric([value], count)
            yield family


def exposition(room: TestRoom, aggregates: Aggregates | None = None) -> bytes:
    """Prometheus's text format."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)  # CPU and memory of the room's process, on Linux
    registry.register(_Collector(room, aggregates))
    return generate_latest(registry)
