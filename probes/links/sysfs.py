"""Linux: what /sys tells of a network device and of the hardware behind it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .clues import UsbFunction, UsbIdentity

SYS = Path("/sys")
NO_DUPLEX = frozenset({"cdc_ncm", "cdc_ether", "rndis_host", "cdc_mbim", "ipheth"})  # "half" for want of an answer
USB_DATA_CLASS = 0x0A  # the data half of a CDC function: no function by itself


@dataclass(frozen=True, slots=True)
class Description:
    """`rate_bytes_per_second` is the port's speed. `own`: /sys shows this namespace's device of that name."""

    own: bool = False
    type_word: str = ""
    driver: str = ""
    bus: str = ""
    physical: bool = False
    wireless: bool = False
    rate_bytes_per_second: float | None = None
    duplex: str | None = None
    below: tuple[str, ...] = ()
    usb: UsbIdentity | None = None


def text(path: Path) -> str:
    """A small file's text; "" when it is not there or the device refuses."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def number(path: Path, base: int = 10) -> int | None:
    """A file's number, or None."""
    try:
        return int(text(path), base)
    except ValueError:
        return None


def parse_uevent(content: str) -> dict[str, str]:
    """KEY=value lines; others are passed over."""
    return dict(line.split("=", 1) for line in content.splitlines() if "=" in line)


def _link_name(path: Path) -> str:
    with suppress(OSError):
        return path.readlink().name
    return ""


def usb_function(interface: Path) -> UsbFunction | None:
    """Class, subclass and protocol of one USB interface."""
    names = ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol")
    a, b, c = (number(interface / name, 16) for name in names)
    return None if a is None or b is None or c is None else (a, b, c)


def _association(interface: Path) -> range:
    """Interface numbers of the association descriptor that the interface belongs to."""
    first, count = number(interface / "iad_bFirstInterface", 16), number(interface / "iad_bInterfaceCount", 16)
    return range(first, first + count) if first is not None and count is not None else range(0)


def _other_functions(device: Path, own: Path) -> tuple[UsbFunction, ...]:
    ours, found = _association(own), []
    for sibling in sorted(device.glob(f"{device.name}:*")):
        function, at = usb_function(sibling), number(sibling / "bInterfaceNumber", 16)
        if sibling.name != own.name and at not in ours and function and function[0] != USB_DATA_CLASS:
            found.append(function)
    return tuple(found)


def usb_identity(interface: Path) -> UsbIdentity | None:
    """The USB device of an interface folder such as …/1-2/1-2:1.0, with its other functions."""
    device = interface.parent
    vendor, product = number(device / "idVendor", 16), number(device / "idProduct", 16)
    if vendor is None or product is None:
        return None
    words = f"{text(device / 'manufacturer')} {text(device / 'product')}".strip()
    return UsbIdentity(vendor, product, words, usb_function(interface), _other_functions(device, interface))


def _usb_interface(hardware: Path) -> Path | None:
    """The nearest USB interface upwards: a modem's network device may stand a step above it."""
    for folder in (hardware, *hardware.parents):
        if (folder / "bInterfaceNumber").exists():
            return folder
    return None


def _hardware(name: str, own: bool, parent: str, parent_bus: str, root: Path) -> Path | None:
    """The folder of the hardware: by the kernel's own answer (holds in every namespace), else by /sys/class/net."""
    if parent and parent_bus and (folder := root / "bus" / parent_bus / "devices" / parent).exists():
        return folder.resolve()
    folder = root / "class/net" / name / "device"
    return folder.resolve() if own and folder.exists() else None


def _is_own(folder: Path, index: int, mac: str) -> bool:
    return number(folder / "ifindex") == index and text(folder / "address") in {mac, ""}


def describe(name: str, index: int, mac: str = "", parent: tuple[str, str] = ("", ""), root: Path = SYS) -> Description:
    """`parent`: name and bus as netlink gives them. What /sys shows of another namespace is not used."""
    folder = root / "class/net" / name
    own = _is_own(folder, index, mac)
    hardware = _hardware(name, own, *parent, root)
    interface = _usb_interface(hardware) if hardware else None
    speed = number(folder / "speed") if own else None
    duplex = text(folder / "duplex") if own else ""
    driver = _link_name(hardware / "driver") if hardware else ""
    wireless = own and ((folder / "phy80211").exists() or (folder / "wireless").exists())
    return Description(
        own=own,
        type_word=parse_uevent(text(folder / "uevent")).get("DEVTYPE", "") if own else "",
        driver=driver,
        bus=_link_name(hardware / "subsystem") if hardware else parent[1],
        physical=hardware is not None or bool(parent[0]),
        wireless=wireless,
        rate_bytes_per_second=speed * 1e6 / 8 if speed and speed > 0 else None,
        duplex=duplex if duplex in {"full", "half"} and driver not in NO_DUPLEX else None,
        below=tuple(sorted(p.name.removeprefix("lower_") for p in folder.glob("lower_*"))) if own else (),
        usb=usb_identity(interface) if interface else None,
    )
