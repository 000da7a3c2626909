"""Which of the policy's rules are about equipment, and how each stands on the machines. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from reports.policy import Policy, load_policy
from reports.record import DEVICE_KINDS, Finding
from reports.store.shapes import Latest
from testroom.it.data import UNTESTED, WORST, Line

# a part of the equipment -> rules; tests hold that no rule about the computer is forgotten
PARTS: dict[str, tuple[str, ...]] = {
    "camera": ("camera_picture", "camera_frames", "camera_black", "camera_frozen"),
    "microphone": ("microphone_sound", "speech_level", "signal_to_noise", "speech_zeros"),
    "speaker": ("speaker_sound",),
    "equipment": ("equipment",),
    "browser": ("browser",),
    "card_reader": ("card_reader",),
    "computer": ("power", "memory", "disk", "encode_speed", "call_encoder", "call_cpu", "cpu_busy", "clock"),
}
_PART_OF = {rule: part for part, rules in PARTS.items() for rule in rules}


@dataclass(frozen=True, slots=True)
class Part:
    """`line`: each machine once, by the worst of the part. `rules`: each rule, and each failure, by itself."""

    line: Line
    rules: tuple[Line, ...]


def parts(machines: Iterable[Latest]) -> Iterator[Part]:
    """Each of PARTS, of machines that were tested; what a self-test did not look at is untested."""
    whole: dict[str, Counter[str]] = {name: Counter() for name in PARTS}
    single: dict[str, dict[str, Counter[str]]] = {
        name: {rule: Counter() for rule in rules} for name, rules in PARTS.items()
    }
    for machine in machines:
        levels = _levels(machine)
        for name in PARTS:
            whole[name][min(levels[name].values(), key=WORST.index, default=UNTESTED)] += 1
            for rule, level in levels[name].items():
                single[name].setdefault(rule, Counter())[level] += 1
    for name in PARTS:
        lines = (Line(_called(rule), tally) for rule, tally in single[name].items() if tally)
        yield Part(Line(name, whole[name]), tuple(lines))


def _levels(machine: Latest) -> dict[str, dict[str, str]]:
    """The machine's level for each part, by each rule that was applied and each failure."""
    levels: dict[str, dict[str, str]] = defaultdict(dict)
    for rule in machine.passed:
        if rule in _PART_OF:
            levels[_PART_OF[rule]][rule] = "ready"
    for finding in machine.findings:
        part = _part(finding)
        if part is not None:
            rule = str(finding.params.get("code", finding.rule))
            levels[part][rule] = min(levels[part].get(rule, finding.level), finding.level, key=WORST.index)
    return levels


def _part(finding: Finding) -> str | None:
    """Failures ("camera_busy") are no rules: the device's kind says what they are about."""
    if finding.rule in _PART_OF:
        return _PART_OF[finding.rule]
    tested = str(finding.params.get("quantity"))
    if tested in PARTS:
        return tested
    return finding.subject if finding.subject in DEVICE_KINDS else None


def _called(rule: str) -> str:
    """What the words know it by."""
    row = shipped_policy().rows.get(rule)
    return row.value if row else rule


@cache
def shipped_policy() -> Policy:
    """The shipped one: reading it takes a tenth of a second."""
    return load_policy()
