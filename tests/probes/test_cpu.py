"""Files as the kernel writes them, and real work on real cores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from probes import cpu
from probes.cpu import Sample, Watch, busy_ratio, cgroup_folders, parse_pressure, parse_schedstat, parse_throttled

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux tells; others do not")
ROOT = Path(__file__).resolve().parents[2]
HOG = [sys.executable, "-c", "while True: pass"]
V2_STAT = "usage_usec 900\nuser_usec 500\nsystem_usec 400\nnr_periods 38\nnr_throttled 36\nthrottled_usec 3477057\n"
V1_STAT = "nr_periods 38\nnr_throttled 36\nthrottled_time 3477057810\nnr_bursts 0\nburst_time 0\n"


@pytest.mark.parametrize(
    ("content", "waited"),
    [
        ("40720 51006 1\n", 51006),
        ("123456789012 0 17", 0),
        ("40720 0 0", None),  # a kernel without CONFIG_SCHED_INFO counts no turns
        ("", None),
        ("a b c", None),
        ("40720 51006", None),
        ("40720 -1 3", None),
    ],
)
def test_schedstat(content: str, waited: int | None) -> None:
    assert parse_schedstat(content) == waited


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        ("some avg10=0.12 avg60=0.85 avg300=0.71 total=1268098\nfull avg10=0.00 total=7\n", 1.268098),
        ("full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", None),
        ("some avg10=0.12 total=x", None),
        ("some", None),
        ("", None),
    ],
)
def test_pressure(content: str, seconds: float | None) -> None:
    assert parse_pressure(content) == seconds


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (V2_STAT, 3.477057),
        (V1_STAT, 3.47705781),
        ("usage_usec 900\nuser_usec 500\nsystem_usec 400\n", None),  # a group without a quota's controller
        ("throttled_usec many\n", None),
        ("", None),
    ],
)
def test_throttled(content: str, seconds: float | None) -> None:
    assert parse_throttled(content) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("content", "folders"),
    [
        ("0::/\n", [""]),
        ("0::/user.slice/a.scope\n", ["user.slice/a.scope", "user.slice", ""]),
        ("3:cpu,cpuacct:/x\n2:memory:/y\n0::/\n", ["cpu,cpuacct/x", "cpu,cpuacct", ""]),
        ("12:cpuset:/z\n", []),
        ("", []),
        ("nonsense\n", []),
    ],
)
def test_cgroup_folders(content: str, folders: list[str]) -> None:
    root = Path("/sys/fs/cgroup")
    assert cgroup_folders(content, root) == [root / f for f in folders]


def test_the_group_that_is_held_up_most_counts(tmp_path: Path) -> None:
    inner = tmp_path / "outer/inner"
    inner.mkdir(parents=True)
    (inner / "cpu.stat").write_text("throttled_usec 1000000\n")
    (tmp_path / "outer/cpu.stat").write_text("throttled_usec 5000000\n")
    assert cpu.throttled_seconds("0::/outer/inner\n", tmp_path) == 5
    assert cpu.throttled_seconds("0::/elsewhere\n", tmp_path) is None


def samples(*busy: float, cores: int = 2, step: float = 0.25) -> list[Sample]:
    """`busy`: the share of each step."""
    made = [Sample(100.0, 50.0, 400.0)]
    for share in busy:
        last = made[-1]
        whole = step * cores
        made.append(Sample(last.at + step, last.busy + share * whole, last.whole + whole))
    return made


@pytest.mark.parametrize(
    ("shares", "mean", "worst"),
    [
        ([0.5] * 8, 0.5, 0.5),
        ([0.0] * 4 + [1.0] * 4, 0.5, 1.0),
        ([0.0] * 6 + [1.0] * 2, 0.25, 0.5),
        ([0.2] * 3, 0.2, None),  # shorter than a second
    ],
)
def test_ratios(shares: list[float], mean: float, worst: float | None) -> None:
    made = samples(*shares)
    assert busy_ratio(made[0], made[-1]) == pytest.approx(mean)
    assert cpu.worst_ratio(made) == (None if worst is None else pytest.approx(worst))


@pytest.mark.parametrize(("busy", "whole", "ratio"), [(1.0, 0.0, None), (3.0, 2.0, 1.0), (-1.0, 2.0, 0.0)])
def test_counters_that_misbehave(busy: float, whole: float, ratio: float | None) -> None:
    assert busy_ratio(Sample(0, 10, 100), Sample(1, 10 + busy, 100 + whole)) == ratio


def test_idle_time_is_not_busy() -> None:
    times = psutil.cpu_times()
    now = cpu.sample()
    idle = times.idle + getattr(times, "iowait", 0.0)
    assert now.whole - now.busy == pytest.approx(idle, abs=1)
    assert now.busy >= times.user + times.system - 1


# ---- real work -----------------------------------------------------------------------------------------------------


@contextmanager
def hogs(count: int) -> Iterator[None]:
    started = [subprocess.Popen(HOG) for _ in range(count)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def watched(seconds: float = 1.5) -> Watch:
    watch = Watch()
    for _ in range(int(seconds / 0.25)):
        time.sleep(0.25)
        watch.take()
    watch.finish()
    return watch


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "BURST_EVERY_S", 0.1)


@linux
def test_work_that_starves(often: None) -> None:
    with hogs(2 * (os.cpu_count() or 1)):
        starved = watched()
    values, facts = starved.values(), starved.facts()
    assert values["cpu_busy_ratio"] is not None
    assert values["cpu_busy_ratio"] > 0.9
    assert facts["cpu_busy_worst_second_ratio"] >= values["cpu_busy_ratio"] - 0.05
    assert values["cpu_wait_ratio"] is not None
    assert values["cpu_wait_ratio"] > 0.4


@linux
def test_sleeping_others_take_nothing_away(often: None) -> None:
    calm = [values for values in (watched(1.0).values() for _ in range(3)) if (values["cpu_busy_ratio"] or 1) < 0.7]
    if not calm:
        pytest.skip("this computer is busy with other things")
    assert min(values["cpu_wait_ratio"] or 0 for values in calm) < 0.2


def test_several_watches_do_not_make_each_other_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is asked before and after each burst: no other thread's asking may come in between."""
    asked: list[int] = []
    for earlier in threading.enumerate():  # one of another test may be within its last burst
        if isinstance(earlier, cpu.Bursts):
            earlier.join(5)
    monkeypatch.setattr(cpu, "_waited_ns", lambda: asked.append(threading.get_ident()) or 0)
    monkeypatch.setattr(cpu, "BURST_EVERY_S", 0.01)
    threads = [cpu.Bursts() for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    for thread in threads:
        thread.finish()
        thread.join(2)
    assert len(set(asked)) == 3
    assert asked[::2] == asked[1::2]


@contextmanager
def group(share: float) -> Iterator[Path]:
    """A control group that may have `share` of one core; skipped where none can be made."""
    for parent, settings in (
        ("/sys/fs/cgroup/cpu", {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": str(int(share * 1e5))}),
        ("/sys/fs/cgroup", {"cpu.max": f"{int(share * 1e5)} 100000"}),
    ):
        folder = Path(parent, f"starved-{os.getpid()}")
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            for name, value in settings.items():
                (folder / name).write_text(value)
            (folder / "cgroup.procs").read_text()
        except OSError:
            folder.rmdir()
            continue
        yield folder
        for _ in range(20):
            try:
                folder.rmdir()
                return
            except OSError:  # its last process is being buried
                time.sleep(0.05)
        raise AssertionError("the control group is still in use")
    pytest.skip("no control group with a CPU quota can be made here")


UNDER_QUOTA = """
import sys, time
from pathlib import Path
Path(sys.argv[1], "cgroup.procs").write_text("0")
import subprocess
from probes import cpu
cpu.BURST_EVERY_S = 0.1
hog = subprocess.Popen(sys.argv[2:])
watch = cpu.Watch()
time.sleep(2)
watch.finish()
hog.kill(), hog.wait()
print(watch.values()["cpu_wait_ratio"], watch.facts()["cpu_throttled_ratio"])
"""


@linux
def test_a_quota_shows_on_a_computer_that_is_not_busy() -> None:
    with group(0.2) as folder:
        done = subprocess.run(
            [sys.executable, "-c", UNDER_QUOTA, str(folder), *HOG],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    waited, throttled = map(float, done.stdout.split())
    assert waited > 0.5
    assert throttled > 0.5


def test_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch, often: None, tmp_path: Path) -> None:
    monkeypatch.setattr(cpu, "PROC", tmp_path)
    watch = watched(0.5)
    assert watch.values()["cpu_wait_ratio"] is None
    assert watch.reasons()["cpu_wait_ratio"] == cpu.NOT_TOLD
    assert watch.values()["cpu_busy_ratio"] is not None
    assert watch.facts().keys() <= {"cpu_busy_worst_second_ratio"}


def test_too_short_to_know() -> None:
    watch = Watch()
    watch.finish()
    assert watch.values()["cpu_wait_ratio"] is None
    assert "stopped" in watch.reasons()["cpu_wait_ratio"]
