"""How often looking finds each fault of a camera's picture, and how often one that is not there. No camera is used.

`look` judges CASES pictures of each class of tests/media_check/pictures.py, each of a seed of its own. None of them is
one that the tests use, or that limits were set on.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

from tests.media_check.pictures import MAKERS, cases, judged

CASES = 80  # of 13 classes: 1040 cases
SEED = 800_000
SHORT = {"over_exposed": "over", "colour_cast": "cast", "face_small": "small", "face_at_edge": "edge"}


@dataclass
class Counted:
    """`found`: (made, said) and how often. `misses`: which, to make them again."""

    each: int
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    def recall(self, label: str) -> float:
        return self.found[label, label] / self.each

    def false_alarms(self, label: str) -> float:
        wrong = sum(self.found[other, label] for other in MAKERS if other != label)
        return wrong / (self.each * (len(MAKERS) - 1))


def count(each: int = CASES, seed: int = SEED) -> Counted:
    """Judge `each` pictures of every class."""
    counted = Counted(each)
    for case in cases(each, seed):
        said = judged(case)
        counted.found[case.label, said] += 1
        if said != case.label:
            counted.misses.append(f"{case.label} {case.seed}: {said}")
    return counted


def table(each: int = CASES, counted: Counted | None = None) -> str:
    """The confusion table as Markdown: what was made (rows), the first word said, then recall and false alarms."""
    counted = counted or count(each)
    labels = list(MAKERS)
    lines = [f"| made ({counted.each} of each) | " + " | ".join(SHORT.get(label, label) for label in labels) + " |"]
    lines.append("|---|" + "---:|" * len(labels))
    for made in labels:
        lines.append(f"| {made} | " + " | ".join(str(counted.found[made, said] or "·") for said in labels) + " |")
    lines.append("| **recall** | " + " | ".join(f"{counted.recall(label):.1%}" for label in labels) + " |")
    lines.append("| **false alarms** | " + " | ".join(f"{counted.false_alarms(label):.2%}" for label in labels) + " |")
    total = counted.each * len(labels)
    return "\n".join(lines) + f"\n\n{total} cases of 6 frames.\n"


if __name__ == "__main__":
    result = count(int(sys.argv[1]) if len(sys.argv) > 1 else CASES)
    print(table(result.each, result))
    print("\n".join(result.misses), file=sys.stderr)
