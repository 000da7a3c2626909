"""Windows: cameras by the configuration manager, sound by what the audio service keeps in the registry.

Reading (windows_calls.py) gives plain strings and numbers; understanding them, here, is tested anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .seen import Seen

if TYPE_CHECKING:
    from reports.record import DeviceKind

# property keys (functiondiscoverykeys_devpkey.h, mmdeviceapi.h), as the registry names their values
DESCRIPTION = "{a45c254e-df1c-4efd-8020-67d146a850e0},2"  # "Microphone": the user may change it
ENUMERATOR = "{a45c254e-df1c-4efd-8020-67d146a850e0},24"  # USB | HDAUDIO | BTHHFENUM | …
INTERFACE = "{b3f8fa53-0004-438e-9003-51a46e139bfc},6"  # "Realtek(R) Audio": the driver's words
INSTANCE = "{b3f8fa53-0004-438e-9003-51a46e139bfc},2"  # {1}.USB\\VID_…
FORM_FACTOR = "{1da5d803-d492-4edd-8c23-e0c0ffee7f0e},0"
ACTIVE, STATES = 1, 0xF  # DEVICE_STATE_…
# EndpointFormFactor
FACTORS = {3: "headphone", 5: "headset", 6: "handset"}
PORTS = {7: "iec958", 8: "iec958", 9: "hdmi"}
REMOTE = 0
BUSES = {
    "usb": "usb", "hdaudio": "pci", "intelaudio": "pci", "pci": "pci", "acpi": "platform", "soundwire": "platform",
    "root": "virtual", "swd": "virtual", "bthenum": "bluetooth", "bthhfenum": "bluetooth", "bthleenum": "bluetooth",
    "bth": "bluetooth", "bthledevice": "bluetooth",
}  # fmt: skip
THIS_COMPUTER = "{00000000-0000-0000-ffff-ffffffffffff}"  # ContainerID of what is inside it


def sound(kind: DeviceKind, ident: str, state: int, values: Mapping[str, Any], default: str, container: str) -> Seen:
    """One endpoint. `ident`: its key's name, a GUID. `default`: the whole id of the system's choice, "" unknown."""
    words, interface = str(values.get(DESCRIPTION, "")), str(values.get(INTERFACE, ""))
    name = f"{words} ({interface})" if words and interface else words or interface
    factor = values.get(FORM_FACTOR)
    factor = factor if isinstance(factor, int) else None
    bus = "network" if factor == REMOTE else BUSES.get(str(values.get(ENUMERATOR, "")).lower(), "")
    return Seen(
        kind, name, f"wasapi:{name}", model=interface, bus=bus, unit=unit(str(values.get(INSTANCE, ""))),
        factor=FACTORS.get(factor or 0, ""), port=PORTS.get(factor or 0, ""), fixed=fixed(container),
        is_default=default.lower().endswith(ident.lower()) if default else None, hidden=state & STATES != ACTIVE,
    )  # fmt: skip


def instance(link: str) -> str:
    r"""The device of an interface: \\?\usb#vid_…&mi_00#7&…#{guid}\global is usb\vid_…&mi_00\7&…."""
    return "\\".join(link.removeprefix("\\\\?\\").split("#")[:3])


def unit(device: str) -> str:
    """The USB device of an instance, without its function (MI_…): vendor, product. Two of one model are one unit."""
    parts = device.rpartition("}.")[2].lower().split("\\")
    return parts[1].partition("&mi_")[0] if len(parts) > 1 and parts[0] == "usb" else ""


def fixed(container: str) -> bool | None:
    """Is it inside the computer? "" unknown."""
    return container.lower() == THIS_COMPUTER if container else None


def camera(index: int, link: str, name: str, container: str) -> Seen:
    """One camera. `index`: its place among those that the system has, which is how Media Foundation is asked for it."""
    device = instance(link)
    bus = BUSES.get(device.partition("\\")[0].lower(), "platform")
    words = name.rpartition(";")[2] if name.startswith("@") else name  # @oem12.inf,%name%;HD Webcam
    words = words.strip() or "Camera"
    return Seen("camera", words, f"msmf:{index}", model=words, bus=bus, unit=unit(device), fixed=fixed(container))


def _cameras() -> Sequence[Seen]:
    from .windows_calls import cameras

    return cameras()


def _sounds() -> Sequence[Seen]:
    from .windows_calls import sounds

    return sounds()


SOURCES: Mapping[str, Callable[[], Sequence[Seen]]] = {"cameras": _cameras, "sound_cards": _sounds}
