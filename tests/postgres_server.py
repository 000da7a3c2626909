"""A real PostgreSQL server on loopback, made for the tests and ended by its pid."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PATIENCE_S = 30


def is_there() -> bool:
    return bool(_FOLDERS)


@contextmanager
def running() -> Iterator[str]:
    """Its URL, without the database's name. Without fsync: a test's data need not survive a power cut."""
    tools, user = _FOLDERS[-1], "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="motesklar-pg-"))
    as_user = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    shutil.chown(folder, user)
    data = folder / "data"
    try:
        _do([tools / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"], as_user)
        port = _free_port()
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        _do([tools / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start"], as_user)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            _do([tools / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], as_user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _do(command: list[object], as_user: dict[str, object]) -> None:
    words = [str(word) for word in command]
    subprocess.run(
        words, check=True, timeout=PATIENCE_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **as_user
    )  # type: ignore[call-overload]


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
