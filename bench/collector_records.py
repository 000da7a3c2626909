"""Self-tests of the size and shape that a machine with two links sends."""

from __future__ import annotations

import hashlib
import random
import uuid
from functools import cache

from reports.policy import Policy, load_policy
from reports.record import AgentInfo, Link, Measurement, SelfTest
from reports.verdict import judge
from reports.vocabulary import QUANTITIES

LINKS = (
    Link("eth0", "wired", 0.95, ("a driver of a network card",), True, ("192.0.2.7",), "192.0.2.1", is_default=True),
    Link("wlan0", "wifi", 0.99, ("the kernel says wireless",), True, ("192.0.2.99",), "192.0.2.1"),
)
_PATIENT = ("rtt_", "jitter_", "ipdv_", "pdv_", "local_queue_", "gateway_", "queue_")


def machine(number: int) -> str:
    """A pseudonym."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def self_test(seed: int, now: float) -> SelfTest:
    """A verdict on values that vary with the seed; some are bad."""
    dice = random.Random(seed)
    measurements = tuple(_echo(link.name, dice, now) for link in LINKS)
    verdict = judge(_policy(), LINKS, measurements, chosen="eth0", embedded=False)
    info = AgentInfo("0.1.0", "Linux", "3.11")
    return SelfTest(str(uuid.UUID(int=seed)), now - 60, 30.0, info, "configured", False, LINKS, measurements, verdict)


@cache
def _policy() -> Policy:
    return load_policy()


def _echo(subject: str, dice: random.Random, now: float) -> Measurement:
    """All that an echo, path and throughput probe measure."""
    values = {name: _value(q.unit, dice) for q in QUANTITIES.values() for name in q.names if _wanted(name)}
    return Measurement("echo", subject, now - 60, 10.0, values, {"media_path": "direct"})


def _wanted(name: str) -> bool:
    return name.startswith((*_PATIENT, "loss_", "late_", "burst_", "mos_up", "mos_down", "throughput_", "packets_"))


def _value(unit: str, dice: random.Random) -> float:
    scale = {"seconds": 0.02, "ratio": 0.005, "MOS": 4.2, "bytes per second": 2e6}.get(unit, 500.0)
    return scale * (0.8 + 0.4 * dice.random()) if unit == "MOS" else scale * dice.expovariate(1.0)
