"""Print what the virtual hardware lab's guest needs: the agent and pytest, at the versions of requirements.lock."""

from __future__ import annotations

from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
PYTEST = ("pytest", "pytest-asyncio", "pytest-timeout", "iniconfig", "pluggy", "packaging")


def packages(lock: str) -> list[str]:
    """name==version of the lock's first part, which is the agent's, and of pytest. The guest is a Linux."""
    found, part = [], ""
    for line in lock.splitlines():
        if line.startswith("#"):
            part = line
            continue
        pin, _, marker = (word.strip() for word in line.partition(";"))
        here = not marker or "'darwin'" not in marker
        if pin and here and (part == "# the agent" or pin.split("==")[0] in PYTEST):
            found.append(pin)
    return found


if __name__ == "__main__":
    print(*packages(LOCK.read_text("utf-8")))
