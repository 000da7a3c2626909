"""The figures of one self-test as named numbers with labels: what every way out of the machine publishes.

| name                                       | labels besides       | value                                           |
|--------------------------------------------|----------------------|-------------------------------------------------|
| motesklar_QUANTITY, each of the vocabulary | probe, subject's     | as in the record; nothing when it is unknown    |
| motesklar_probe_success                    | probe, subject's     | 1: measured to the end, 0: it failed            |
| motesklar_probe_duration_seconds           | probe, subject's     |                                                 |
| motesklar_failure_info                     | probe, subject's,    | 1; nothing when the probe did not fail          |
|                                            | code                 |                                                 |
| motesklar_verdict                          | level                | 1 for the verdict's level, 0 for each other     |
| motesklar_last_run_timestamp_seconds       |                      | when the self-test began                        |
| motesklar_agent_info                       | version, platform,   | 1                                               |
|                                            | python               |                                                 |

The subject's labels are `link_kind` and `device_kind`: one of them is the kind, the other is empty, and both are when
the subject is the computer or a browser, which does not tell its link. The kind is "loopback" when the room was on this
computer, so that nothing is said of a network, and "other" for a link that is not there any more. With `links` the
system's name of the link is the label `link`; that is for the machine's own figures, because names have no end.

Without `link`, two links of a kind would be one series. Then the link in use is published; when neither is in use, one
that is connected, and the first of these. Of a kind of device it is always one: the system's default, or the first. A
probe's figures are thus always of one link, and sent, reflected and received belong together.

Every label is of a closed list but `link` and the agent's version, and that has the shape of a version.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reports.record import DEVICE_KINDS, LEVELS, AgentInfo, Measurement, SelfTest
from reports.vocabulary import FAILURES, NAMES

PREFIX = "motesklar_"
OTHER = "other"
LOOPBACK = "loopback"  # the subject of probes against the room on this computer
NO_LINK = frozenset({"computer", "browser", "links"})  # subjects that are no link, or do not tell which
_STEPS = ("address", "captive", "proxy", "dns", "tcp", "tls", "portal", "clock", "room", "stun", "turn")
PROBES = frozenset(
    {"echo", "path", "local", "dns", "join", "call", "capacity", "throughput", "internet_speed", "compare"}
    | {f"join_{step}" for step in _STEPS}
    | {"equipment", "camera", "microphone", "speaker", "computer"}
)
SYSTEMS = ("Linux", "Windows", "Darwin", "chrome", "edge", "firefox", "safari", "opera", "samsung")
_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,3}([+.-]?[a-z]{1,6}\d{0,4}){0,2}", re.ASCII)
_PYTHON = re.compile(r"3\.\d{1,2}(?=\.|$)", re.ASCII)

_Rank = tuple[bool, bool, int]


@dataclass(frozen=True, slots=True)
class Point:
    """`name`: with the prefix. `at`: when its measurement ended, seconds since 1970-01-01 UTC."""

    name: str
    labels: Mapping[str, str]
    value: float
    at: float


def points(test: SelfTest, *, links: bool = False) -> Iterator[Point]:
    """The table above. No two points share name and labels; every quantity is finite."""
    for m, labels in _published(test, links):
        yield from _of_probe(m, labels)
    ended = test.started_at + test.duration_s
    for level in LEVELS:
        yield Point(f"{PREFIX}verdict", {"level": level}, float(level == test.verdict.level), ended)
    yield Point(f"{PREFIX}last_run_timestamp_seconds", {}, test.started_at, ended)
    yield Point(f"{PREFIX}agent_info", _agent(test.agent), 1.0, ended)


def _of_probe(m: Measurement, labels: Mapping[str, str]) -> Iterator[Point]:
    ended = m.started_at + m.duration_s
    for name, value in m.values.items():
        if name in NAMES and math.isfinite(value):
            yield Point(PREFIX + name, labels, float(value), ended)
    yield Point(f"{PREFIX}probe_success", labels, float(m.failure is None), ended)
    yield Point(f"{PREFIX}probe_duration_seconds", labels, m.duration_s, ended)
    if m.failure is not None:
        code = m.failure.code if m.failure.code in FAILURES else OTHER
        yield Point(f"{PREFIX}failure_info", {**labels, "code": code}, 1.0, ended)


def _published(test: SelfTest, links: bool) -> Iterator[tuple[Measurement, dict[str, str]]]:
    """Of the measurements that would have the same labels the first in rank; of the same subject's the last."""
    chosen: dict[tuple[str, ...], tuple[_Rank, Measurement, dict[str, str]]] = {}
    for m in test.measurements:
        labels, rank = _labels(test, m, links), _rank(test, m)
        key = tuple(labels.values())
        if key not in chosen or rank <= chosen[key][0]:
            chosen[key] = rank, m, labels
    for _, m, labels in chosen.values():
        yield m, labels


def _labels(test: SelfTest, m: Measurement, links: bool) -> dict[str, str]:
    device_kind = m.name if m.name in DEVICE_KINDS else ""
    link_kind = "" if device_kind or m.subject in NO_LINK else _link_kind(test, m.subject)
    labels = {"probe": m.name if m.name in PROBES else OTHER, "link_kind": link_kind, "device_kind": device_kind}
    return {**labels, "link": m.subject if link_kind else ""} if links else labels


def _link_kind(test: SelfTest, subject: str) -> str:
    kinds = (link.kind for link in test.links if link.name == subject)
    return next(kinds, LOOPBACK if subject == LOOPBACK else OTHER)


def _rank(test: SelfTest, m: Measurement) -> _Rank:
    """The smallest is published."""
    if m.name in DEVICE_KINDS:
        for i, device in enumerate(test.devices):
            if (device.kind, device.label) == (m.name, m.subject):
                return (not device.is_default, False, i)
    else:
        for i, link in enumerate(test.links):
            if link.name == m.subject:
                return (not link.is_default, link.carrier is False, i)
    return (True, True, len(test.links) + len(test.devices))


def _agent(agent: AgentInfo) -> dict[str, str]:
    """The kernel's and Python's exact versions would only make series."""
    python = _PYTHON.match(agent.python)
    return {
        "version": agent.version if _VERSION.fullmatch(agent.version) else OTHER,
        "platform": next((system for system in SYSTEMS if agent.platform.split(" ")[0] == system), OTHER),
        "python": python.group() if python else OTHER,
    }
