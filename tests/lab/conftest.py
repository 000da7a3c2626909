"""Tests that need real drivers: they run inside the virtual hardware lab only, and are skipped everywhere else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LAB = Path("/lab")
HERE = Path(__file__).parent
ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("10.77.0.1", 7007))
print("ready", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(data, peer)
"""


def in_lab() -> bool:
    """Is this the lab's guest?"""
    return (LAB / "impair").exists() and (LAB / "phone").exists()


def pytest_configure(config: pytest.Config) -> None:
    """The guest sees the checkout read-only: pytest's cache cannot be written, and need not be."""
    if in_lab():
        config.addinivalue_line("filterwarnings", "ignore::pytest.PytestCacheWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark this folder's tests; skip them outside the lab."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.lab)
            if not in_lab():
                item.add_marker(pytest.mark.skip(reason="runs inside the virtual hardware lab only"))


def command(*words: str) -> str:
    """Run one of the lab's commands, such as `wifi rssi -82`; its output.

    An emulated device that does not come up is plugged in again, twice at the most: it is not what is tested.
    """
    said = ""
    for _ in range(3):
        try:
            done = subprocess.run(
                [str(LAB / words[0]), *words[1:]], capture_output=True, text=True, timeout=33, check=False
            )
        except subprocess.TimeoutExpired:
            said = "no end after 33 s"
            continue
        if done.returncode == 0:
            return done.stdout
        said = done.stdout + done.stderr
    raise AssertionError(f"{' '.join(words)}: {said}")


@pytest.fixture(scope="session")
def lab() -> Callable[..., str]:
    """`lab("wifi", "rssi", "-82")`: change the lab's hardware."""
    return command


@pytest.fixture(scope="session")
def far_echo() -> Iterator[tuple[str, int]]:
    """A UDP echo at the far end of every link: its address and port."""
    words = ["ip", "netns", "exec", "room", "python3", "-c", ECHO]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as far:
        assert far.stdout is not None
        assert far.stdout.readline() == "ready\n"
        yield ("10.77.0.1", 7007)
        far.kill()
