"""Every platform's module answers with one shape; Windows and macOS are driven by raw structures made here."""

from __future__ import annotations

import inspect
import sys
import typing
from dataclasses import fields, replace
from importlib import import_module
from types import UnionType

import pytest

from probes.links import MODULES, default_link, linux, macos, platform_module, windows
from probes.links.clues import Draft
from probes.links.macos import Raw
from probes.links.settle import settle
from probes.links.windows import Adapter, Hardware
from reports.record import KINDS, Counters, Link, Wifi

MARK = b"ANDROID_METERED"
PIXEL = Hardware(r"USB\VID_18D1&PID_4EEB&MI_00\6&1a2b", "UsbNcm", (r"USB\Class_02&SubClass_0d&Prot_00",))
IPHONE = Hardware(r"USB\VID_05AC&PID_12A8&MI_02\7&3c4d", "Netaapl", ())
REALTEK = Hardware(r"USB\VID_0BDA&PID_8153\000001", "rtux64w10", (r"USB\Class_FF&SubClass_FF&Prot_00",))
PCI = Hardware(r"PCI\VEN_8086&DEV_15F3\3&11", "e2fexpress", ())
HW = windows.HARDWARE
ETHERNET = Adapter("Ethernet", "Intel(R) Ethernet Controller I225-V", 6, 14, HW, 1, 1500, b"\x00\x1b\x21\x01\x02\x03",
                   ("192.168.1.5/24", "fe80::1/64"), ("192.168.1.1", "fe80::9"), ("192.168.1.1",), 25, True, 10**9,
                   Counters(1, 2, 3, 4), PCI)  # fmt: skip
WIFI = replace(ETHERNET, name="Wi-Fi", description="Intel(R) Wi-Fi 6 AX201", if_type=71, medium=9, is_default=False,
               metric=35, wifi=Wifi(signal_dbm=-60.0), hardware=replace(PCI, service="Netwtw10"))  # fmt: skip
USB = replace(
    ETHERNET, name="Ethernet 2", description="UsbNcm Host Device", hardware=PIXEL, mac=b"\x02\x00\x00\x00\x00\x01"
)

WINDOWS = [
    (ETHERNET, "wired"),
    (WIFI, "wifi"),
    (replace(WIFI, prefixes=("172.20.10.2/28",), gateways=("172.20.10.1",)), "tethered"),
    (USB, "tethered"),
    (replace(USB, description="Apple Mobile Device Ethernet", hardware=IPHONE), "tethered"),
    (
        replace(
            USB, description="Remote NDIS based Internet Sharing Device", hardware=replace(PIXEL, service="usbrndis6")
        ),
        "tethered",
    ),
    (
        replace(USB, description="Realtek USB GbE Family Controller", hardware=REALTEK, mac=b"\x00\xe0\x4c\1\2\3"),
        "wired",
    ),
    (
        Adapter(
            "Bluetooth",
            "Bluetooth Device (Personal Area Network)",
            6,
            10,
            HW,
            2,
            hardware=Hardware("BTH\\MS_BTHPAN\\7", "BthPan"),
        ),
        "tethered",
    ),
    (Adapter("Cellular", "Generic Mobile Broadband Adapter", 243, 8, HW, 1), "mobile"),
    (Adapter("Work", "WireGuard Tunnel", 53, 0, 0, 1), "vpn"),
    (Adapter("Corp", "Cisco AnyConnect Virtual Miniport Adapter", 6, 0, 0, 1), "vpn"),
    (Adapter("OpenVPN", "TAP-Windows Adapter V9", 6, 14, 0, 1), "vpn"),
    (Adapter("Loopback", "Software Loopback Interface 1", 24, 0, 0, 1), "other"),
    (Adapter("vEthernet (WSL)", "Hyper-V Virtual Ethernet Adapter", 6, 0, 0, 1), "other"),
    (Adapter("Local 3", "Microsoft Wi-Fi Direct Virtual Adapter", 71, 9, 0, 2), "other"),
]

STORE = {
    "State:/Network/Global/IPv4": {"PrimaryInterface": "en5", "PrimaryService": "S5", "Router": "192.168.1.1"},
    "State:/Network/Service/S5/IPv4": {"InterfaceName": "en5", "Router": "192.168.1.1"},
    "State:/Network/Service/S5/DNS": {"ServerAddresses": ["192.168.1.1"]},
    "State:/Network/Service/S0/IPv4": {"InterfaceName": "en0", "Router": "172.20.10.1"},
    "State:/Network/Service/S7/IPv4": {"InterfaceName": "en7", "Router": "192.168.91.1"},
    "State:/Network/Service/S7/DHCP": {"Option_43": MARK},
    "State:/Network/Interface/en5/Link": {"Active": True},
    "State:/Network/Interface/en1/Link": {"Active": False},
}
MAC = Raw(
    interfaces=[
        {"name": "en5", "type": "Ethernet", "label": "USB 10/100/1000 LAN", "mac": "00:e0:4c:01:02:03"},
        {"name": "en0", "type": "IEEE80211", "label": "Wi-Fi", "mac": "3c:22:fb:01:02:03"},
        {"name": "en1", "type": "Ethernet", "label": "Ethernet", "mac": "00:1b:21:01:02:03"},
        {"name": "en6", "type": "Ethernet", "label": "iPhone USB", "mac": "3a:22:fb:01:02:03"},
        {"name": "en7", "type": "Ethernet", "label": "Pixel 8", "mac": "02:22:fb:01:02:03"},
        {"name": "en8", "type": "Bluetooth", "label": "Bluetooth PAN", "mac": "3c:22:fb:01:02:04"},
        {"name": None, "type": "PPP", "label": "L2TP"},
    ],
    store=STORE,
    wifi={"en0": {"rssi": -61, "rate": 866.0, "channel": 36, "band": 2, "width": 3}},
    addresses={
        "en5": ["192.168.1.7/24", "fe80::1%en5/64"], "en0": ["172.20.10.4/28"], "en6": ["172.20.10.5/28"],
        "en7": ["192.168.91.7/24"], "utun3": ["10.8.0.2/32"], "lo0": ["127.0.0.1/8"],
    },
    stats={"en5": {"up": True, "mtu": 1500}, "en1": {"up": True, "mtu": 1500}, "utun3": {"up": True, "mtu": 1380},
           "lo0": {"up": True, "mtu": 16384}, "awdl0": {"up": True, "mtu": 1500}, "bridge0": {"up": False}},
    counters={"en5": (1, 2, 3, 4)},
)  # fmt: skip
MACOS = {"en5": "wired", "en0": "tethered", "en1": "wired", "en6": "tethered", "en7": "tethered", "en8": "tethered",
         "utun3": "vpn", "lo0": "other", "awdl0": "other", "bridge0": "other"}  # fmt: skip


@pytest.mark.parametrize(("adapter", "kind"), WINDOWS, ids=[a.description for a, _ in WINDOWS])
def test_windows_kinds(adapter: Adapter, kind: str):
    [link] = settle(windows.drafts([adapter]))
    assert link.kind == kind, link
    assert link.evidence


def test_macos_kinds():
    assert {link.name: link.kind for link in settle(macos.drafts(MAC))} == MACOS


async def drafts_of(platform: str) -> tuple[Draft, ...]:
    if platform == "linux":
        return (await linux.collect())[0]
    if platform == "win32":
        return windows.drafts([replace(a, name=f"{a.name} {i}") for i, (a, _) in enumerate(WINDOWS)])
    return macos.drafts(MAC)


def accepts(annotation: object, value: object) -> bool:
    if isinstance(annotation, UnionType) or typing.get_origin(annotation) is typing.Union:
        return any(accepts(part, value) for part in typing.get_args(annotation))
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return value in typing.get_args(annotation)
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(v, str) for v in value)
    if annotation is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, annotation)  # type: ignore[arg-type]


@pytest.mark.parametrize("platform", sorted(MODULES))
async def test_every_platform_gives_the_same_shape(platform: str):
    if platform == "linux" and sys.platform != "linux":
        pytest.skip("real links are listed on Linux only")
    links = settle(await drafts_of(platform))
    assert links
    hints = typing.get_type_hints(Link)
    assert len({link.name for link in links}) == len(links)
    for link in links:
        assert link.kind in KINDS
        assert 0.0 <= link.confidence <= 1.0
        for field in fields(Link):
            assert accepts(hints[field.name], getattr(link, field.name)), (link.name, field.name)
        assert not any("/" in a or "%" in a for a in link.addresses)
    assert sum(link.is_default for link in links) <= (len(links) if platform == "win32" else 1)


@pytest.mark.parametrize("name", sorted(MODULES.values()))
def test_every_platforms_module_has_the_same_functions(name: str):
    module = import_module(f"probes.links.{name}")
    assert inspect.iscoroutinefunction(module.collect)
    assert not inspect.signature(module.collect).parameters
    assert inspect.signature(module.collect).return_annotation == "tuple[tuple[Draft, ...], list[str]]"
    assert callable(module.warm_up)


def test_an_unknown_platform_is_refused_by_name():
    with pytest.raises(NotImplementedError, match="plan9"):
        platform_module("plan9")


def test_windows_details():
    [link] = settle(windows.drafts([ETHERNET]))
    assert link.addresses == ("192.168.1.5",)
    assert (link.gateway, link.gateway_v6) == ("192.168.1.1", "fe80::9")
    assert link.rate_bytes_per_second == 125e6
    assert (link.route_metric, link.is_default, link.carrier) == (25, True, True)
    assert windows.usb_identity(PIXEL).function == (0x02, 0x0D, 0x00)
    assert windows.usb_identity(PCI) is None
    assert settle(windows.drafts([replace(ETHERNET, transmit_rate=2**64 - 1)]))[0].rate_bytes_per_second is None


class Registry:
    """Answers as winreg does, from a dict."""

    HKEY_LOCAL_MACHINE = "HKLM"

    def __init__(self, values: dict[tuple[str, str], object]) -> None:
        self.values = values

    def OpenKey(self, root: str, key: str) -> Registry:
        self.key = key
        return self

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def QueryValueEx(self, opened: Registry, name: str) -> tuple[object, int]:
        for (end, wanted), value in self.values.items():
            if self.key.endswith(end) and name == wanted:
                return value, 1
        raise FileNotFoundError(name)


def test_windows_registry():
    registry = Registry({
        (r"{ABC}\Connection", "PnpInstanceID"): PIXEL.instance_id,
        (PIXEL.instance_id, "Service"): "UsbNcm",
        (PIXEL.instance_id, "CompatibleIDs"): list(PIXEL.compatible_ids),
    })  # fmt: skip
    assert windows.registry_hardware("{ABC}", registry) == PIXEL
    assert windows.registry_hardware("{OTHER}", registry) == Hardware()


def test_macos_details():
    links = {link.name: link for link in settle(macos.drafts(MAC))}
    en5, en0 = links["en5"], links["en0"]
    assert (en5.is_default, en5.gateway, en5.resolvers, en5.route_metric) == (True, "192.168.1.1", ("192.168.1.1",), 0)
    assert en5.addresses == ("192.168.1.7",)
    assert en5.counters == Counters(1, 2, 3, 4)
    assert links["en1"].carrier is False
    assert en0.wifi == Wifi(-61.0, 5180e6, "5 GHz", 80e6, 866e6 / 8)
    assert links["en7"].metered is True
    assert links["utun3"].beneath == "en5"
    assert default_link(tuple(links.values())).name == "en5"


@pytest.mark.parametrize(
    ("channel", "band", "mhz"),
    [
        (1, "2.4 GHz", 2412),
        (14, "2.4 GHz", 2484),
        (36, "5 GHz", 5180),
        (5, "6 GHz", 5975),
        (None, "5 GHz", None),
        (1, None, None),
    ],
)
def test_channel_frequencies(channel: int | None, band: str | None, mhz: int | None):
    assert macos.frequency_hz(channel, band) == (mhz * 1e6 if mhz else None)


def test_empty_answers():
    assert macos.drafts(Raw()) == ()
    assert windows.drafts([]) == ()
