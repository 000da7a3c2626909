"""The speaker check's child on ALSA: it plays through the loop card to a far end that gives the sound back."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from media_check import speaker_child
from processes import child
from tests.lab.sound import RATE, loop_card

NEAR = "alsa:hw:Loopback,0"  # the far end has device 1
DELAY = 7200  # samples: 150 ms
FACTOR = 0.1  # 20 dB
ROUNDS = 3  # of each: the card's clock ticks every 4 ms, and a round's delay is sure to some of them


@pytest.fixture
def far_end() -> Iterator[subprocess.Popen[str]]:
    if not loop_card():
        pytest.skip("no loop card")
    words = [sys.executable, "-W", "ignore", "-m", "tests.lab.far_end"]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child.environment()
    ) as far:
        assert far.stdout is not None
        assert far.stdout.readline() == "ready\n"
        yield far
        far.kill()


def told(far: subprocess.Popen[str], delay: int) -> int:
    """From now on that delay. How often it was late until then."""
    assert far.stdin is not None
    assert far.stdout is not None
    print(delay, FACTOR, file=far.stdin, flush=True)
    return int(far.stdout.readline())


def heard() -> Mapping[str, Any]:
    """The child's last line. Its work is done here: a process for each round costs the guest half a minute."""
    import sounddevice

    said: list[Mapping[str, Any]] = []
    speaker_child.work({"speaker": NEAR, "microphone": NEAR}, said.append)
    sounddevice._terminate()  # closes the streams, as the child's end does
    sounddevice._initialize()
    print(said)
    return said[-1]


def rounds(far: subprocess.Popen[str], delay: int) -> list[Mapping[str, Any]]:
    """With that delay. A round in which the far end was late itself is left out: then its delay is not known."""
    found = []
    told(far, delay)
    for _ in range(2 * ROUNDS):
        one = heard()
        if told(far, delay) == 0:
            found.append(one)
        if len(found) == ROUNDS:
            return found
    raise AssertionError("the guest is too slow for the far end")


def test_a_delay_that_is_put_in_is_found(far_end: subprocess.Popen[str]) -> None:
    """The truth is the far end's count: DELAY samples more in the later rounds than in the first, at RATE a second.

    What the way has besides, queues in both programs and the driver, is the same in all.
    """
    at_once, late = rounds(far_end, 0), rounds(far_end, DELAY)
    assert all(one["heard"] for one in (*at_once, *late))
    found = [statistics.median(one["delay"] for one in some) for some in (at_once, late)]
    assert found[1] - found[0] == pytest.approx(DELAY / RATE, abs=0.005)
    for one in (*at_once, *late):
        assert one["loss"] == pytest.approx(20, abs=0.7)
