"""What a batch adds to the counters. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from reports.policy import load_policy
from reports.record import Finding
from reports.store.shapes import BUCKETS, Record
from reports.vocabulary import FAILURES

Key = tuple[str, str, str, str, str]  # name, organisation, unit, link kind, label


def added(records: Iterable[tuple[Record, str]]) -> dict[Key, float]:
    """What these records, each with its machine's unit, add."""
    total: Counter[Key] = Counter()
    for record, unit in records:
        for name, label, value in _of(record):
            total[name, record.organisation, unit, record.link_kind, label] += value  # type: ignore[assignment]
    return dict(total)


def bucket(name: str, value: float) -> int:
    """The number of the first bucket whose upper end is not below the value; after the last: all above."""
    return bisect_left(BUCKETS[name], value)


@cache
def known_rules() -> frozenset[str]:
    """The shipped policy's names. What an organisation's own policy calls otherwise is counted as "other"."""
    policy = load_policy()
    return frozenset({*policy.rows, *policy.failures, *policy.situations, *policy.faults, *FAILURES})


def _of(record: Record) -> Iterator[tuple[str, str, float]]:
    yield "self_tests", record.level, 1.0
    for rule, level in {(_rule(f), f.level) for f in record.findings}:
        yield "findings", f"{rule}/{level}", 1.0
    if record.level != "ready" and record.findings:
        # those that made the verdict, and of them the most useful, which is the first
        first = next((f for f in record.findings if f.level == record.level), record.findings[0])
        yield "faults", f"{first.owner}/{record.level}", 1.0
    for name, value in record.values.items():
        yield name, str(bucket(name, value)), 1.0
        yield f"{name}:sum", "", value


def _rule(finding: Finding) -> str:
    """The failure's code of a test that failed: its finding is named after the probe, and its value is the code."""
    if finding.value in FAILURES:
        return str(finding.value)
    return finding.rule if finding.rule in known_rules() else "other"
