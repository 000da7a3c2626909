"""What `motesklar check` says, against what the relay did to every packet: the log's truth, not its settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tests.netlab.fate import Fate
from tests.netlab.impairment import GilbertElliott, Impairment, Way
from tests.netlab.path import PathFactory
from tests.netlab.program import check, room_on

pytestmark = [pytest.mark.netlab, pytest.mark.timeout(300)]

Values = dict[str, float]
AUDIO_BYTES = 160 + 28  # the policy's audio payload, UDP and IPv4 headers
SENDER_SEQUENCE = {"up": slice(0, 4), "down": slice(48, 52)}  # RFC 8762, authenticated


# ---- the truth, computed from the log by code of its own ---------------------------------------------------------


def stamp_packets(log: Sequence[Fate], way: Way) -> list[Fate]:
    port = "destination_port" if way == "up" else "source_port"
    return [f for f in log if f.way == way and getattr(f, port) == 8862]


def sequence(fate: Fate) -> int:
    return int.from_bytes(fate.payload[SENDER_SEQUENCE[fate.way]], "big")


def main_run(log: Sequence[Fate], way: Way) -> list[Fate]:
    fates = stamp_packets(log, way)
    assert not [f for f in fates if f.what in ("overrun", "unfinished")]
    return fates


def first_arrivals(fates: Sequence[Fate]) -> list[Fate]:
    """In order of arrival, each packet once."""
    arrived = sorted((f for f in fates if f.arrived), key=lambda f: f.written_ns)
    seen: set[int] = set()
    return [f for f in arrived if not (sequence(f) in seen or seen.add(sequence(f)))]


def true_jitter(fates: Sequence[Fate]) -> float:
    """RFC 3550: J += (|D| - J)/16 over arrivals; the mean of J once the filter has settled."""
    delays = [f.delay_s for f in first_arrivals(fates) if f.size == AUDIO_BYTES]
    jitter, series = 0.0, []
    for before, after in pairwise(delays):
        jitter += (abs(after - before) - jitter) / 16
        series.append(jitter)
    return fmean(series[32:])


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    return ordered[int(at)] + (ordered[min(int(at) + 1, len(ordered) - 1)] - ordered[int(at)]) * (at % 1)


def true_variation(fates: Sequence[Fate]) -> tuple[float, float]:
    """p95 of ipdv (packets sent one after the other) and of pdv (above the fastest)."""
    audio = sorted((f for f in first_arrivals(fates) if f.size == AUDIO_BYTES), key=sequence)
    delays = [f.delay_s for f in audio]
    ipdv = quantile([abs(b - a) for a, b in pairwise(delays)], 0.95)
    return ipdv, quantile([d - min(delays) for d in delays], 0.95)


def true_reordered(fates: Sequence[Fate], order: slice) -> int:
    """RFC 4737 by the number that the packet carries at `order`."""
    highest, count = -1, 0
    for fate in first_arrivals(fates):
        number = int.from_bytes(fate.payload[order], "big")
        count += number < highest
        highest = max(highest, number)
    return count


# ---- the tests --------------------------------------------------------------------------------------------------

JITTERY = [
    ("normal", Impairment(delay=0.02, jitter=0.003, shape="normal", udp_only=True)),
    ("laplace, both large", Impairment(delay=0.05, jitter=0.008, shape="laplace", udp_only=True)),
    ("uniform, overtaking", Impairment(delay=0.02, jitter=0.004, shape="uniform", keep_order=False, udp_only=True)),
]


@pytest.mark.parametrize(("name", "impairment"), JITTERY, ids=[name for name, _ in JITTERY])
def test_delay_variation_is_the_logs(
    impaired_path: PathFactory, tmp_path: Path, name: str, impairment: Impairment
) -> None:
    with impaired_path(up=impairment, down=impairment, seed=7) as path, room_on(path, tmp_path) as room:
        values = check(path, room, tmp_path, "--only", "echo", "--seconds", "10").values
    for way in ("up", "down"):
        fates = main_run(path.log, way)
        true = true_jitter(fates)
        assert true >= 0.001
        assert values[f"jitter_{way}_seconds"] == pytest.approx(true, rel=0.005), (way, true)
        ipdv, pdv = true_variation(fates)
        assert values[f"ipdv_{way}_p95_seconds"] == pytest.approx(ipdv, abs=0.0001), way
        assert values[f"pdv_{way}_p95_seconds"] == pytest.approx(pdv, abs=0.0001), way


COUNTED = [
    ("loss up", Impairment(delay=0.01, loss=0.03, udp_only=True), Impairment(delay=0.01)),
    ("loss down", Impairment(delay=0.01), Impairment(delay=0.01, loss=0.02, udp_only=True)),
    ("bursts both ways", Impairment(burst=GilbertElliott(0.01, 0.3), udp_only=True),
     Impairment(burst=GilbertElliott(0.02, 0.5), udp_only=True)),
    ("duplicates", Impairment(delay=0.01, duplicate=0.02, udp_only=True),
     Impairment(delay=0.01, duplicate=0.05, duplicate_gap=0.001, udp_only=True)),
    ("reordering", Impairment(delay=0.01, reorder=0.02, reorder_hold=0.03, udp_only=True),
     Impairment(delay=0.01, reorder=0.05, reorder_hold=0.03, udp_only=True)),
    ("all at once", Impairment(delay=0.02, loss=0.01, duplicate=0.01, reorder=0.01, jitter=0.002, keep_order=False,
                               udp_only=True),
     Impairment(delay=0.02, loss=0.02, duplicate=0.02, reorder=0.02, jitter=0.002, keep_order=False, udp_only=True)),
]  # fmt: skip


def counts(impaired_path: PathFactory, folder: Path, up: Impairment, down: Impairment) -> tuple[Values, Values]:
    """What the program says of one run, and what the log says."""
    folder.mkdir()
    with impaired_path(up=up, down=down, seed=3) as path, room_on(path, folder) as room:
        values = check(path, room, folder, "--only", "echo", "--seconds", "6").values
        time.sleep(0.3)
    ups, downs = main_run(path.log, "up"), main_run(path.log, "down")
    sent = len({sequence(f) for f in ups})
    reached, returned = len(first_arrivals(ups)), len(first_arrivals(downs))
    assert (values["packets_sent"], values["packets_reflected"], values["packets_received"]) == (
        sent,
        reached,
        returned,
    )
    expected = {
        "loss_up_ratio": (sent - reached) / sent,
        "loss_down_ratio": (reached - returned) / reached,
        "loss_ratio": (sent - returned) / sent,
        "duplicate_up_ratio": sum(f.what == "duplicate" for f in ups) / reached,
        "duplicate_down_ratio": sum(f.what == "duplicate" for f in downs) / returned,
        "reordered_up_ratio": true_reordered(ups, slice(0, 4)) / reached,
        "reordered_down_ratio": true_reordered(downs, slice(0, 4)) / returned,
    }
    return {key: values[key] for key in expected}, expected


@pytest.fixture(scope="module")
def counted(impaired_path: PathFactory, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Any]]:
    """All of them at the same time: counting does not mind."""
    folder = tmp_path_factory.mktemp("counted")
    with ThreadPoolExecutor(len(COUNTED)) as pool:
        return {
            name: pool.submit(counts, impaired_path, folder / str(number), up, down)
            for number, (name, up, down) in enumerate(COUNTED)
        }


@pytest.mark.parametrize("name", [name for name, _, _ in COUNTED])
def test_counts_equal_the_logs(counted: dict[str, Future[tuple[Values, Values]]], name: str) -> None:
    said, true = counted[name].result()
    assert said == pytest.approx(true, abs=1e-12)
