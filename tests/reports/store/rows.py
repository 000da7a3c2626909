"""Records for the tests of the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reports.record import Measurement, SelfTest
from reports.store.incoming import record_of
from reports.store.shapes import Record
from tests.reports.make import good, link, self_test

NOW = 1.8e9
A, B = "a" * 32, "b" * 32


def run(run_id: str = "r1", started_at: float = NOW, *measurements: Measurement, **more: Any) -> SelfTest:
    test = self_test(*(measurements or (good(throughput_up_bytes_per_second=1e6),)), links=(link(is_default=True),))
    return replace(test, run_id=run_id, started_at=started_at, **more)


def record(
    run_id: str = "r1", machine: str = A, started_at: float = NOW, organisation: str = "habo", *values: Measurement
) -> Record:
    return record_of(organisation, machine, run(run_id, started_at, *values), max(NOW, started_at) + 10)


def bad(**values: float) -> Measurement:
    return good(**({"loss_up_ratio": 0.2} | values))
