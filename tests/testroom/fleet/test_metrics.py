"""The fleet in /metrics: it adds up, names no machine, and does not grow with machines, units or organisations."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from reports.record import KINDS, LEVELS, OWNERS
from reports.store.counting import known_rules
from reports.store.shapes import BUCKETS, Aggregates, Count, Machines
from testroom.fleet import metrics
from testroom.fleet.metrics import MOST_SERIES, folded, of_the_store, series
from tests.reports.store.rows import A, bad
from tests.testroom.fleet.make import body, collecting, post
from tests.testroom.test_metrics import samples


async def test_what_was_taken_is_counted(tmp_path: Path) -> None:
    async with collecting(tmp_path) as (room, habo, _):
        assert room.fleet.store is not None
        room.fleet.store.name_machines("habo", f"machine,name,unit\n{A},Ekens dator,Kansli")
        for raw in (body("r1"), body("r1"), body("r2", bad(), ago=30), b"{}"):
            await post(habo, raw)
        async with habo.get("/metrics") as answer:
            text = await answer.text()
    found = {n.removeprefix("motesklar_"): v for n, v in samples(text).items() if "_fleet_" in n or "_collector_" in n}
    where = "[wired][habo][Kansli]"  # labels come in the order of their names
    assert found["collector_self_tests_total[stored]"] == 2
    assert found["collector_self_tests_total[known]"] == 1
    assert found["collector_refused_total[self_test_malformed]"] == 1
    assert found["collector_store_up"] == 1
    assert found[f"fleet_self_tests_total[ready]{where}"] == found[f"fleet_self_tests_total[not_ready]{where}"] == 1
    assert found["fleet_findings_total[not_ready][wired][habo][loss_up][Kansli]"] == 1
    assert {n: v for n, v in found.items() if "faults" in n} == {
        "fleet_faults_total[not_ready][wired][habo][municipal_it][Kansli]": 1
    }
    assert {n: v for n, v in found.items() if "machines" in n} == {f"fleet_machines[not_ready]{where}": 1}
    name = "fleet_loss_up_ratio"
    assert found[f"{name}_count{where}"] == found[f"{name}_bucket[+Inf]{where}"] == 2
    assert (found[f"{name}_bucket[0.0]{where}"], found[f"{name}_bucket[0.1]{where}"]) == (1, 1)
    assert found[f"{name}_bucket[0.3]{where}"] == 2
    assert found[f"{name}_sum{where}"] == pytest.approx(0.2)
    for secret in (A, "Ekens", "192.0.2"):
        assert secret not in text


def full(organisations: int, units: int) -> Aggregates:
    """Everything that can be counted is counted in each unit."""
    machines, counts = [], []
    for o in range(organisations):
        for u in range(units):
            for kind in (*KINDS, "none"):
                where = (f"o{o}", f"u{u}", kind)
                machines += [Machines(*where, level, 1 + u) for level in LEVELS]
                counts += [Count("self_tests", *where, level, 2.0 + u) for level in LEVELS]
                counts += [Count("faults", *where, f"{owner}/{level}", 1.0) for owner in OWNERS for level in LEVELS]
                counts += [Count("findings", *where, f"{rule}/degraded", 1.0) for rule in known_rules()]
                counts += [Count(name, *where, str(i), 1.0) for name in BUCKETS for i in range(7)]
                counts += [Count(f"{name}:sum", *where, "", 1.0) for name in BUCKETS]
    return Aggregates(tuple(machines), tuple(counts))


def exposed(aggregates: Aggregates) -> list[str]:
    class One:
        def collect(self) -> object:
            return of_the_store(aggregates)

    registry = CollectorRegistry()
    registry.register(One())  # type: ignore[arg-type]
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if not line.startswith("#") and "_created" not in line]


@pytest.mark.parametrize(("organisations", "units"), [(1, 1), (1, 12), (5, 2), (12, 1)])
def test_the_series_have_a_limit_and_nothing_is_lost(organisations: int, units: int) -> None:
    whole = full(organisations, units)
    few = folded(whole)
    assert len(exposed(few)) == series(few) <= MOST_SERIES
    for sums in (lambda a: sum(m.count for m in a.machines), lambda a: sum(c.value for c in a.counts)):
        assert sums(few) == pytest.approx(sums(whole))


@pytest.mark.parametrize(("organisations", "units", "most"), [(1, 1, 1), (1, 12, 5), (12, 1, 9)])
def test_no_fold_is_made_twice(organisations: int, units: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The room does this whenever Prometheus asks. `most`: folds; halving the units, then the organisations."""
    made: list[object] = []
    fold = metrics._fold

    def counted(aggregates: Aggregates, groups: set[metrics.Group], organisations: set[str] | None) -> Aggregates:
        made.append((frozenset(groups), organisations if organisations is None else frozenset(organisations)))
        return fold(aggregates, groups, organisations)

    monkeypatch.setattr(metrics, "_fold", counted)
    folded(full(organisations, units))
    assert len(made) == len(set(made)) <= most


def test_the_largest_units_keep_their_names() -> None:
    whole = full(1, 6)
    limit = series(whole) * 3 // 4
    units = {c.unit for c in folded(whole, limit).counts}
    assert units == {"u5", "u4", "u3", "other"}


def test_few_enough_stay_as_they_are() -> None:
    whole = full(1, 1)
    assert sorted(map(str, folded(whole).counts)) == sorted(map(str, whole.counts))
