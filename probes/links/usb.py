"""What a USB identity says about a network device: a phone, a modem, or an adapter or dock for a cable.

The numbers are vendor and product ids as assigned by USB-IF and used by the makers; class codes as in the USB-IF
list of defined classes. No single one decides: every rule is one vote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.record import Kind
from reports.weighing import Vote

from .clues import UsbFunction, UsbIdentity

GOOGLE, APPLE, SAMSUNG, HUAWEI, DELL = 0x18D1, 0x05AC, 0x04E8, 0x12D1, 0x413C

PHONE_MAKERS: dict[int, str] = {
    GOOGLE: "Google",
    0x2717: "Xiaomi",
    0x2A70: "OnePlus",
    0x22B8: "Motorola",
    0x22D9: "Oppo",
    0x2D95: "Vivo",
    0x0FCE: "Sony Mobile",
    0x1004: "LG phones",
    0x0BB4: "HTC",
    0x0421: "Nokia phones",
    0x2E04: "HMD",
    0x2AE5: "Fairphone",
    0x339B: "Honor",
    0x2B4C: "Zuk",
    0x29A9: "Smartisan",
}
TETHERING: dict[int, frozenset[int]] = {
    GOOGLE: frozenset({0x4EE3, 0x4EE4, 0x4EE9, 0x4EEB, 0x4EEC}),
    SAMSUNG: frozenset({0x6863, 0x6864, 0x6881, 0x685E}),
    0x2717: frozenset({0xFF80, 0xFF88}),
    0x2A70: frozenset({0x9024, 0x904D}),
    HUAWEI: frozenset({0x108A, 0x1039, 0x105D}),
    0x22B8: frozenset({0x2E24, 0x2E25}),
    0x22D9: frozenset({0x276A, 0x2772}),
}
PHONE_RANGES: dict[int, tuple[range, ...]] = {
    APPLE: (range(0x1290, 0x12B0),),
    SAMSUNG: (range(0x6840, 0x68A0),),
    HUAWEI: (range(0x1037, 0x10A0),),
}
MODEM_MAKERS: dict[int, str] = {
    0x1199: "Sierra Wireless",
    0x2C7C: "Quectel",
    0x1BC7: "Telit",
    0x1410: "Novatel",
    0x0BDB: "Ericsson",
    0x1E2D: "Cinterion",
    0x2CB7: "Fibocom",
    0x19D2: "ZTE",
    0x1BBB: "Alcatel modems",
}
MODEM_RANGES: dict[int, tuple[range, ...]] = {
    HUAWEI: (range(0x1401, 0x1600), range(0x1F01, 0x1F02)),
    DELL: (range(0x8100, 0x8200),),
}
ADAPTER_MAKERS: dict[int, str] = {
    0x0BDA: "Realtek",
    0x0B95: "ASIX",
    0x17E9: "DisplayLink",
    0x0424: "Microchip",
    0x2ECA: "Aquantia",
    0x0A46: "Davicom",
    0x9710: "MosChip",
    0x0FE6: "Kontron",
    0x2357: "TP-Link",
    0x2001: "D-Link",
    0x050D: "Belkin",
    0x13B1: "Linksys",
    0x20F4: "TRENDnet",
    0x0846: "Netgear",
    0x1A86: "WCH",
}
COMPUTER_MAKERS: dict[int, str] = {0x17EF: "Lenovo", DELL: "Dell", 0x03F0: "HP", 0x045E: "Microsoft", APPLE: "Apple"}
ADAPTER_RANGES: dict[int, tuple[range, ...]] = {APPLE: (range(0x1400, 0x1410),)}

RNDIS: frozenset[UsbFunction] = frozenset({(0xE0, 0x01, 0x03), (0xEF, 0x04, 0x01)})
MBIM: UsbFunction = (0x02, 0x0E, 0x00)
PHONE_FUNCTIONS: dict[UsbFunction, str] = {
    (0xFF, 0x42, 0x01): "Android debugging",
    (0x06, 0x01, 0x01): "photo and file transfer",
    (0xFF, 0xFE, 0x02): "iPhone synchronisation",
}
SCREEN_AND_SOUND = frozenset({0x01, 0x0E, 0x10})
SERIAL: frozenset[UsbFunction] = frozenset({(0x02, 0x02, 0x01), (0xFF, 0xFF, 0xFF), (0xFF, 0x02, 0x01)})

PHONE_WORDS = re.compile(r"\b(android|iphone|ipad|pixel|galaxy|xperia|redmi|oneplus|smartphone|nexus)\b", re.I)
ADAPTER_WORDS = re.compile(r"\b(dock|docking|lan|ethernet|gbe|gige|gigabit|10/100\S*|hub)\b", re.I)
MODEM_WORDS = re.compile(r"\b(modem|hilink|lte|mobile broadband|wwan)\b", re.I)


def _within(table: dict[int, tuple[range, ...]], usb: UsbIdentity) -> bool:
    return any(usb.product in r for r in table.get(usb.vendor, ()))


def _maker(usb: UsbIdentity) -> Iterator[Vote[Kind]]:
    """The vendor. Makers of several things are decided by the product number, else they weigh little."""
    if _within(MODEM_RANGES, usb):
        yield Vote("mobile", 2.5, "its USB product number is a mobile broadband modem's")
    elif usb.vendor in MODEM_MAKERS:
        yield Vote("mobile", 2.0, f"its USB maker is {MODEM_MAKERS[usb.vendor]}, which makes modems")
    elif _within(ADAPTER_RANGES, usb):
        yield Vote("wired", 3.0, "its USB product number is an Ethernet adapter's")
    elif _within(PHONE_RANGES, usb):
        yield Vote("tethered", 2.5, "its USB product number is in a phone maker's range for phones")
    elif usb.vendor in PHONE_MAKERS:
        yield Vote("tethered", 2.0, f"its USB maker is {PHONE_MAKERS[usb.vendor]}, which makes phones")
    elif usb.vendor in ADAPTER_MAKERS:
        yield Vote("wired", 2.5, f"its USB maker is {ADAPTER_MAKERS[usb.vendor]}, which makes network adapters")
    elif usb.vendor in COMPUTER_MAKERS:
        yield Vote("wired", 1.5, f"its USB maker is {COMPUTER_MAKERS[usb.vendor]}, which makes docks and adapters")


def _product(usb: UsbIdentity) -> Iterator[Vote[Kind]]:
    if usb.product in TETHERING.get(usb.vendor, ()):
        yield Vote("tethered", 2.0, "its USB product number is that of a phone sharing its connection")


def _function(usb: UsbIdentity) -> Iterator[Vote[Kind]]:
    if usb.function in RNDIS:
        yield Vote("tethered", 1.2, "it speaks RNDIS over USB, as phones do")
    elif usb.function == MBIM:
        yield Vote("mobile", 3.0, "it speaks MBIM, the protocol of mobile broadband modems")


def _others(usb: UsbIdentity) -> Iterator[Vote[Kind]]:
    """What else the same device offers: the interface association's neighbours."""
    for function, words in PHONE_FUNCTIONS.items():
        if function in usb.others:
            yield Vote("tethered", 3.0, f"the same USB device offers {words}, as phones do")
    if SCREEN_AND_SOUND & {f[0] for f in usb.others}:
        yield Vote("wired", 1.5, "the same USB device carries sound or a screen, as docks do")
    if sum(f in SERIAL for f in usb.others) >= 2:
        yield Vote("mobile", 1.5, "the same USB device offers serial ports, as modems do")


def word_votes(words: str) -> Iterator[Vote[Kind]]:
    """What a device calls itself. Weak: names are free text."""
    if PHONE_WORDS.search(words):
        yield Vote("tethered", 1.0, "it calls itself a phone")
    if ADAPTER_WORDS.search(words):
        yield Vote("wired", 1.0, "it calls itself an Ethernet adapter or dock")
    if MODEM_WORDS.search(words):
        yield Vote("mobile", 1.0, "it calls itself a modem")


def votes(usb: UsbIdentity) -> Iterator[Vote[Kind]]:
    """All that the USB identity says."""
    for rule in (_product, _maker, _function, _others):
        yield from rule(usb)
    yield from word_votes(usb.words)
