"""Print one last line for several runs of pytest, in pytest's own words.

summary.py FAILED FILE.xml…     FAILED: 1 if any part has failed, whatever the files say; exit code 1 then too

Of a test in several files the last counts; one that failed before, and passed by itself, is named.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

HOW = {"failure": "failed", "error": "errors", "skipped": "skipped"}


def counted(files: list[Path]) -> tuple[dict[str, str], float, list[str]]:
    """How each test ended, in how many seconds all, and those whose first failure was not the end."""
    ended: dict[str, str] = {}
    seconds, mended = 0.0, []
    for file in files:
        root = ET.parse(file).getroot()  # noqa: S314 - our own pytest wrote it
        seconds += sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
        for case in root.iter("testcase"):
            name, how = f"{case.get('classname')}::{case.get('name')}", _how(case)
            if how == "passed" and ended.get(name, how) != how:
                mended.append(name)
            ended[name] = how
    return ended, seconds, mended


def _how(case: ET.Element) -> str:
    found = [how for tag, how in HOW.items() if case.find(tag) is not None]
    return found[0] if found else "passed"


def line(counts: Counter[str], seconds: float, *, failed: bool) -> str:
    """Like `3 failed, 400 passed, 2 skipped in 61.00s`."""
    if failed and not counts["failed"] and not counts["errors"]:
        counts["error"] = 1  # a linter, or a part that came to no end
    words = [f"{counts[what]} {what}" for what in ("failed", "passed", "skipped", "errors", "error") if counts[what]]
    return f"{', '.join(words) or 'no tests ran'} in {seconds:.2f}s"


def main() -> int:
    """Exit code 1 when something failed or nothing ran."""
    failed = sys.argv[1] != "0"
    ended, seconds, mended = counted([Path(name) for name in sys.argv[2:] if Path(name).exists()])
    counts = Counter(ended.values())
    for name in mended:
        print(f"failed at first, passed by itself: {name}")
    said = line(counts, seconds, failed=failed)
    print(f" {said} ".center(100, "="))
    return int(failed or not counts["passed"] or bool(counts["failed"] + counts["errors"]))


if __name__ == "__main__":
    sys.exit(main())
