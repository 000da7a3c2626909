"""Print one last line for several runs of pytest, in pytest's own words.

summary.py FAILED FILE.xml…     FAILED: 1 if any part has failed, whatever the files say; exit code 1 then too
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET


def counted(files: list[Path]) -> tuple[Counter[str], float]:
    """How many tests ended how, and in how many seconds. A run that left no report counts as an error."""
    counts: Counter[str] = Counter()
    seconds = 0.0
    for file in files:
        for suite in ET.parse(file).iter("testsuite"):  # noqa: S314 - our own pytest wrote it
            tests, failed, errors, skipped = (int(suite.get(n, 0)) for n in ("tests", "failures", "errors", "skipped"))
            counts += Counter(passed=tests - failed - errors - skipped, failed=failed, errors=errors, skipped=skipped)
            seconds += float(suite.get("time", 0))
    return counts, seconds


def line(counts: Counter[str], seconds: float, *, failed: bool) -> str:
    """Like `3 failed, 400 passed, 2 skipped in 61.00s`."""
    if failed and not counts["failed"] and not counts["errors"]:
        counts["error"] = 1  # a linter, or a part that came to no end
    words = [f"{counts[what]} {what}" for what in ("failed", "passed", "skipped", "errors", "error") if counts[what]]
    return f"{', '.join(words) or 'no tests ran'} in {seconds:.2f}s"


def main() -> int:
    """Exit code 1 when something failed or nothing ran."""
    failed = sys.argv[1] != "0"
    counts, seconds = counted([Path(name) for name in sys.argv[2:] if Path(name).exists()])
    said = line(counts, seconds, failed=failed)
    print(f" {said} ".center(100, "="))
    return int(failed or not counts["passed"] or bool(counts["failed"] + counts["errors"]))


if __name__ == "__main__":
    sys.exit(main())
