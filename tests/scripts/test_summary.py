"""The one last line of scripts/test, from files as pytest writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SUMMARY = Path(__file__).resolve().parents[2] / "scripts" / "summary.py"


def report(folder: Path, name: str, **counts: int) -> str:
    numbers = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0} | counts
    words = " ".join(f'{key}="{value}"' for key, value in numbers.items())
    path = folder / name
    path.write_text(f'<testsuites><testsuite name="pytest" {words} time="1.5"></testsuite></testsuites>')
    return str(path)


@pytest.mark.parametrize(
    ("failed", "here", "lab", "said", "code"),
    [
        ("0", {"tests": 10, "skipped": 1}, {"tests": 5}, "14 passed, 1 skipped in 3.00s", 0),
        ("1", {"tests": 10, "failures": 2}, {"tests": 5, "errors": 1}, "2 failed, 12 passed, 1 errors in 3.00s", 1),
        ("0", {"tests": 10, "failures": 2}, {"tests": 5}, "2 failed, 13 passed in 3.00s", 1),
        ("1", {"tests": 10}, {"tests": 5}, "15 passed, 1 error in 3.00s", 1),
        ("0", {"tests": 3, "skipped": 3}, {}, "3 skipped in 3.00s", 1),
    ],
)
def test_the_last_line(tmp_path: Path, failed: str, here: dict[str, int], lab: dict[str, int], said: str, code: int):
    files = [report(tmp_path, "here.xml", **here), report(tmp_path, "lab.xml", **lab), str(tmp_path / "missing.xml")]
    done = subprocess.run([sys.executable, SUMMARY, failed, *files], capture_output=True, text=True, check=False)
    assert (done.stdout.strip().strip("= "), done.returncode) == (said, code)
