"""Makes /sys, /dev and /proc/asound of computers that are not here."""

from __future__ import annotations

from pathlib import Path

HEADSET = bytes.fromhex(
    "1201000200000040 0b0e1404 0001010203 01"  # a device
    "09026400040100c032"  # a configuration
    "09040000000101 0000"  # interface 0: audio control
    "0a2401000127000201 02"
    "0c24020101010001 00000000"  # input terminal 1: USB streaming
    "09240302 0203 0001 00"  # output terminal 2: 0x0302, headphones
    "0c240203 0204 0001 00000000"  # input terminal 3: 0x0402, headset
    "09040100000102 0000"  # interface 1: audio streaming
    "0724020502 0104"  # FORMAT_TYPE, which looks like a terminal elsewhere
)


def write(path: Path, words: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(words.encode() if isinstance(words, str) else words)


def link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    to.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def usb(root: Path, place: str, product: str, *, maker: str = "", removable: str = "unknown", raw: bytes = b"") -> Path:
    """A USB device; its directory."""
    device = root / "sys/devices/pci0000:00/0000:00:14.0/usb1" / place
    for name, words in (("idVendor", "046d"), ("product", product), ("manufacturer", maker), ("removable", removable)):
        if words:
            write(device / name, f"{words}\n")
    write(device / "descriptors", raw)
    return device


def video(root: Path, number: int, name: str, parent: Path | None, index: int = 0) -> None:
    """A video node; its /dev entry is a plain file, of which V4L2's questions fail."""
    node = root / f"sys/class/video4linux/video{number}"
    write(node / "name", f"{name}\n")
    write(node / "index", f"{index}\n")
    write(root / f"dev/video{number}", "")
    if parent is not None:
        link(node / "device", parent)
        bus = "usb" if "usb" in str(parent) else "platform"
        if not (parent / "subsystem").is_symlink():
            link(parent / "subsystem", root / "sys/bus" / bus)


def card(root: Path, number: int, parent: Path, bus: str, driver: str) -> None:
    """What is behind a sound card."""
    link(root / f"sys/class/sound/card{number}/device", parent)
    link(parent / "subsystem", root / "sys/bus" / bus)
    link(parent / "driver", root / "sys/drivers" / driver)
