"""What /sys says of the hardware behind a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

AUDIO_CONTROL = (1, 1)  # class, subclass (USB Device Class Definition for Audio Devices)
INTERFACE, CLASS_SPECIFIC = 0x04, 0x24  # descriptor types
TERMINALS = {2, 3}  # subtypes INPUT_TERMINAL and OUTPUT_TERMINAL


@dataclass(frozen=True, slots=True)
class Hardware:
    """`unit` is the same for all functions of one USB device."""

    bus: str = ""
    driver: str = ""
    model: str = ""
    unit: str = ""
    fixed: bool | None = None
    terminals: tuple[int, ...] = ()


def text(path: Path) -> str:
    """A file's first words; "" when there is none."""
    with suppress(OSError):
        return path.read_text("utf-8", "replace").strip()
    return ""


def behind(node: Path) -> Hardware:
    """Of a /sys/class/…/NAME. Without `device` it is made of software."""
    device = node / "device"
    if not device.exists():
        return Hardware(bus="virtual")
    place = device.resolve()
    bus, driver = _link(place / "subsystem"), _link(place / "driver")
    if usb := next((p for p in _upwards(place) if (p / "idVendor").exists()), None):
        return _usb(usb, driver)
    return Hardware(bus=bus, driver=driver, unit=str(place))


def _usb(place: Path, driver: str) -> Hardware:
    removable = text(place / "removable")
    maker, product = text(place / "manufacturer"), text(place / "product")
    model = product if not maker or maker.lower() in product.lower() else f"{maker} {product}"
    return Hardware(
        bus="usb", driver=driver, model=model if product else "", unit=str(place),
        fixed={"fixed": True, "removable": False}.get(removable), terminals=terminals(_bytes(place / "descriptors")),
    )  # fmt: skip


def terminals(descriptors: bytes) -> tuple[int, ...]:
    """The terminal types of a USB device's audio functions: wTerminalType, at byte 4 of their descriptors."""
    found, audio, at = [], False, 0
    while at + 2 <= len(descriptors) and descriptors[at] >= 2:
        one = descriptors[at : at + descriptors[at]]
        if one[1] == INTERFACE and len(one) >= 7:
            audio = (one[5], one[6]) == AUDIO_CONTROL
        elif audio and one[1] == CLASS_SPECIFIC and len(one) >= 6 and one[2] in TERMINALS:
            found.append(int.from_bytes(one[4:6], "little"))
        at += descriptors[at]
    return tuple(dict.fromkeys(found))


def _upwards(place: Path) -> Iterator[Path]:
    """A USB function stands at most a few steps below its device."""
    yield place
    yield from list(place.parents)[:4]


def _link(path: Path) -> str:
    with suppress(OSError):
        return path.readlink().name
    return ""


def _bytes(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""
