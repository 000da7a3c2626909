"""Print what the virtual hardware lab's guest needs, at the locked versions: the agent without LEFT_OUT, and pytest.

The guest emulates its processor, which has no time for a call; and it takes nothing that has to be compiled first.
"""

from __future__ import annotations

from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
CALLS = ("aiortc", "av", "google-crc32c", "pyee", "pylibsrtp", "pyopenssl")
COLLECTOR = ("alembic", "mako", "markupsafe", "psycopg", "psycopg-binary", "sqlalchemy", "typst")
LEFT_OUT = (*CALLS, *COLLECTOR, "pyscard")  # pyscard: no wheel for Linux
PYTEST = ("pytest", "pytest-asyncio", "pytest-timeout", "iniconfig", "pluggy", "packaging")


def packages(lock: str) -> list[str]:
    """name==version of the lock's first part, the agent's, without LEFT_OUT, and of pytest. The guest is a Linux."""
    found, part = [], ""
    for line in lock.splitlines():
        if line.startswith("#"):
            part = line
            continue
        pin, _, marker = (word.strip() for word in line.partition(";"))
        here, name = not marker or "'darwin'" not in marker, pin.split("==")[0]
        if pin and here and (name in PYTEST or (part == "# the agent" and name not in LEFT_OUT)):
            found.append(pin)
    return found


if __name__ == "__main__":
    print(*packages(LOCK.read_text("utf-8")))
