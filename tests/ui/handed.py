"""Self-tests as a guided run leaves them, judged by the real policy, and the options that it had."""

from __future__ import annotations

from typing import Any

from agent.options import Options
from agent.profile import load_profile
from media_check import CHECKS
from probes import PROBES
from probes.profile import GENERIC, Profile
from probes.room import parse_room
from reports.record import AgentInfo, DeviceRecord, Fact, Failure, Link, Measurement, SelfTest
from reports.verdict import judge
from tests.reports.make import GOOD, POLICY, link

ROOM = parse_room("https://room.example:8443")
REGION = load_profile("jonkoping")
CABLE = link(is_default=True)
WIFI = link("wlan0", "wifi", is_default=True)
PHONE = link("usb0", "tethered", is_default=True)
CAMERA = DeviceRecord("camera", "USB camera", "usb", 0.9, ("it is on USB",), True)
HEADSET = DeviceRecord("microphone", "Headset microphone", "headset", 0.9, ("named a headset",), True)


def options(profile: Profile = REGION, *, room: bool = True, **more: Any) -> Options:
    base = {"probes": tuple(PROBES), "checks": tuple(CHECKS), "company": "alone", "language": "sv", "seconds": 6.0}
    return Options(**(base | {"policy": POLICY, "room": ROOM if room else None, "profile": profile} | more))


def seen(
    name: str, subject: str = "eth0", failure: str | None = None, values: dict[str, float] | None = None, **facts: Fact
) -> Measurement:
    failed = Failure(name, failure, "status 503") if failure else None
    return Measurement(name, subject, 1.8e9, 2.0, values=values or {}, facts=facts, failure=failed)


def well(subject: str = "eth0", **values: float) -> dict[str, Measurement]:
    """What a run sees where all is well, by probe and check; `values` are the echo probe's."""
    return {
        "echo": seen("echo", subject, values=GOOD | values),
        "join": seen("join", subject),
        "join_portal": seen("join_portal", subject, values={"portal_seconds": 0.4}),
        "call": seen("call", subject, media_path="direct", call_carries="video"),
        "camera": seen("camera", "USB camera", values={"camera_frames_per_second": 30.0}, camera_picture="good"),
        "microphone": seen("microphone", "Headset microphone", microphone_sound="good", exact_zeros=False),
        "speaker": seen("speaker", "Headset", speaker_sound="headset"),
        "equipment": seen("equipment", "computer", equipment="fits", company="alone"),
        "computer": seen("computer", "computer", browser="good", power="mains", card_reader="card"),
    }


def self_test(
    *changes: Measurement,
    links: tuple[Link, ...] = (CABLE,),
    without: tuple[str, ...] = (),
    room: bool = True,
    interrupted: bool = False,
    **more: Any,
) -> SelfTest:
    """All well, but for `changes`, which stand in the place of what was seen by the same name."""
    used = next((each.name for each in links if each.is_default), None)
    found = (well(used) if used else {}) | {m.name: m for m in changes}
    if not room:
        found = {name: m for name, m in found.items() if name not in ("echo", "call") or m in changes}
    kept = tuple(m for name, m in found.items() if name not in without)
    verdict = judge(POLICY, links, kept, chosen=used, embedded=not room, **more)
    info = AgentInfo("0.1.0", "Linux 6.18", "3.11")
    where = "configured" if room else "embedded"
    return SelfTest("r1", 1.8e9, 40.0, info, where, interrupted, links, kept, verdict, (CAMERA, HEADSET))


def generic() -> Options:
    """No meeting service is chosen."""
    return options(GENERIC)
