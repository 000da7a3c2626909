"""Install the program into .venv of this checkout, at the versions of requirements.lock.

    install.py [--development]     with the tools of scripts/test and scripts/lint

Needs Python 3.11 with venv, nothing else. Several may start at once: they wait for each other.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
LOG = VENV / "install.log"
PROJECT = ROOT / "pyproject.toml"


class InstallError(Exception):
    """It cannot be installed; one line says what to do."""


def wanted() -> bytes:
    """What the stamps hold when nothing needs to be done. scripts/motesklar compares the same bytes."""
    return f"{ROOT}\n".encode() + PROJECT.read_bytes() + LOCK.read_bytes()


def groups() -> list[str]:
    """The requirements of the tests and linters."""
    by_name = tomllib.loads(PROJECT.read_text("utf-8"))["dependency-groups"]
    return [*by_name["test"], *by_name["quality"]]


def extras() -> str:
    """The room's, and the card reader's where its package can be built (swig, libpcsclite-dev)."""
    buildable = all(shutil.which(tool) for tool in ("cc", "swig")) and Path("/usr/include/PCSC/winscard.h").exists()
    return "room,card" if buildable else "room"


def make_venv() -> None:
    """A new environment, unless a working one is there."""
    if PYTHON.exists() and _quietly(PYTHON, "-m", "pip", "--version"):
        return
    if not _quietly(sys.executable, "-c", "import venv, ensurepip"):
        raise InstallError("Python's venv is missing: apt-get install python3-venv")
    if not _quietly(sys.executable, "-m", "venv", "--clear", str(VENV)):
        raise InstallError(f"cannot make {VENV}: is the disk full, or the folder not yours?")


def pip(*requirements: str) -> None:
    """Install at the locked versions; the lock holds for the build's own tools too."""
    locked = {"PIP_CONSTRAINT": str(LOCK), "PIP_BUILD_CONSTRAINT": str(LOCK)}
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *requirements]
    with LOG.open("wb") as log:
        done = subprocess.run(  # noqa: S603
            command, env=os.environ | locked, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        raise InstallError(f"installing failed: {_reason()} (all of it: {LOG}). Is there a network? Then start again")


def _reason() -> str:
    """What pip complained about last."""
    lines = [line.strip() for line in LOG.read_text("utf-8", "replace").splitlines()]
    said = [line for line in lines if re.match(r"(\w*Error|ERROR|error):", line)]
    return said[-1] if said else "pip gave no reason"


def install(stamps: Sequence[Path], *requirements: str) -> None:
    """Install, and leave the stamps that say of which versions."""
    if all(stamp.exists() and stamp.read_bytes() == wanted() for stamp in stamps):
        return
    print(f"motesklar: installing into {VENV}, once (about a minute) …", file=sys.stderr, flush=True)
    make_venv()
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    pip(*requirements)
    for stamp in stamps:
        stamp.write_bytes(wanted())


def main() -> int:
    """Exit code 0 when everything is installed."""
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # freed by the system, however this process ends
        program, stamp = ("--editable", f"{ROOT}[{extras()}]"), VENV / "installed"
        if "--development" in sys.argv[1:]:
            install((stamp, VENV / "installed-development"), *program, *groups())
        else:
            install((stamp,), *program)
    except (InstallError, OSError) as error:
        print(f"motesklar: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("motesklar: stopped", file=sys.stderr)
        return 130
    finally:
        os.close(handle)
    return 0


def _quietly(*command: str | Path) -> bool:
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # noqa: S603
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
