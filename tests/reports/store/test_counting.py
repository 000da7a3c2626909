"""What a self-test adds to the counters: which rules, and whose fault."""

from __future__ import annotations

import pytest

from reports.record import Measurement
from reports.store.counting import added
from tests.reports.make import echo, good
from tests.reports.store.rows import bad, record


def labels(name: str, *measurements: Measurement) -> set[str]:
    found = added([(record("r1", "a" * 32, 1.8e9, "habo", *measurements), "Kansli")])
    assert {key[1:4] for key in found} == {("habo", "Kansli", "wired")}
    return {key[4] for key in found if key[0] == name}


def test_a_rule_is_counted_by_its_name_and_a_failure_by_its_code() -> None:
    assert "loss_up/not_ready" in labels("findings", bad())
    failed = echo("speaker", name="speaker", failure="speaker_busy")
    assert labels("findings", good(), failed) == {"speaker_busy/degraded"}


@pytest.mark.parametrize(
    ("measurements", "faults"),
    [
        ((good(),), set()),
        ((bad(),), {"municipal_it/not_ready"}),
        ((good(), echo("speaker", name="speaker", failure="speaker_busy")), {"you/degraded"}),
        # the speaker is named first, for that the person can mend; but it did not make the verdict
        ((bad(), echo("speaker", name="speaker", failure="speaker_busy")), {"municipal_it/not_ready"}),
    ],
)
def test_a_fault_is_counted_once_for_who_can_mend_what_made_the_verdict(
    measurements: tuple[Measurement, ...], faults: set[str]
) -> None:
    assert labels("faults", *measurements) == faults
