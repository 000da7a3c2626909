"""One verdict for one path, the better of two links, and a link that goes away in the middle.

Two runs of each path; `MOTESKLAR_VERDICT_RUNS=20` makes twenty, of which nineteen must be alike.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.netlab.impairment import GilbertElliott, Impairment
from tests.netlab.path import ImpairedPath, PathFactory
from tests.netlab.program import PATIENCE, check, result_of, room_on, start_check

pytestmark = [pytest.mark.netlab, pytest.mark.timeout(420)]

RUNS = int(os.environ.get("MOTESKLAR_VERDICT_RUNS", "2"))
CLEAN = Impairment(delay=0.01, udp_only=True)
FIXED = [
    ("a good wifi", Impairment(delay=0.01, jitter=0.002, loss=0.0008, udp_only=True), "ready"),
    ("a tired wifi", Impairment(delay=0.02, jitter=0.004, loss=0.012, udp_only=True), "degraded"),
    ("bursts of loss", Impairment(delay=0.02, burst=GilbertElliott(0.02, 0.25), udp_only=True), "not_ready"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "impairment", "level"), FIXED, ids=[name for name, _, _ in FIXED])
def test_every_run_gives_one_verdict(
    impaired_path: PathFactory, tmp_path: Path, name: str, impairment: Impairment, level: str
) -> None:
    def once(seed: int) -> str:
        folder = tmp_path / str(seed)
        folder.mkdir()
        with impaired_path(up=impairment, down=impairment, seed=seed) as path, room_on(path, folder) as room:
            return check(path, room, folder, "--only", "echo").level

    with ThreadPoolExecutor(6) as pool:
        levels = Counter(pool.map(once, range(RUNS)))
    assert levels[level] >= 0.95 * RUNS, levels


def test_the_better_of_two_links_is_named(impaired_path: PathFactory, tmp_path: Path) -> None:
    poor = Impairment(delay=0.03, jitter=0.005, loss=0.04, udp_only=True)
    with (
        impaired_path(up=poor, down=poor, seed=1) as used,
        room_on(used, tmp_path) as room,
        impaired_path(up=CLEAN, down=CLEAN, seed=2, beside=used) as other,
    ):
        result = check(used, room, tmp_path, "--all-links", "--only", "echo", "--seconds", "6")
    facts = result.of("compare")["facts"]
    assert (facts["best"], facts["worst"], facts["told_apart"]) == (other.laptop_device, used.laptop_device, True)
    assert result.of("compare")["values"]["mos_difference_ci95_low"] > 0.1
    assert result.echo_of(other.laptop_device)["values"]["loss_ratio"] == 0
    assert result.echo_of(used.laptop_device)["values"]["loss_up_ratio"] == pytest.approx(0.04, abs=0.02)
    assert result.document["verdict"]["action"] == "use_link"


def test_equal_links_cannot_be_told_apart(impaired_path: PathFactory, tmp_path: Path) -> None:
    with (
        impaired_path(up=CLEAN, down=CLEAN, seed=1) as used,
        room_on(used, tmp_path) as room,
        impaired_path(up=CLEAN, down=CLEAN, seed=2, beside=used),
    ):
        result = check(used, room, tmp_path, "--all-links", "--only", "echo", "--seconds", "6")
    assert result.of("compare")["facts"]["told_apart"] is False
    assert result.level == "ready"


def in_the_middle(path: ImpairedPath) -> None:
    """Wait until a check sends: how long a program takes to begin is the machine's."""
    end = time.monotonic() + 30
    while sent_by(path) < 250:  # a hundred a second; and some before them, to the room
        assert time.monotonic() < end
        time.sleep(0.05)


def sent_by(path: ImpairedPath) -> int:
    """Packets of the laptop's device."""
    devices = path.laptop.run(["cat", "/proc/net/dev"], check=True, sysfs=False).stdout
    counts = next(line.partition(":")[2] for line in devices.splitlines() if path.laptop_device in line)
    return int(counts.split()[9])


@pytest.mark.any_load
@pytest.mark.parametrize("how", ["down", "del"])
def test_a_link_that_vanishes_in_the_middle(impaired_path: PathFactory, tmp_path: Path, how: str) -> None:
    with impaired_path(up=CLEAN, down=CLEAN) as path, room_on(path, tmp_path) as room:
        process = start_check(path, room, tmp_path, "--only", "echo", "--seconds", "8")
        in_the_middle(path)
        change = ["ip", "link", "set", path.laptop_device, "down"]
        path.laptop.run(change if how == "down" else ["ip", "link", "del", path.laptop_device], check=True)
        out, err = process.communicate(timeout=PATIENCE)
    result = result_of(process, out, err)
    assert result.echo["failure"]["code"] == "link_vanished"
    assert 50 < result.values["packets_received"] < result.values["packets_sent"] + 1
    assert (result.code, result.level) == (20, "not_ready")


@pytest.mark.any_load
def test_the_room_goes_away_in_the_middle(impaired_path: PathFactory, tmp_path: Path) -> None:
    with impaired_path(up=CLEAN, down=CLEAN) as path:
        with room_on(path, tmp_path) as room:
            process = start_check(path, room, tmp_path, "--only", "echo", "--seconds", "6")
            in_the_middle(path)
        out, err = process.communicate(timeout=PATIENCE)
    result = result_of(process, out, err)
    assert result.level in ("unknown", "not_ready")
    assert result.values["loss_ratio"] > 0.1


@pytest.mark.any_load
def test_nothing_answers_on_udp(impaired_path: PathFactory, tmp_path: Path) -> None:
    silent = Impairment(loss=1.0, udp_only=True)
    with impaired_path(up=silent, down=CLEAN) as path, room_on(path, tmp_path) as room:
        started = time.monotonic()
        result = check(path, room, tmp_path, "--only", "echo", "--seconds", "2")
    assert result.echo["failure"]["code"] == "no_reply"
    assert (result.code, result.level) == (30, "unknown")
    assert time.monotonic() - started < 20


def test_an_interrupt_shows_what_there_is(impaired_path: PathFactory, tmp_path: Path) -> None:
    with impaired_path(up=CLEAN, down=CLEAN) as path, room_on(path, tmp_path) as room:
        process = start_check(path, room, tmp_path, "--only", "echo", "--seconds", "60")
        in_the_middle(path)
        process.send_signal(subprocess.signal.SIGINT)
        out, err = process.communicate(timeout=5)
    result = result_of(process, out, err)
    assert result.document["interrupted"] is True
    assert result.values["packets_received"] == result.values["packets_sent"] > 50


def test_over_ipv6(impaired_path: PathFactory, tmp_path: Path) -> None:
    lossy = Impairment(delay=0.01, lose=(40, 41, 42), udp_only=True)
    with impaired_path(up=lossy, down=CLEAN) as path, room_on(path, tmp_path, f"[{path.room_address_v6}]") as room:
        values = check(path, room, tmp_path, "--only", "echo", "--seconds", "3").values
    assert values["packets_sent"] - values["packets_reflected"] == 3
    assert values["loss_down_ratio"] == 0
    assert values["rtt_p50_seconds"] == pytest.approx(0.02, abs=0.002)


def test_without_any_privilege(impaired_path: PathFactory, tmp_path: Path) -> None:
    """Bound to the device, stamped by the kernel, and the link known: with every capability given up."""
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    with impaired_path(up=CLEAN, down=CLEAN) as path, room_on(path, tmp_path) as room:
        held = path.laptop.run([*bare, "grep", "CapEff", "/proc/self/status"]).stdout
        result = check(path, room, tmp_path, "--only", "echo", "--seconds", "2", through=bare)
    assert int(held.split()[1], 16) == 0
    assert result.echo["failure"] is None
    assert result.echo["facts"]["stamps"] == "kernel"
    assert result.echo["subject"] == path.laptop_device
