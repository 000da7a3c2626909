"""A made-up municipality: self-tests of real shape, judged by the real policy, of machines that have names."""

from __future__ import annotations

import hashlib
import random
import uuid
from dataclasses import replace

from reports.record import AgentInfo, DeviceRecord, Failure, Kind, Link, Measurement, SelfTest
from reports.store.incoming import record_of
from reports.store.shapes import Record
from reports.verdict import judge
from tests.reports.make import POLICY, link
from tests.reports.seen import dns, echo, full_queue, local, path, rates

UNITS = ("Hemvården norr", "Hemvården söder", "Elevhälsan", "Biståndsenheten & LSS", "")
KINDS: tuple[Kind, ...] = ("wired", "wifi", "wifi", "tethered", "mobile")
DAY = 86400.0


def machine(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def names(count: int) -> str:
    """The CSV that gives the machines their names; every seventh stays without."""
    rows = [
        f"{machine(i)};HB-{1000 + i};{UNITS[i % 5]};{'Rum ' + str(i % 9) if i % 2 else ''}"
        for i in range(count)
        if i % 7
    ]
    return "\n".join(["machine;name;unit;room", *rows])


def records(count: int, now: float, each: int = 1) -> list[Record]:
    """The machines' self-tests; every eleventh machine has made none."""
    tests = [(i, made(i, n, now - n * DAY - (i % 40) * DAY / 2)) for i in range(count) if i % 11 for n in range(each)]
    return [record_of("habo", machine(i), test, test.started_at + 60) for i, test in tests]


def made(number: int, turn: int, at: float) -> SelfTest:
    dice = random.Random(f"{number} {turn}")
    kind = KINDS[number % len(KINDS)]
    links = (link(kind=kind, is_default=True, evidence=("the system says so",)), spare(kind))
    devices = (
        DeviceRecord("camera", "camera 1", "usb", 0.9, ("a USB device",), True),
        DeviceRecord("microphone", "microphone 1", "headset", 0.9, ("named a headset",), True),
    )
    seen = tuple(replace(m, started_at=at) for m in (*_network(kind, dice), *_equipment(dice)))
    verdict = judge(POLICY, links, seen, chosen="eth0", embedded=False)
    info = AgentInfo(dice.choice(("0.1.0", "0.1.0", "0.2.0")), "Linux", "3.11")
    run = str(uuid.UUID(int=number * 1000 + turn))
    return SelfTest(run, at, 42.0, info, "configured", False, links, seen, verdict, devices)


def spare(kind: Kind) -> Link:
    return link("wlan0", "wifi" if kind == "wired" else "wired", carrier=False, addresses=())


def _network(kind: Kind, dice: random.Random) -> list[Measurement]:
    worse = {"wired": 1.0, "wifi": 3.0, "tethered": 8.0, "mobile": 5.0}[kind]
    lost = int(dice.expovariate(1.0) * worse * 0.6)
    trouble = dice.random() * worse
    values = full_queue("up", 0.2 + 0.1 * dice.random()) if trouble > 5 else {}
    if "rtt_p95_seconds" not in values:
        values["rtt_p95_seconds"] = 0.012 * worse * (0.5 + dice.expovariate(1.0))
    values |= {f"jitter_{way}_seconds": 0.0015 * worse * dice.expovariate(1.0) for way in ("up", "down")}
    up = 2e6 / worse * (0.3 + dice.random())
    return [echo(lost, lost // 3, **values), path(lost // 2), local(), dns(), *rates(up, up * 3)]


def _equipment(dice: random.Random) -> list[Measurement]:
    picture = dice.choice(("good", "good", "good", "dark", "backlit"))
    sound = dice.choice(("good", "good", "good", "no_speech", "hum"))
    broken = dice.random()
    camera = Measurement("camera", "camera 1", 0.0, 3.0, {"camera_frames_per_second": 20 + 10 * dice.random()},
                         {"camera_picture": picture})  # fmt: skip
    if broken < 0.08:
        camera = Measurement("camera", "camera 1", 0.0, 1.0, failure=Failure("open", "camera_busy"))
    microphone = Measurement("microphone", "microphone 1", 0.0, 3.0, {"speech_level_dbfs": -30 + 8 * dice.random()},
                             {"microphone_sound": sound})  # fmt: skip
    browser = dice.choice(("good", "good", "good", "old"))
    computer = Measurement("computer", "computer", 0.0, 1.0, {"memory_free_bytes": 3e9}, {"browser": browser})
    return [camera, microphone, computer]
