"""The real program in a process of its own, with an empty home: no settings, no state of whoever runs the tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema

from reports import record

ROOT = Path(__file__).parents[2]
VALIDATOR = jsonschema.Draft202012Validator(
    json.loads(Path(record.__file__).with_name("selftest.schema.json").read_text("utf-8"))
)
VERDICTS = {0: "ready", 10: "degraded", 20: "not_ready", 30: "unknown"}
ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){2,}|([0-9a-f]{2}:){5}[0-9a-f]{2}")


def command(*arguments: object) -> list[str]:
    """`motesklar ARGUMENTS`, by this interpreter."""
    return [sys.executable, "-m", "agent", *map(str, arguments)]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Nothing of the caller's but the way to programs."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    return kept | {"HOME": str(home), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "LC_ALL": "en_US.UTF-8"} | more


def start(home: Path, *arguments: object, **more: str) -> subprocess.Popen[str]:
    """Begin; the caller waits for the end."""
    return subprocess.Popen(
        command(*arguments), env=environment(home, **more), cwd=home, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(home: Path, *arguments: object, prefix: Sequence[str] = (), **more: str) -> subprocess.CompletedProcess[str]:
    """Run to the end: at most 25 s. What it printed never holds a traceback."""
    done = subprocess.run(
        [*prefix, *command(*arguments)], env=environment(home, **more), cwd=home, text=True, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=25,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one valid JSON document that stdout is, whose verdict is the exit code's."""
    found: dict[str, Any] = json.loads(done.stdout)
    VALIDATOR.validate(found)
    assert done.returncode in VERDICTS, done.stderr
    assert found["verdict"]["level"] == VERDICTS[done.returncode]
    return found


def one_line(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The message of a program that refused: exactly one line on stderr, and nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("motesklar: ")
    assert len(line) > len("motesklar: ") + 10
    return line
