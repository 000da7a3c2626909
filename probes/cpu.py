"""How busy is this computer, and how long does work that is ready wait for a core?

Waiting is measured on a thread of our own that works in short bursts, as a video encoder does frame by frame, and on
Linux asks the kernel how long it stood in the queue. A thread that sleeps most of the time would not do: schedulers
favour it, so that it hardly waits on a computer where everything that works hard is starved.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BURST_S, BURST_EVERY_S = 0.01, 0.4
CHUNK = bytes(1 << 18)  # hashing as much as this lets other threads have Python's lock meanwhile
WORST_S = 1.0
LEAST_BURSTS = 3
PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
NOT_TOLD = "this system does not tell how long a thread waits for a core"
TOO_SHORT = "the test was stopped too early"


# ---- what the kernel's files say ----------------------------------------------------------------------------------


def parse_schedstat(content: str) -> int | None:
    """Nanoseconds that a thread stood in the run queue, by its schedstat; None where the kernel does not count."""
    fields = content.split()
    if len(fields) < 3 or not all(f.isdecimal() for f in fields) or fields[2] == "0":
        return None
    return int(fields[1])


def parse_pressure(content: str) -> float | None:
    """Seconds in which some task waited for a core, since the start (Documentation/accounting/psi.rst)."""
    for line in content.splitlines():
        words = line.split()
        if words and words[0] == "some":
            total = next((w[6:] for w in words if w.startswith("total=")), "")
            return int(total) / 1e6 if total.isdecimal() else None
    return None


def parse_throttled(content: str) -> float | None:
    """Seconds for which a quota stopped the group, by its cpu.stat of cgroup version 2 or 1."""
    said = dict(words for line in content.splitlines() if len(words := line.split()) == 2)
    for name, per_second in (("throttled_usec", 1e6), ("throttled_time", 1e9)):
        if said.get(name, "").isdecimal():
            return int(said[name]) / per_second
    return None


def cgroup_folders(content: str, root: Path = CGROUPS) -> list[Path]:
    """Where the CPU's statistics of a process may be: its own group's and those above, by its /proc/…/cgroup."""
    found: list[Path] = []
    for line in content.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        mounts = [root] if number == "0" else [root / controllers] if "cpu" in controllers.split(",") else []
        own = path.strip("/")
        levels = [own, *(str(parent) for parent in Path(own).parents)] if own else [""]
        found += [mount / level for mount in mounts for level in levels]
    return list(dict.fromkeys(found))


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def throttled_seconds(own: str, root: Path = CGROUPS) -> float | None:
    """Of all groups that this process stands in, how long the most held up one was stopped; None: no such file."""
    said = [parse_throttled(_read(folder / "cpu.stat")) for folder in cgroup_folders(own, root)]
    return max((s for s in said if s is not None), default=None)


# ---- a thread that works ------------------------------------------------------------------------------------------


_one_at_a_time = threading.Lock()  # with several links under test there are several, which must not take turns


class Bursts(threading.Thread):
    """Works BURST_S of CPU time every BURST_EVERY_S; `worked` and `waited` are seconds. Ends after `finish()`."""

    def __init__(self) -> None:
        super().__init__(name="bursts", daemon=True)
        self.worked = self.waited = 0.0
        self.count = 0
        self.told = True
        self._over = threading.Event()

    def run(self) -> None:
        """Burst after burst."""
        while self.told and not self._over.wait(BURST_EVERY_S):
            with _one_at_a_time:
                self._burst()

    def finish(self) -> None:
        """No further burst; the one that is under way does not count."""
        self._over.set()

    def _burst(self) -> None:
        before, begun = _waited_ns(), time.thread_time()
        while (worked := time.thread_time() - begun) < BURST_S and not self._over.is_set():
            hashlib.sha256(CHUNK).digest()
        after = _waited_ns()
        if before is None or after is None:
            self.told = False
        elif not self._over.is_set():
            self.worked += worked
            self.waited += (after - before) / 1e9
            self.count += 1

    @property
    def wait_ratio(self) -> float | None:
        """Of the time in which there was work to do, the share that it waited for a core."""
        return self.waited / (self.waited + self.worked) if self.told and self.count >= LEAST_BURSTS else None


def _waited_ns() -> int | None:
    return parse_schedstat(_read(PROC / "thread-self/schedstat"))


# ---- the watch ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """CPU seconds of all cores since the computer started; `at` is monotonic."""

    at: float
    busy: float
    whole: float


def sample() -> Sample:
    """Now. Time given to guests is in the user's time already."""
    import psutil

    times = psutil.cpu_times()
    whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return Sample(time.monotonic(), whole - times.idle - getattr(times, "iowait", 0.0), whole)


def busy_ratio(first: Sample, last: Sample) -> float | None:
    """The share in use between the two, all cores; None when no time has passed."""
    whole = last.whole - first.whole
    return min(1.0, max(0.0, (last.busy - first.busy) / whole)) if whole > 0 else None


def worst_ratio(samples: Sequence[Sample], seconds: float = WORST_S) -> float | None:
    """The busiest stretch of about that many seconds; None when there is none."""
    stretches = []
    for i, first in enumerate(samples):
        last = next((s for s in samples[i:] if s.at - first.at >= 0.95 * seconds), None)
        ratio = busy_ratio(first, last) if last else None
        if ratio is not None:
            stretches.append(ratio)
    return max(stretches, default=None)


class Watch:
    """From its making until `finish()`; `take()` a sample now and then, a few a second."""

    def __init__(self) -> None:
        self._group = _read(PROC / "self/cgroup")
        self._samples = [sample()]
        self._before = self._after = self._counted()
        self._bursts = Bursts()
        self._bursts.start()

    def _counted(self) -> dict[str, float | None]:
        return {
            "cpu_throttled_ratio": throttled_seconds(self._group),
            "cpu_pressure_ratio": parse_pressure(_read(PROC / "pressure/cpu")),
        }

    def take(self) -> None:
        """Once more."""
        self._samples.append(sample())

    def finish(self) -> None:
        """The last sample; the working thread ends by itself."""
        self._bursts.finish()
        self.take()
        self._after = self._counted()

    def values(self) -> dict[str, float | None]:
        """The two quantities; None: not known."""
        return {
            "cpu_busy_ratio": busy_ratio(self._samples[0], self._samples[-1]),
            "cpu_wait_ratio": self._bursts.wait_ratio,
        }

    def reasons(self) -> dict[str, str]:
        """Why a quantity is not known."""
        return {"cpu_busy_ratio": TOO_SHORT, "cpu_wait_ratio": TOO_SHORT if self._bursts.told else NOT_TOLD}

    def facts(self) -> dict[str, float]:
        """The worst second; how long a quota stopped us, and how long any task here waited, of the whole time."""
        found = {"cpu_busy_worst_second_ratio": worst_ratio(self._samples)}
        took = self._samples[-1].at - self._samples[0].at
        for name, before in self._before.items():
            after = self._after[name]
            if before is not None and after is not None and took > 0:
                found[name] = min(1.0, max(0.0, (after - before) / took))
        return {name: round(value, 4) for name, value in found.items() if value is not None}
