"""Packages from npm that tests use, and nothing else does."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_QUIET = ("--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")


def installed(name: str, *packages: str) -> Path:
    """A folder of this user's with these packages (NAME@VERSION) in it; they are kept there for the next time."""
    if shutil.which("npm") is None:
        pytest.skip("not installed: npm")
    folder = Path(tempfile.gettempdir()) / f"motesklar-{name}-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    assert folder.lstat().st_uid == os.getuid()
    done = folder / "-".join(package.rpartition("/")[2] for package in packages)
    if not done.exists():
        subprocess.run(["npm", "install", *_QUIET, "--prefix", folder, *packages], check=True, timeout=120, cwd=folder)
        done.touch()
    return folder
