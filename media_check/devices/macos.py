"""macOS: cameras and sound by system_profiler's JSON, whose keys are not translated. Not yet run on macOS.

Understanding it (`cameras_of`, `sounds_of`) is tested anywhere; see docs/platforms.md.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .seen import Seen

if TYPE_CHECKING:
    from reports.record import DeviceKind

PROGRAM = "/usr/sbin/system_profiler"
PATIENCE_S = 2.4
TRANSPORTS = {
    "builtin": "platform", "usb": "usb", "bluetooth": "bluetooth", "bluetoothle": "bluetooth", "virtual": "virtual",
    "aggregate": "virtual", "autoaggregate": "virtual", "airplay": "network", "hdmi": "hdmi", "displayport": "hdmi",
    "pci": "pci", "thunderbolt": "usb",
}  # fmt: skip
DIRECTIONS: tuple[tuple[DeviceKind, str], ...] = (("microphone", "input"), ("speaker", "output"))
PHONES = ("iphone", "ipad")


def cameras_of(report: Mapping[str, Any]) -> list[Seen]:
    """From SPCameraDataType, in AVFoundation's order."""
    return [_camera(index, item) for index, item in enumerate(_items(report, "SPCameraDataType"))]


def _camera(index: int, item: Mapping[str, Any]) -> Seen:
    name, model = str(item.get("_name", "")), str(item.get("spcamera_model-id", ""))
    bus = "usb" if model.startswith("UVC Camera") else "platform" if model else ""
    if any(phone in f"{name} {model}".lower() for phone in PHONES):
        bus = "network"  # a telephone's, whose name has its owner's in it
    inside = True if name.startswith(("FaceTime", "MacBook", "iMac")) else None
    return Seen("camera", name, f"avfoundation:{index}", model=name, bus=bus, fixed=inside)


def sounds_of(report: Mapping[str, Any]) -> list[Seen]:
    """From SPAudioDataType."""
    return [seen for group in _items(report, "SPAudioDataType") for i in _items(group, "_items") for seen in _sound(i)]


def _sound(item: Mapping[str, Any]) -> Iterator[Seen]:
    name = str(item.get("_name", ""))
    transport = str(item.get("coreaudio_device_transport", "")).rpartition("_")[2]
    bus = TRANSPORTS.get(transport, "network" if transport.startswith("continuity") else "")
    for kind, word in DIRECTIONS:
        if item.get(f"coreaudio_device_{word}"):
            yield Seen(
                kind, name, f"coreaudio:{name}", model=name, bus="" if bus == "hdmi" else bus,
                port="hdmi" if bus == "hdmi" else "", fixed=True if transport == "builtin" else None,
                is_default=item.get(f"coreaudio_default_audio_{word}_device") == "spaudio_yes",
            )  # fmt: skip


def _items(part: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = part.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _report(kind: str) -> Mapping[str, Any]:
    """What the system says. OSError: it does not, or not in time."""
    try:
        done = subprocess.run([PROGRAM, "-json", kind], capture_output=True, timeout=PATIENCE_S, check=True)  # noqa: S603
        said = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise OSError("system_profiler does not answer") from error
    return said if isinstance(said, dict) else {}


SOURCES: Mapping[str, Callable[[], Sequence[Seen]]] = {
    "cameras": lambda: cameras_of(_report("SPCameraDataType")),
    "sound_cards": lambda: sounds_of(_report("SPAudioDataType")),
}
