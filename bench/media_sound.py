"""How often listening finds each fault of a microphone, and how often one that is not there. No sound device is used.

`listen` judges CASES sounds of each class of tests/media_check/faulty_sounds.py, each of a seed of its own. None of
them is one that the tests use, or that limits were set on.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from media_check.signal import FAULTS, listen
from tests.media_check.faulty_sounds import MAKERS
from tests.media_check.sounds import Case

CASES = 52  # of 20 classes: 1040 sounds
SEED = 7_000_000  # and APART more for each class after the first
APART = 100_000
SHORT = {"wrong_rate": "rate", "narrow_band": "narrow", "dc_offset": "dc", "no_speech": "nobody", "clipping": "clip"}


@dataclass
class Counted:
    """`found`: words by class made. `right`/`wrong`: per word, found of those that must be and that must not."""

    found: dict[str, Counter[str]] = field(default_factory=dict)
    must: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    never: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)


def count(cases: int = CASES) -> Counted:
    """Judge `cases` sounds of every class."""
    counted = Counted()
    for start, (name, make) in zip(itertools.count(SEED, APART), MAKERS.items(), strict=False):
        counted.found[name] = Counter()
        for index in range(cases):
            _judge(counted, name, make, start + index)
    return counted


def _judge(counted: Counted, name: str, make: Callable[[int], Case], seed: int) -> None:
    case = make(seed)
    heard = listen(case.samples, case.rate, attended=case.attended, seconds=case.seconds)
    found = {*heard.faults, *(["speech"] if heard.facts.get("speech_heard") else [])}
    must = {*case.must, *(["speech"] if case.speech else [])}
    for word in (*FAULTS, "speech"):
        if word in must:
            counted.must[word] += 1
            counted.right[word] += word in found
        elif word not in case.may:
            counted.never[word] += 1
            counted.wrong[word] += word in found
        if (word in found) != (word in must) and word not in case.may:
            counted.misses.append(f"{name} {seed}: {word} {'found' if word in found else 'missed'} {heard.values}")
    counted.found[name].update(found or {"-"})


def table(cases: int = CASES, counted: Counted | None = None) -> str:
    """The confusion table as Markdown: what was made (rows) against the words found, then recall and false alarms."""
    counted = counted or count(cases)
    words = (*FAULTS, "speech")
    lines = [
        f"| made ({cases} of each) | " + " | ".join(SHORT.get(w, w) for w in words) + " |",
        "|---|" + "---:|" * len(words),
    ]
    for name, found in counted.found.items():
        lines.append(f"| {name} | " + " | ".join(str(found[w] or "·") for w in words) + " |")
    recall = [f"{counted.right[w] / counted.must[w]:.1%}" if counted.must[w] else "-" for w in words]
    alarms = [f"{counted.wrong[w] / counted.never[w]:.2%}" if counted.never[w] else "-" for w in words]
    lines += ["| **recall** | " + " | ".join(recall) + " |", "| **false alarms** | " + " | ".join(alarms) + " |"]
    total = cases * len(MAKERS)
    return "\n".join(lines) + f"\n\n{total} sounds.\n"


if __name__ == "__main__":
    each = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    result = count(each)
    print(table(each, result))
    print("\n".join(result.misses), file=sys.stderr)
