"""One self-test as Prometheus metrics: gauges, made anew from the record at each scrape, so that what is gone is gone.

Names, labels and what is published of several links are in reports/points.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from reports.points import PREFIX, Point, points
from reports.record import SelfTest
from reports.vocabulary import QUANTITIES, Quantity

if TYPE_CHECKING:
    from prometheus_client import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ENDS = ("", ", low end of its 95 % confidence interval", ", high end of its 95 % confidence interval")


def _help(quantity: Quantity) -> Iterator[tuple[str, str]]:
    source = ", ".join(filter(None, (quantity.unit, quantity.standard)))
    for name, end in zip(quantity.names, _ENDS, strict=False):
        yield PREFIX + name, f"{quantity.help}{end} ({source})"


HELP: Mapping[str, str] = {name: text for q in QUANTITIES.values() for name, text in _help(q)} | {
    f"{PREFIX}probe_success": "1: the probe measured to its end, 0: it failed",
    f"{PREFIX}probe_duration_seconds": "how long the probe took",
    f"{PREFIX}failure_info": "why a probe failed; the vocabulary's code",
    f"{PREFIX}verdict": "1 for the level of the latest verdict, 0 for the others",
    f"{PREFIX}last_run_timestamp_seconds": "when the latest self-test began, seconds since 1970",
    f"{PREFIX}agent_info": "which program on what kind of computer",
}


def families(test: SelfTest, *, links: bool = False, times: bool = False) -> list[Metric]:
    """The self-test's gauges in the vocabulary's order.

    `links`: with the system's name of each link as a label, for the machine's own /metrics only. `times`: with the
    time at which each measurement ended, for remote write; what is scraped has none, or it would be stale at once.
    """
    by_name: dict[str, list[Point]] = {}
    for point in points(test, links=links):
        by_name.setdefault(point.name, []).append(point)
    return [_family(name, by_name[name], times) for name in HELP if name in by_name]


def _family(name: str, found: list[Point], times: bool) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, HELP[name], labels=list(found[0].labels))
    for point in found:
        family.add_metric(list(point.labels.values()), point.value, timestamp=point.at if times else None)
    return family


class _Collector:
    def __init__(self, test: SelfTest, links: bool) -> None:
        self._test, self._links = test, links

    def collect(self) -> list[Metric]:
        """The registry asks for this."""
        return families(self._test, links=self._links)


def exposition(test: SelfTest | None, *, links: bool = False) -> bytes:
    """Prometheus's text format (CONTENT_TYPE). Empty before the first self-test: nothing is known then."""
    if test is None:
        return b""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Collector(test, links))
    return generate_latest(registry)
