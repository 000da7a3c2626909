"""Whose turn it is to test on this computer: of two self-tests at once, each would measure the other's traffic.

A person's comes before the background's, which gives way. Of two persons' the second is told of the first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from agent.service import state
from reports.record import SelfTest

GIVES_WAY_S = 5.0  # for a test in the background to notice, and to end
GLANCE_S = 0.2  # whoever looks whether a lock is held has it for a moment
BESIDE, WATCHER = "another_self_test", "local"  # a fact, and the probe that tells what else this computer does
_TRY_S = 0.05


@contextmanager
def in_person(folder: Path) -> Iterator[float]:
    """Somebody tests in a terminal: meanwhile none begins in the background, and one that goes on there ends.

    Gives for how many seconds it is worth waiting for a test that goes on: other persons' do not give way.
    """
    with ExitStack() as stack:
        first = _entered(stack, folder, state.CHECK_LOCK, GLANCE_S)
        yield GIVES_WAY_S if first and not state.is_held(folder, state.PAGE_LOCK) else 0.0


@contextmanager
def turn(folder: Path, seconds: float) -> Iterator[bool]:
    """For one self-test. False: another goes on, and does not end within `seconds`.

    A folder that cannot be used is no reason not to test.
    """
    with ExitStack() as stack:
        yield _entered(stack, folder, state.TEST_LOCK, seconds)


class Turns:
    """One for each run of several. In between, while an answer is read, others may test. `ours`: holds the first."""

    def __init__(self, folder: Path, ours: ExitStack) -> None:
        self._folder, self._ours = folder, ours

    def take(self) -> bool:
        """False: another self-test goes on."""
        return self._ours.enter_context(turn(self._folder, 0.0))

    def end(self) -> None:
        """The run is over."""
        self._ours.close()


def _entered(stack: ExitStack, folder: Path, lock: str, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while True:
        try:
            stack.enter_context(state.held(folder, lock))
        except state.HeldError:
            if time.monotonic() >= ends:
                return False
        except state.StateError:
            return True
        else:
            return True
        time.sleep(_TRY_S)


def noted(self_test: SelfTest) -> SelfTest:
    """With the fact that another went on when this one began, beside what other programs moved meanwhile."""
    measurements = (
        replace(m, facts={**m.facts, BESIDE: True}) if m.name == WATCHER else m for m in self_test.measurements
    )
    return replace(self_test, measurements=tuple(measurements))
