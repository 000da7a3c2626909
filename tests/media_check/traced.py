"""What traced runs share: the known sound, what of picture and sound is looked for, and where the program runs."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_check.echo import sweep
from tests.agent.program import ROOT, environment
from tests.media_check import marked, pulse, strace
from tests.media_check.nothing_recorded import Place
from tests.media_check.voices import spoken


@cache
def heard() -> NDArray[np.float32]:
    """Somebody reads, in a room that is never quite silent."""
    voice = np.concatenate([spoken("sv", 0, 0, pulse.RATE), np.zeros(pulse.RATE // 3)]) * 10 ** (-24 / 20)
    return marked.sound(voice + np.random.default_rng(7).normal(0, 1e-3, len(voice)))


@cache
def marks() -> dict[str, frozenset[bytes]]:
    return {"picture": marked.blocks_of_picture(), "sound": marked.blocks_of_sound(heard())}


@cache
def own() -> bytes:
    """What the speaker's child plays, in both ears: that is no recording."""
    silence = np.zeros(pulse.RATE // 2, np.float32)
    return np.concatenate([silence, sweep(pulse.RATE), silence]).repeat(2).tobytes()


def prepare(folder: Path) -> Path:
    """A sitecustomize.py for every Python process, and places for what it leaves. Skips where none can be traced."""
    if reason := strace.reason_against():
        pytest.skip(reason)
    for name in ("site", "home", "temporary"):
        (folder / name).mkdir()
    (folder / "site/sitecustomize.py").write_text("from tests.media_check import marked\n\nmarked.install()\n", "utf-8")
    return folder


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a program that uses what prepare() made."""
    ways = {"PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    return environment(folder / "home", TMPDIR=str(folder / "temporary"), **ways, **more)


def place(folder: Path, server: str = "") -> Place:
    """The judge's, for a run there."""
    return Place(server.removeprefix("unix:"), str(folder / "temporary"), str(folder / "home"))
