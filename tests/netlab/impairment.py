"""What a path does to packets, decided by numbers alone: no clock, no socket.

Every decision comes from a generator seeded per direction, and each packet draws the same kinds of numbers
whatever its fate, so that one seed gives one series of fates whatever the timing. Only the queue depends on time.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, NamedTuple

Way = Literal["up", "down"]
Outcome = Literal["delivered", "lost", "queue_dropped"]

SECOND = 1_000_000_000  # nanoseconds
PARETO_SHAPE = 3.0  # the lightest whole-numbered tail that still has a variance
_PARETO_MEAN = PARETO_SHAPE / (PARETO_SHAPE - 1)
_PARETO_DEVIATION = math.sqrt(PARETO_SHAPE / (PARETO_SHAPE - 2)) / (PARETO_SHAPE - 1)


def _uniform(rng: random.Random) -> float:
    return rng.uniform(-math.sqrt(3), math.sqrt(3))


def _normal(rng: random.Random) -> float:
    return rng.gauss(0.0, 1.0)


def _laplace(rng: random.Random) -> float:
    return (rng.expovariate(1.0) - rng.expovariate(1.0)) / math.sqrt(2)


def _pareto(rng: random.Random) -> float:
    return (rng.paretovariate(PARETO_SHAPE) - _PARETO_MEAN) / _PARETO_DEVIATION


SHAPES: dict[str, Callable[[random.Random], float]] = {  # each with mean 0 and standard deviation 1
    "uniform": _uniform,
    "normal": _normal,
    "laplace": _laplace,
    "pareto": _pareto,
}


def _ratio(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} is a ratio 0–1, not {value}")


@dataclass(frozen=True, slots=True)
class GilbertElliott:
    """Loss in bursts: two states, changed before each packet. All values are ratios 0–1."""

    to_bad: float
    to_good: float
    loss_bad: float = 1.0
    loss_good: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for a value outside 0–1."""
        for f in fields(self):
            _ratio(f.name, getattr(self, f.name))


@dataclass(frozen=True, slots=True)
class Impairment:
    """One direction's impairment. Seconds, bytes, ratios 0–1.

    Positions (`lose`, `duplicate_at`, `reorder_at`, `lose_every`) count the packets concerned from 0, from the
    moment that this impairment took effect. With `udp_only`, other packets get the delay and the rate, nothing more.
    """

    delay: float = 0.0
    jitter: float = 0.0  # standard deviation of what is added to the delay
    shape: str = "normal"  # uniform | normal | laplace | pareto
    keep_order: bool = True  # False: a packet with a shorter delay overtakes
    loss: float = 0.0
    lose: tuple[int, ...] = ()
    lose_every: int = 0  # n: positions n-1, 2n-1, … are lost
    burst: GilbertElliott | None = None
    duplicate: float = 0.0
    duplicate_at: tuple[int, ...] = ()
    duplicate_gap: float = 0.0  # how long after the first the copy follows
    reorder: float = 0.0
    reorder_at: tuple[int, ...] = ()
    reorder_hold: float = 0.005  # how long a packet is held back, so that later ones overtake
    rate: float | None = None  # bytes of IP packets per second
    queue: int = 65536  # bytes that may wait, the packet on its way out included; more is dropped (tail)
    udp_only: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a value outside its range."""
        for name in ("loss", "duplicate", "reorder"):
            _ratio(name, getattr(self, name))
        for name in ("delay", "jitter", "duplicate_gap", "reorder_hold", "lose_every", "queue"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is not negative, but {getattr(self, name)} is")
        if self.shape not in SHAPES:
            raise ValueError(f"shape is one of {', '.join(SHAPES)}, not {self.shape}")
        if self.rate is not None and self.rate <= 0:
            raise ValueError(f"rate is positive or None, not {self.rate}")

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Impairment:
        """Raises ValueError (a value out of range) or TypeError (an unknown name)."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        if values.get("burst"):
            values["burst"] = GilbertElliott(**values["burst"])
        return cls(**values)


class Draw(NamedTuple):
    """What chance and pattern say of one packet; `shift` is in nanoseconds."""

    lost: bool = False
    duplicated: bool = False
    held: bool = False
    shift: float = 0.0


class Impairer:
    """One direction: feed it packets in order, and it says when each is to be written."""

    def __init__(self, impairment: Impairment, seed: int, way: Way) -> None:
        self._rng = random.Random(f"{seed} {way}")
        self._bad = False
        self._free_at = 0  # when the rate limiter has sent what it holds
        self._latest = 0
        self.change(impairment)

    def change(self, impairment: Impairment) -> None:
        """From the next packet on; positions count from 0 again, the random numbers go on."""
        self.impairment = impairment
        self._position = 0
        self._bad = self._bad and impairment.burst is not None
        self._at = {f.name: frozenset(getattr(impairment, f.name)) for f in fields(impairment) if f.name in POSITIONS}

    def plan(self, now: int, size: int, *, udp: bool) -> tuple[Outcome, tuple[int, ...]]:
        """When the copies of a packet of `size` bytes, taken at `now` (ns), are due (ns); none if it is dropped."""
        draw = self._draw() if udp or not self.impairment.udp_only else Draw()
        leaves = self._through_queue(now, size)
        if leaves is None:
            return "queue_dropped", ()
        if draw.lost:
            return "lost", ()
        due = self._due(leaves, draw)
        gap = round(self.impairment.duplicate_gap * SECOND)
        return "delivered", (due, due + gap) if draw.duplicated else (due,)

    def _due(self, leaves: int, draw: Draw) -> int:
        what = self.impairment
        due = leaves + max(0, round(what.delay * SECOND + draw.shift))
        if draw.held:  # must not drag the packets behind it along
            return due + round(what.reorder_hold * SECOND)
        if what.keep_order:
            due = max(due, self._latest)
        self._latest = max(due, self._latest)
        return due

    def _through_queue(self, now: int, size: int) -> int | None:
        """When the last byte has left the rate limiter; None when the packet finds no place."""
        rate = self.impairment.rate
        if rate is None:
            return now
        starts = max(now, self._free_at)
        if (starts - now) * rate / SECOND + size > self.impairment.queue:
            return None
        self._free_at = starts + round(size / rate * SECOND)
        return self._free_at

    def _draw(self) -> Draw:
        what, rng, at = self.impairment, self._rng, self._position
        self._position += 1
        every = what.lose_every > 0 and (at + 1) % what.lose_every == 0
        burst = self._burst()
        return Draw(
            lost=(rng.random() < what.loss) | burst | every | (at in self._at["lose"]),
            duplicated=(rng.random() < what.duplicate) | (at in self._at["duplicate_at"]),
            held=(rng.random() < what.reorder) | (at in self._at["reorder_at"]),
            shift=SHAPES[what.shape](rng) * what.jitter * SECOND,
        )

    def _burst(self) -> bool:
        """One step of the Gilbert–Elliott chain."""
        model = self.impairment.burst
        change, loss = self._rng.random(), self._rng.random()
        if model is None:
            return False
        if change < (model.to_good if self._bad else model.to_bad):
            self._bad = not self._bad
        return loss < (model.loss_bad if self._bad else model.loss_good)


POSITIONS = frozenset({"lose", "duplicate_at", "reorder_at"})
