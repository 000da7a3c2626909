"""From a self-test to the row that is kept of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import replace

from reports.record import DEVICE_KINDS, Finding, Link, Measurement, SelfTest
from reports.serial import to_json
from reports.store.shapes import BUCKETS, NO_LINK, Record, Source

_LEVEL_OF_COMPRESSION = 1  # half of the time of the usual 6, a tenth more octets
_MOST = 1e12  # a sum that one absurd value has spoilt stays spoilt


def record_of(organisation: str, machine: str, test: SelfTest, now: float, source: Source = "agent") -> Record:
    """What is kept: the record itself without addresses or anything that it should not hold, and its columns."""
    link = chosen(test)
    return Record(
        organisation=organisation,
        machine=machine,
        run_id=test.run_id,
        started_at=test.started_at,
        received_at=now,
        level=test.verdict.level,
        link_kind=_link_kind(link, source),
        source=source,
        version=test.agent.version,
        document=packed(test),
        action=test.verdict.action,
        action_params=test.verdict.action_params,
        findings=tuple(_bare(f, test) for f in test.verdict.findings if f.level != "ready"),
        passed=_passed(test, link),
        values=dict(_values(test, link)),
    )


def _link_kind(link: Link | None, source: Source) -> str:
    """A browser that does not tell has a link of the kind "other" and no other name for it."""
    silent = link is None or (source == "browser" and link.kind == "other")
    return NO_LINK if silent or link is None else link.kind


def packed(test: SelfTest) -> bytes:
    """The self-test's JSON, compressed; sentences are made anew when it is read."""
    return zlib.compress(
        json.dumps(to_json(test, sentences=False), separators=(",", ":")).encode("ascii"), _LEVEL_OF_COMPRESSION
    )


def unpacked(document: bytes) -> object:
    """The JSON again."""
    return json.loads(zlib.decompress(document))


def chosen(test: SelfTest) -> Link | None:
    """The link that a meeting would use: the default one; else the first that was measured; else the first."""
    default = [link for link in test.links if link.is_default]
    measured = {m.subject for m in test.measurements}
    seen = [link for link in test.links if link.name in measured]
    return next(iter((*default, *seen, *test.links)), None)


def kind_of(subject: str, test: SelfTest) -> str:
    """The kind of the link or device that a finding speaks of; "other" when it is neither."""
    for link in test.links:
        if link.name == subject:
            return link.kind
    for device in test.devices:
        if device.label == subject:
            return device.kind
    return subject if subject in (*DEVICE_KINDS, "computer", "browser") else "other"


def _bare(finding: Finding, test: SelfTest) -> Finding:
    """Subjects are names that somebody may have chosen."""
    return replace(finding, subject=kind_of(finding.subject, test))


def _passed(test: SelfTest, used: Link | None) -> tuple[str, ...]:
    """Rules that were met where a meeting would be held: on the link in use, this computer and its devices."""
    others = {link.name for link in test.links if link is not used}
    found = [f for f in test.verdict.findings if f.subject not in others]
    return tuple(sorted({f.rule for f in found} - {f.rule for f in found if f.level != "ready"}))


def _values(test: SelfTest, link: Link | None) -> Iterator[tuple[str, float]]:
    """The first value of each quantity on the chosen link, or in the browser."""
    subjects = {link.name} if link else {"browser"}
    for name in BUCKETS:
        for value in _of(name, subjects, test.measurements):
            yield name, value
            break


def _of(name: str, subjects: set[str], measurements: tuple[Measurement, ...]) -> Iterator[float]:
    found = (m.values[name] for m in measurements if m.subject in subjects and name in m.values)
    return (value for value in found if 0 <= value <= _MOST)
