"""Tables: clues of real devices, and the kind that each must be."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from probes.links.classify import classify, classify_all
from probes.links.clues import Clues, UsbIdentity
from reports.record import KINDS, Kind

ADB, MTP, USBMUX = (0xFF, 0x42, 0x01), (0x06, 0x01, 0x01), (0xFF, 0xFE, 0x02)
NCM, ECM, RNDIS, CLASSIC_RNDIS = (0x02, 0x0D, 0x00), (0x02, 0x06, 0x00), (0xE0, 0x01, 0x03), (0xEF, 0x04, 0x01)
MBIM, SERIAL, AUDIO, VENDOR = (0x02, 0x0E, 0x00), (0xFF, 0xFF, 0xFF), (0x01, 0x01, 0x00), (0xFF, 0x00, 0x00)


def usb_link(vendor, product, driver, *, words="", function=None, others=(), local=None, **more):
    usb = UsbIdentity(vendor, product, words, function, tuple(others))
    return Clues("x0", arp_type=1, driver=driver, bus="usb", physical=True, usb=usb, local_mac=local, **more)


WIFI = Clues("wlan0", type_word="wlan", arp_type=1, driver="iwlwifi", bus="pci", physical=True, wireless=True)
PAN = Clues("bnep0", type_word="bluetooth", arp_type=1, bus="bluetooth", physical=True)
HOME = {"prefixes": ("192.168.1.20/24",), "gateway": "192.168.1.1"}

TABLE: list[tuple[str, Clues, Kind]] = [
    # phones on USB
    (
        "Pixel RNDIS",
        usb_link(0x18D1, 0x4EE3, "rndis_host", words="Google Pixel 7", function=RNDIS, local=True),
        "tethered",
    ),
    ("Pixel NCM", usb_link(0x18D1, 0x4EEB, "cdc_ncm", words="Google Pixel 8", function=NCM, local=True), "tethered"),
    ("Pixel NCM + ADB", usb_link(0x18D1, 0x4EEC, "cdc_ncm", function=NCM, others=[ADB], local=True), "tethered"),
    (
        "Galaxy RNDIS + MTP",
        usb_link(0x04E8, 0x6863, "rndis_host", function=RNDIS, others=[MTP], local=True),
        "tethered",
    ),
    ("Xiaomi", usb_link(0x2717, 0xFF80, "rndis_host", function=RNDIS, local=True), "tethered"),
    ("OnePlus", usb_link(0x2A70, 0x9024, "rndis_host", function=CLASSIC_RNDIS, local=True), "tethered"),
    ("Huawei phone", usb_link(0x12D1, 0x108A, "rndis_host", function=RNDIS, others=[ADB]), "tethered"),
    ("unknown maker with ADB", usb_link(0x1234, 0x5678, "rndis_host", function=RNDIS, others=[ADB]), "tethered"),
    ("iPhone", usb_link(0x05AC, 0x12A8, "ipheth", words="Apple Inc. iPhone", others=[USBMUX]), "tethered"),
    (
        "iPhone NCM, odd id",
        usb_link(0x05AC, 0x12AB, "cdc_ncm", function=NCM, prefixes=("172.20.10.3/28",), gateway="172.20.10.1"),
        "tethered",
    ),
    (
        "unknown NCM, Android lease",
        usb_link(0x1234, 1, "cdc_ncm", function=NCM, local=True, dhcp_metered=True),
        "tethered",
    ),
    # adapters and docks, with the same drivers
    ("Realtek 8153 r8152", usb_link(0x0BDA, 0x8153, "r8152", words="Realtek USB 10/100/1000 LAN", **HOME), "wired"),
    ("Realtek 8153 in NCM", usb_link(0x0BDA, 0x8153, "cdc_ncm", function=NCM, local=False, **HOME), "wired"),
    ("Realtek 8156 in ECM", usb_link(0x0BDA, 0x8156, "cdc_ether", function=ECM, local=False), "wired"),
    (
        "DisplayLink dock",
        usb_link(0x17E9, 0x6006, "cdc_ncm", function=NCM, others=[AUDIO, VENDOR], local=False),
        "wired",
    ),
    (
        "Lenovo dock",
        usb_link(0x17EF, 0x3082, "cdc_ncm", words="ThinkPad Dock Ethernet", function=NCM, local=False),
        "wired",
    ),
    ("Lenovo dock r8152", usb_link(0x17EF, 0xA387, "r8152", words="ThinkPad USB-C Dock Gen2"), "wired"),
    ("Dell dock", usb_link(0x413C, 0xB06E, "r8152", words="Dell dock"), "wired"),
    ("ASIX", usb_link(0x0B95, 0x1790, "ax88179_178a", local=False), "wired"),
    (
        "ASIX 179B in NCM",
        usb_link(0x0B95, 0x1790, "cdc_ncm", words="ASIX AX88179B", function=NCM, local=False),
        "wired",
    ),
    ("SMSC", usb_link(0x0424, 0x9514, "smsc95xx"), "wired"),
    ("Microchip LAN7800", usb_link(0x0424, 0x7800, "lan78xx"), "wired"),
    ("Aquantia", usb_link(0x2ECA, 0xC101, "aqc111"), "wired"),
    ("Apple adapter", usb_link(0x05AC, 0x1402, "asix", words="Apple USB Ethernet Adapter"), "wired"),
    ("Surface adapter", usb_link(0x045E, 0x07C6, "r8152"), "wired"),
    # a dock on a network that happens to be a phone's old range is still a dock
    (
        "dock on 192.168.42",
        usb_link(
            0x17EF, 0x3082, "cdc_ncm", function=NCM, local=False, words="Dock Ethernet", prefixes=("192.168.42.9/24",)
        ),
        "wired",
    ),
    ("dock, user says metered", usb_link(0x0BDA, 0x8153, "r8152", nm_metered="yes"), "wired"),
    # modems
    ("Huawei HiLink", usb_link(0x12D1, 0x14DC, "cdc_ether", words="HUAWEI Mobile", gateway="192.168.8.1"), "mobile"),
    ("Sierra MBIM", usb_link(0x1199, 0x9071, "cdc_mbim", function=MBIM, type_word="wwan"), "mobile"),
    ("Quectel QMI", usb_link(0x2C7C, 0x0125, "qmi_wwan", others=[SERIAL, SERIAL, SERIAL], type_word="wwan"), "mobile"),
    ("Dell built-in modem", usb_link(0x413C, 0x81B6, "cdc_mbim", function=MBIM, type_word="wwan"), "mobile"),
    ("PCIe modem", Clues("wwan0", type_word="wwan", software="wwan", arp_type=519, driver="iosm", bus="pci"), "mobile"),
    # on the computer's own buses
    ("PCI", Clues("enp3s0", arp_type=1, driver="e1000e", bus="pci", physical=True, duplex="full", **HOME), "wired"),
    ("PCI, no cable", Clues("enp3s0", arp_type=1, driver="igc", bus="pci", physical=True), "wired"),
    ("virtual machine", Clues("eth0", arp_type=1, driver="virtio_net", bus="virtio", physical=True), "wired"),
    # wifi, and a phone's hotspot
    ("wifi at home", replace(WIFI, **HOME), "wifi"),
    ("wifi, no address", WIFI, "wifi"),
    ("wifi on 10/8 company net", replace(WIFI, prefixes=("10.20.30.40/16",), gateway="10.20.0.1"), "wifi"),
    ("wifi on a wide 172.20", replace(WIFI, prefixes=("172.20.10.5/16",), gateway="172.20.10.1"), "wifi"),
    ("wifi, user says metered", replace(WIFI, nm_metered="yes", **HOME), "wifi"),
    ("iPhone hotspot", replace(WIFI, prefixes=("172.20.10.2/28",), gateway="172.20.10.1"), "tethered"),
    ("Android hotspot, lease", replace(WIFI, prefixes=("192.168.183.20/24",), dhcp_metered=True), "tethered"),
    (
        "Android hotspot, NM's guess",
        replace(WIFI, prefixes=("192.168.43.20/24",), gateway="192.168.43.1", nm_metered="guess-yes"),
        "tethered",
    ),
    (
        "wifi that only looks like an old hotspot",
        replace(WIFI, prefixes=("192.168.43.20/24",), gateway="192.168.43.254"),
        "wifi",
    ),
    ("own access point", replace(WIFI, radio_role="AP"), "other"),
    ("monitor", Clues("hwsim0", arp_type=803), "other"),
    # Bluetooth
    ("Bluetooth PAN", PAN, "tethered"),
    ("Bluetooth PAN of Android", replace(PAN, prefixes=("192.168.44.5/24",), gateway="192.168.44.1"), "tethered"),
    # VPN
    ("OpenVPN tun", Clues("tun0", software="tun", arp_type=65534), "vpn"),
    ("OpenVPN tap", Clues("tap0", software="tun", arp_type=1), "vpn"),
    ("WireGuard", Clues("wg0", software="wireguard", arp_type=65534), "vpn"),
    ("ppp", Clues("ppp0", software="ppp", arp_type=512), "vpn"),
    ("xfrm", Clues("ipsec0", software="xfrm"), "vpn"),
    # devices inside the computer
    ("loopback", Clues("lo", arp_type=772), "other"),
    ("docker0", Clues("docker0", type_word="bridge", software="bridge", arp_type=1), "other"),
    ("veth", Clues("veth12", software="veth", arp_type=1), "other"),
    ("dummy", Clues("dummy0", software="dummy", arp_type=1), "other"),
    ("ifb", Clues("ifb0", software="ifb", arp_type=1), "other"),
    ("virtual machine's tap", Clues("vnet0", software="tun", arp_type=1, master="virbr0"), "other"),
    ("nothing known", Clues("mystery0"), "other"),
]


@pytest.mark.parametrize(("clues", "kind"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_kind(clues: Clues, kind: Kind):
    found = classify(clues)
    assert found.what == kind, found
    assert found.what in KINDS
    assert 0.0 <= found.confidence <= 0.99
    assert found.evidence


@pytest.mark.parametrize("clues", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_evidence_names_no_one(clues: Clues):
    marked = replace(clues, label=clues.label or "Eva's thing 4C:11:AE:00:01:02", local_mac=True)
    for words in classify(marked).evidence:
        assert not any(_is_address(w) for w in re.split(r"[\s,;()]+", words))
        assert "Eva" not in words
        assert not re.search(r"([0-9a-f]{2}:){3}", words, re.I)


def _is_address(word: str) -> bool:
    try:
        ip_address(word.partition("/")[0])
    except ValueError:
        return False
    return True


ONE_STRING = [
    usb_link(0x18D1, 0x9999, "cdc_ncm"),
    usb_link(0x1234, 0x5678, "cdc_ncm", words="Android"),
    replace(WIFI, physical=False, wireless=False, type_word="", dhcp_metered=True),
]


@pytest.mark.parametrize("clues", ONE_STRING)
def test_one_clue_alone_is_never_sure(clues: Clues):
    assert classify(clues).confidence <= 0.7


def test_more_clues_make_it_surer():
    bare = usb_link(0x18D1, 0x9999, "cdc_ncm")
    more = replace(bare, dhcp_metered=True, local_mac=True)
    assert classify(bare).confidence < classify(more).confidence


def test_opposing_evidence_is_said_and_costs_confidence():
    dock = usb_link(0x0BDA, 0x8153, "r8152")
    odd = replace(dock, dhcp_metered=True)
    assert any(words.startswith("against it:") for words in classify(odd).evidence)
    assert classify(odd).confidence < classify(dock).confidence


VETH = Clues("eth0", software="veth", arp_type=1, default_route=True)
PCI = Clues("enp3s0", arp_type=1, driver="e1000e", bus="pci", physical=True, default_route=True)


def test_virtual_cable_of_a_container_is_wired_and_unsure():
    found = classify_all([VETH, Clues("lo", arp_type=772)])["eth0"]
    assert (found.what, found.evidence) == ("wired", ("a virtual cable, and the only way out of this container",))
    assert found.confidence < 0.5


@pytest.mark.parametrize(
    "clues", [[VETH, PCI], [replace(VETH, default_route=False)]], ids=["beside hardware", "no way out"]
)
def test_other_virtual_cables_are_other(clues: list[Clues]):
    assert classify_all(clues)["eth0"].what == "other"


def test_tunnel_that_is_a_containers_only_way_out_is_vpn():
    assert classify_all([Clues("tun0", software="tun", arp_type=65534, default_route=True)])["tun0"].what == "vpn"


@pytest.mark.parametrize("software", ["vlan", "bond", "bridge"])
def test_stacked_devices_are_of_the_kind_they_stand_on(software: str):
    found = classify_all([PCI, Clues("top0", software=software, arp_type=1, below=("enp3s0",))])["top0"]
    assert found.what == "wired"
    assert "enp3s0" in found.evidence[0]


def test_a_bridge_of_containers_is_other():
    assert classify_all([PCI, VETH, Clues("docker0", software="bridge", below=("eth0",))])["docker0"].what == "other"
