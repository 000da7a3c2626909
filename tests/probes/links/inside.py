"""Run a few lines of Python in fresh network namespaces: `here`, and `far` at the other end of virtual cables.

Everything is made by `unshare -Urnm`, lives as long as the one child process, and leaves nothing behind.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
UNSHARE = ("unshare", "-Urnm", "--kill-child", "--fork")
PRELUDE = """\
import asyncio, json, socket, subprocess, sys
from dataclasses import asdict
from probes.links import default_link, discover
from probes.links.binding import BindingError, Passage, bind_to_link, bound_socket, counters

def ip(*lines):
    for line in lines:
        subprocess.run(["ip", *line.split()], check=True)

def answer(value):
    print(json.dumps(value))

def links():
    return {link.name: link for link in asyncio.run(discover())}
"""


@cache
def why_not() -> str:
    """Why namespaces cannot be made here, or ""."""
    try:
        done = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no network namespaces: {error}"
    return "" if done.returncode == 0 else f"no network namespaces: {done.stderr.strip()}"


def run(lines: str, *, own_sysfs: bool = True) -> Any:
    """The JSON that the lines hand to `answer`. Skips the test where namespaces cannot be made."""
    if reason := why_not():
        pytest.skip(reason)
    mount = "mount -t sysfs sysfs /sys && " if own_sysfs else ""
    shell = f'{mount}ip link set lo up && exec "$@"'
    command = [*UNSHARE, "sh", "-c", shell, "sh", sys.executable, "-W", "error", "-c", PRELUDE + lines]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
