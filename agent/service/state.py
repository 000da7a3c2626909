"""What the agent keeps in the state folder: which machine this is, the latest answer, and that only one agent runs.

machine        the pseudonym: 128 random bits, made once
verdict.json   the latest self-test's document, without addresses
metrics.prom   the same as metrics, with the names of links
spool.db       reports that wait to be sent
budget.json    what was moved today
agent.lock     held by the agent that runs
ui.lock        held by the staff page's program that runs; a test in the background gives way to it
check.lock     held while somebody tests in a terminal; a test in the background gives way to that, too
test.lock      held while a self-test runs, by any of them
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.identity import PSEUDONYM
from reports.replacing import draft, replace

if TYPE_CHECKING:
    from reports.record import SelfTest

MACHINE, VERDICT, METRICS, SPOOL, BUDGET, LOCK = (
    "machine", "verdict.json", "metrics.prom", "spool.db", "budget.json", "agent.lock",
)  # fmt: skip
PAGE_LOCK, CHECK_LOCK, TEST_LOCK = "ui.lock", "check.lock", "test.lock"


class StateError(ValueError):
    """The state folder cannot be used; one line says why."""


class HeldError(StateError):
    """Another program has the lock."""


def pseudonym(folder: Path) -> str:
    """This machine's: 32 hexadecimal digits, which say nothing of it. Made at the first call. Raises StateError."""
    path = folder / MACHINE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        found = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"cannot keep this machine's pseudonym in {path}: {_words(error)}") from None
    if not PSEUDONYM.fullmatch(found):
        raise StateError(f"{path} must hold 32 hexadecimal digits; delete it, and this becomes a new machine")
    return found


def _make(path: Path) -> None:
    """Whole, or not at all: two programs may come at once, and one of them wins."""
    made = draft(path, secrets.token_hex(16).encode())
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def keep(folder: Path, test: SelfTest) -> None:
    """The latest self-test, for /verdict and /metrics. Raises OSError."""
    from reports.metrics import exposition
    from reports.serial import to_json

    document = json.dumps(to_json(test), ensure_ascii=False, allow_nan=False).encode()
    replace(folder / VERDICT, document)
    replace(folder / METRICS, exposition(test, links=True))


def kept(folder: Path, name: str) -> bytes:
    """VERDICT or METRICS; empty before the first self-test."""
    try:
        return (folder / name).read_bytes()
    except OSError:
        return b""


def last_run(folder: Path) -> dict[str, Any] | None:
    """{"run_id", "started_at", "level"} of the latest self-test, if it can be read."""
    try:
        found = json.loads(kept(folder, VERDICT))
        return {
            "run_id": str(found["run_id"]),
            "started_at": float(found["started_at"]),
            "level": str(found["verdict"]["level"]),
        }
    except (ValueError, KeyError, TypeError):
        return None


@contextmanager
def held(folder: Path, lock: str = LOCK, says: str = "another agent of this user runs already") -> Iterator[None]:
    """One holder at a time; the system lets go of it however that ends. Raises HeldError with `says`, StateError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(f"cannot use the state folder {folder}: {_words(error)}") from None
    try:
        if not _lock(handle):
            raise HeldError(says)
        yield
    finally:
        os.close(handle)


def is_held(folder: Path, lock: str) -> bool:
    """Just now, by anybody. False where the folder cannot be used."""
    if not (folder / lock).exists():
        return False
    try:
        with held(folder, lock):
            return False
    except HeldError:
        return True
    except StateError:
        return False


def who_tests(folder: Path) -> str:
    """Why a test in the background has to wait: "page", "check" (in a terminal), or "" when nobody is there to test."""
    persons = {"page": PAGE_LOCK, "check": CHECK_LOCK}
    return next((who for who, lock in persons.items() if is_held(folder, lock)), "")


def _lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is not text"
