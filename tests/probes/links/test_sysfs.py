"""A tree as Linux shows it under /sys, made of real attribute names, for a phone, a dock and a stranger's namespace."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes.links.classify import classify
from probes.links.clues import Clues
from probes.links.sysfs import describe

MAC = "02:77:00:00:03:02"


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content + "\n")
    return folder


def usb_interface(device: Path, number: int, triple: str, association: str = "") -> Path:
    a, b, c = triple.split("/")
    more = {}
    if association:
        first, count = association.split("+")
        more = {"iad_bFirstInterface": first, "iad_bInterfaceCount": count}
    return write(
        device / f"{device.name}:1.{number}",
        bInterfaceNumber=f"{number:02x}", bInterfaceClass=a, bInterfaceSubClass=b, bInterfaceProtocol=c, **more,
    )  # fmt: skip


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    """An Android phone that tethers by NCM, with debugging on."""
    device = write(
        tmp_path / "devices/usb1/1-2", idVendor="18d1", idProduct="4eec", manufacturer="Google", product="Pixel 8"
    )
    network = usb_interface(device, 0, "02/0d/00", "00+02")
    usb_interface(device, 1, "0a/00/01", "00+02")
    usb_interface(device, 2, "ff/42/01")
    write(tmp_path / "bus/usb/drivers/cdc_ncm")
    write(tmp_path / "bus/usb/devices")
    (tmp_path / "bus/usb/devices/1-2:1.0").symlink_to(network)
    (network / "driver").symlink_to(tmp_path / "bus/usb/drivers/cdc_ncm")
    (network / "subsystem").symlink_to(tmp_path / "bus/usb")
    net = write(
        tmp_path / "class/net/usb0",
        ifindex="5",
        address=MAC,
        uevent="INTERFACE=usb0\nIFINDEX=5",
        speed="425",
        duplex="half",
    )
    (net / "device").symlink_to(network)
    return tmp_path


def test_a_phones_description(phone: Path):
    seen = describe("usb0", 5, MAC, root=phone)
    assert (seen.own, seen.physical, seen.driver, seen.bus) == (True, True, "cdc_ncm", "usb")
    assert seen.rate_bytes_per_second == 425e6 / 8
    assert seen.duplex is None  # the driver says "half" for want of an answer
    assert seen.usb is not None
    assert (seen.usb.vendor, seen.usb.product, seen.usb.words) == (0x18D1, 0x4EEC, "Google Pixel 8")
    assert seen.usb.function == (0x02, 0x0D, 0x00)
    assert seen.usb.others == ((0xFF, 0x42, 0x01),)  # the data half and the association's own are not others
    assert classify(Clues("usb0", driver=seen.driver, bus=seen.bus, physical=True, usb=seen.usb)).what == "tethered"


@pytest.mark.parametrize(("index", "mac"), [(6, MAC), (5, "02:00:00:00:00:09")])
def test_a_device_of_that_name_elsewhere_is_not_ours(phone: Path, index: int, mac: str):
    seen = describe("usb0", index, mac, root=phone)
    assert (seen.own, seen.physical, seen.usb, seen.rate_bytes_per_second) == (False, False, None, None)


def test_the_kernels_parent_is_followed_in_every_namespace(phone: Path):
    seen = describe("usb0", 6, MAC, ("1-2:1.0", "usb"), root=phone)
    assert seen.usb is not None
    assert seen.physical


def test_a_missing_tree_is_unknown(tmp_path: Path):
    seen = describe("eth0", 2, root=tmp_path / "none")
    assert (seen.own, seen.physical, seen.driver, seen.duplex) == (False, False, "", None)


@pytest.mark.parametrize("content", ["-1", "0", "", "garbage", "4294967295x"])
def test_a_speed_that_is_none(phone: Path, content: str):
    (phone / "class/net/usb0/speed").write_text(content)
    assert describe("usb0", 5, MAC, root=phone).rate_bytes_per_second is None
