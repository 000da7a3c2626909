"""A small fleet: self-tests of machines in two municipalities, with something of everything that can be wrong."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from reports.record import KINDS, AgentInfo, DeviceRecord, Failure, Kind, Link, Measurement, SelfTest
from reports.serial import to_json
from reports.verdict import judge
from tests.reports.make import POLICY

Values = Mapping[str, float]
LINK: dict[str, Values] = {
    "echo": {
        "rtt_p95_seconds": 0.02, "jitter_up_seconds": 0.002, "jitter_down_seconds": 0.003, "loss_up_ratio": 0.0,
        "loss_down_ratio": 0.0, "mos_up": 4.3, "mos_down": 4.3,
    },
    "path": {"gateway_rtt_p95_seconds": 0.002, "gateway_loss_ratio": 0.0, "path_loss_ratio": 0.001},
    "throughput": {
        "throughput_up_bytes_per_second": 3e6, "throughput_down_bytes_per_second": 6e6, "rtt_rise_up_seconds": 0.01,
        "rtt_rise_down_seconds": 0.02,
    },
    "dns": {"dns_lookup_seconds": 0.015},
    "join": {"join_seconds": 0.8},
    "call": {"call_setup_seconds": 0.3},
    "local": {"wifi_signal_dbm": -60.0, "wifi_retry_ratio": 0.02, "cpu_busy_ratio": 0.2},
}  # fmt: skip
DEVICES: dict[str, Values] = {
    "camera": {"camera_frames_per_second": 30.0, "camera_brightness_ratio": 0.5},
    "microphone": {"speech_level_dbfs": -22.0, "signal_to_noise_db": 32.0},
    "speaker": {"echo_return_loss_db": 30.0},
    "computer": {"encode_speed_ratio": 4.0, "memory_free_bytes": 4e9, "disk_free_bytes": 9e10},
}
FAULTS: tuple[Values, ...] = (  # machine after machine; most have none
    {}, {}, {}, {"loss_up_ratio": 0.06, "mos_up": 3.0}, {}, {"camera_frames_per_second": 9.0},
    {"jitter_down_seconds": 0.02}, {}, {"speech_level_dbfs": -50.0},
    {"memory_free_bytes": 2e8}, {"throughput_up_bytes_per_second": 2e5},
)  # fmt: skip


class Machine(NamedTuple):
    """`number` makes it what it is."""

    organisation: str
    number: int

    @property
    def pseudonym(self) -> str:
        return hashlib.sha256(f"{self.organisation} {self.number}".encode()).hexdigest()[:32]

    @property
    def kind(self) -> Kind | None:
        """None: its self-test names no link."""
        return (*KINDS[:4], None)[self.number % 5] if self.number % 3 else "wired"

    @property
    def unit(self) -> str:
        return ("Hemtjänst", "Skola")[self.number % 2]


def self_test(machine: Machine, now: float) -> SelfTest:
    """Its self-test, a minute ago, as the policy judges it."""
    links = (_link(machine.kind),) if machine.kind else ()
    chosen = links[0].name if links else None
    faults = FAULTS[machine.number % len(FAULTS)]
    measurements = tuple(_measurements(chosen, faults, machine.number, now - 60))
    return SelfTest(
        run_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{machine} {now}")),
        started_at=now - 60,
        duration_s=30.0,
        agent=AgentInfo("0.1.0", ("Linux", "Windows 10.0.26100")[machine.number % 2], "3.11"),
        room="configured",
        interrupted=False,
        links=links,
        measurements=measurements,
        verdict=judge(POLICY, links, measurements, chosen=chosen, embedded=False),
        devices=(DeviceRecord("camera", "Camera 1", "usb", 1.0, (), True),),
    )


def body(test: SelfTest) -> bytes:
    """One agent in five is newer than the room, and measures what the room does not know."""
    document = to_json(test)
    if int(test.run_id[0], 16) % 5 == 0:
        document["measurements"][0]["values"]["of_a_later_program"] = 1.0
    return json.dumps(document).encode()


def _link(kind: Kind) -> Link:
    return Link("net0", kind, 0.9, ("a test says so",), True, ("192.0.2.7",), "192.0.2.1", is_default=True)


def _measurements(link: str | None, faults: Values, number: int, at: float) -> list[Measurement]:
    made = [_measured(name, link, values, faults, at) for name, values in LINK.items()] if link else []
    for name, values in DEVICES.items():
        facts = {"browser": "old"} if name == "computer" and number % 4 == 0 else {}
        made.append(_measured(name, "Camera 1" if name == "camera" else name, values, faults, at, **facts))
    if number % 7 == 0:
        made[-2] = Measurement("speaker", "speaker", at, 1.0, failure=Failure("open", "speaker_busy"))
    return made


def _measured(name: str, subject: str, values: Values, faults: Values, at: float, **facts: str) -> Measurement:
    return Measurement(name, subject, at, 10.0, {k: faults.get(k, v) for k, v in values.items()}, facts)
