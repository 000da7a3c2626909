"""The fleet in /metrics: counts by organisation, unit and link kind, never by machine.

At most MOST_SERIES, whatever the number of machines, units and organisations: units with the fewest self-tests are
counted together as "other", then so are organisations.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from reports.store.shapes import BUCKETS, Aggregates, Count, Machines
from reports.vocabulary import QUANTITIES

if TYPE_CHECKING:
    from prometheus_client import Metric

    from testroom.fleet import Fleet

MOST_SERIES = 4500
OTHER = "other"
T = TypeVar("T")
Group = tuple[str, str]  # organisation, unit
_ENDS = 3  # series of a histogram beside its buckets: +Inf, count and sum
_KEY = ("organisation", "unit", "link_kind")


def families(fleet: Fleet, aggregates: Aggregates | None) -> Iterator[Metric]:
    """Nothing when the room keeps no self-tests."""
    if fleet.collector is None:
        return
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    taken, refused, left = fleet.collector.taken, fleet.collector.refused, fleet.collector.left_out
    for name, text, label, counts in (
        ("motesklar_collector_self_tests", "self-tests taken since the start", "outcome", taken),
        ("motesklar_collector_refused", "self-tests refused since the start", "reason", refused),
        (
            "motesklar_collector_left_out",
            "what was too new for this room, of self-tests taken",
            "what",
            left,
        ),
    ):
        family = CounterMetricFamily(name, text, labels=[label])
        for value, count in sorted(counts.items()):
            family.add_metric([value], count)
        yield family
    up = GaugeMetricFamily(
        "motesklar_collector_store_up", "does the store answer?", value=float(aggregates is not None)
    )
    yield up
    if aggregates is not None:
        yield from of_the_store(folded(aggregates))


def of_the_store(aggregates: Aggregates) -> Iterator[Metric]:
    """What the store holds and has counted."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    name = "motesklar_fleet"
    machines = GaugeMetricFamily(
        f"{name}_machines", "machines by their latest self-test, of 30 days at most", labels=[*_KEY, "level"]
    )
    for m in aggregates.machines:
        machines.add_metric([m.organisation, m.unit, m.link_kind, m.level], m.count)
    yield machines
    tests = CounterMetricFamily(f"{name}_self_tests", "self-tests kept", labels=[*_KEY, "level"])
    found = CounterMetricFamily(
        f"{name}_findings", "self-tests in which a rule was not met", labels=[*_KEY, "rule", "level"]
    )
    faults = CounterMetricFamily(
        f"{name}_faults", "self-tests that were not ready, by who can mend it", labels=[*_KEY, "owner", "level"]
    )
    for count in aggregates.counts:
        if count.name == "self_tests":
            tests.add_metric([*_key(count), count.label], count.value)
        elif count.name == "findings":
            found.add_metric([*_key(count), *count.label.split("/")], count.value)
        elif count.name == "faults":
            faults.add_metric([*_key(count), *count.label.split("/")], count.value)
    yield tests
    yield found
    yield faults
    yield from _histograms(aggregates.counts, name)


def _histograms(counts: Iterable[Count], prefix: str) -> Iterator[Metric]:
    from prometheus_client.core import HistogramMetricFamily

    values: dict[tuple[str, tuple[str, str, str]], dict[str, float]] = defaultdict(dict)
    for count in counts:
        quantity, _, is_sum = count.name.partition(":")
        if quantity in BUCKETS:
            values[quantity, _key(count)]["sum" if is_sum else count.label] = count.value
    for quantity, ends in BUCKETS.items():
        help_ = f"{QUANTITIES[quantity].help}; of the link that a meeting would use, each self-test once"
        family = HistogramMetricFamily(f"{prefix}_{quantity}", help_, labels=_KEY)
        for (_, key), seen in sorted((k, v) for k, v in values.items() if k[0] == quantity):
            family.add_metric(list(key), _cumulative(ends, seen), sum_value=seen.get("sum", 0.0))
        yield family


def _cumulative(ends: tuple[float, ...], seen: dict[str, float]) -> list[tuple[str, float]]:
    total, buckets = 0.0, []
    for i, end in enumerate((*map(str, ends), "+Inf")):
        total += seen.get(str(i), 0.0)
        buckets.append((end, total))
    return buckets


def _key(count: Count) -> tuple[str, str, str]:
    return count.organisation, count.unit, count.link_kind


def folded(aggregates: Aggregates, most: int = MOST_SERIES) -> Aggregates:
    """The same with so few units, and if need be organisations, that it makes at most that many series."""
    size: Counter[Group] = Counter()
    for count in aggregates.counts:
        if count.name == "self_tests":
            size[count.organisation, count.unit] += int(count.value)
    for m in aggregates.machines:
        size[m.organisation, m.unit] += m.count
    by_size = [group for group, _ in sorted(size.items(), key=lambda item: (-item[1], item[0]))]
    whole = list(dict.fromkeys(organisation for organisation, _ in by_size))

    def units(keep: list[Group]) -> Aggregates | None:
        return _fitting(_fold(aggregates, set(keep), None), most)

    def organisations(keep: list[str]) -> Aggregates | None:
        return _fitting(_fold(aggregates, set(), set(keep)), most)

    return _most(by_size, units) or _most(whole, organisations) or _fold(aggregates, set(), set())


def _fitting(made: Aggregates, most: int) -> Aggregates | None:
    return made if series(made) <= most else None


def _most(items: list[T], made: Callable[[list[T]], Aggregates | None]) -> Aggregates | None:
    """What is made of the longest beginning of which something can be; None: of none, not even the empty one."""
    if (best := made(items)) is not None:
        return best
    low, high = -1, len(items)  # of a beginning of `low` something was made, of one of `high` nothing can be
    while high - low > 1:
        middle = (low + high) // 2
        if (found := made(items[:middle])) is None:
            high = middle
        else:
            low, best = middle, found
    return best


def series(aggregates: Aggregates) -> int:
    """How many series these make."""
    histograms = {(c.name, *_key(c)) for c in aggregates.counts if c.name in BUCKETS}
    plain = sum(c.name in ("self_tests", "findings", "faults") for c in aggregates.counts)
    return len(aggregates.machines) + plain + sum(len(BUCKETS[name]) + _ENDS for name, *_ in histograms)


def _fold(aggregates: Aggregates, groups: set[Group], organisations: set[str] | None) -> Aggregates:
    """Only these (organisation, unit) by name, and only these organisations; None: all organisations."""

    def place(organisation: str, unit: str) -> Group:
        if organisations is not None and organisation not in organisations:
            return OTHER, OTHER
        return organisation, unit if (organisation, unit) in groups else OTHER

    machines: Counter[tuple[str, str, str, str]] = Counter()
    for m in aggregates.machines:
        machines[*place(m.organisation, m.unit), m.link_kind, m.level] += m.count
    counts: dict[tuple[str, str, str, str, str], float] = defaultdict(float)
    for c in aggregates.counts:
        counts[c.name, *place(c.organisation, c.unit), c.link_kind, c.label] += c.value
    return replace(
        aggregates,
        machines=tuple(Machines(*key, count) for key, count in sorted(machines.items())),
        counts=tuple(Count(*key, value) for key, value in sorted(counts.items())),
    )
