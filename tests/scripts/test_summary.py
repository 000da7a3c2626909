"""The one last line of scripts/test, from files as pytest writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUMMARY = Path(__file__).resolve().parents[2] / "scripts" / "summary.py"


ENDS = {"failures": "<failure/>", "errors": "<error/>", "skipped": "<skipped/>", "passed": ""}


def report(folder: Path, name: str, **counts: int) -> str:
    """One of pytest's, with so many tests that ended so, numbered from 0."""
    ends = [end for how, end in ENDS.items() for _ in range(counts.get(how, 0))]
    cases = "".join(f'<testcase classname="{name}" name="{n}">{end}</testcase>' for n, end in enumerate(ends))
    path = folder / name
    path.write_text(f'<testsuites><testsuite name="pytest" time="1.5">{cases}</testsuite></testsuites>')
    return str(path)


@pytest.mark.parametrize(
    ("failed", "here", "lab", "said", "code"),
    [
        ("0", {"passed": 9, "skipped": 1}, {"passed": 5}, "14 passed, 1 skipped in 3.00s", 0),
        ("1", {"passed": 8, "failures": 2}, {"passed": 4, "errors": 1}, "2 failed, 12 passed, 1 errors in 3.00s", 1),
        ("0", {"passed": 8, "failures": 2}, {"passed": 5}, "2 failed, 13 passed in 3.00s", 1),
        ("1", {"passed": 10}, {"passed": 5}, "15 passed, 1 error in 3.00s", 1),
        ("0", {"skipped": 3}, {}, "3 skipped in 3.00s", 1),
    ],
)
def test_the_last_line(tmp_path: Path, failed: str, here: dict[str, int], lab: dict[str, int], said: str, code: int):
    files = [report(tmp_path, "here.xml", **here), report(tmp_path, "lab.xml", **lab), str(tmp_path / "missing.xml")]
    done = subprocess.run([sys.executable, SUMMARY, failed, *files], capture_output=True, text=True, check=False)
    assert (done.stdout.strip().strip("= "), done.returncode) == (said, code)


@pytest.mark.parametrize(
    ("second", "said", "code"),
    [
        ({"passed": 1}, "10 passed in 3.00s", 0),
        ({"failures": 1}, "1 failed, 9 passed in 3.00s", 1),
    ],
)
def test_a_test_that_ran_again_counts_once(tmp_path: Path, second: dict[str, int], said: str, code: int):
    """It is the first of the file, because failures are written first."""
    (tmp_path / "first").mkdir()
    files = [report(tmp_path / "first", "a.xml", passed=9, failures=1), report(tmp_path, "a.xml", **second)]
    done = subprocess.run([sys.executable, SUMMARY, "0", *files], capture_output=True, text=True, check=False)
    *named, last = done.stdout.splitlines()
    assert (last.strip("= "), done.returncode) == (said, code)
    assert named == ([] if code else ["failed at first, passed by itself: a.xml::0"])
