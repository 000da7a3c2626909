"""Votes from what the system itself calls a device: its software kind, driver, medium or description."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.record import Kind
from reports.weighing import Vote

from .clues import Clues
from .usb import word_votes

ARP_ETHERNET, ARP_PPP, ARP_LOOPBACK, ARP_MONITOR = 1, 512, 772, 803

INSIDE: dict[str, str] = {
    "bridge": "it is a bridge inside this computer",
    "veth": "it is a virtual cable inside this computer",
    "dummy": "it is a dummy device that leads nowhere",
    "ifb": "it is a device for shaping traffic inside this computer",
    "nlmon": "it is a device for watching traffic",
    "vcan": "it is no network device for the internet",
    "macvlan": "it is a virtual device for containers or virtual machines",
    "macvtap": "it is a virtual device for containers or virtual machines",
    "ipvlan": "it is a virtual device for containers or virtual machines",
    "vxlan": "it is an overlay network of containers or virtual machines",
    "geneve": "it is an overlay network of containers or virtual machines",
    "openvswitch": "it is a software switch inside this computer",
    "netdevsim": "it is a simulated device",
    "vrf": "it is a routing table's device",
}
TUNNELS = frozenset(
    "wireguard ppp xfrm vti vti6 ipip gre gretap ip6gre ip6tnl sit l2tp l2tpeth ovpn ovpn-dco".split()  # noqa: SIM905
)

DRIVERS: dict[str, tuple[Kind, float, str]] = {
    "ipheth": ("tethered", 3.0, "its driver serves iPhones only"),
    "rndis_host": ("tethered", 1.0, "its driver serves mostly phones"),
    **dict.fromkeys(
        ("cdc_mbim", "qmi_wwan", "huawei_cdc_ncm", "sierra_net", "hso", "mhi_wwan_mbim", "mhi_net", "iosm", "mtk_t7xx"),
        ("mobile", 3.0, "its driver serves mobile broadband modems only"),
    ),
    **dict.fromkeys(
        ("r8152", "r8153_ecm", "ax88179_178a", "asix", "smsc75xx", "smsc95xx", "lan78xx", "aqc111", "dm9601"),
        ("wired", 3.0, "its driver serves USB Ethernet adapters only"),
    ),
    **dict.fromkeys(
        ("sr9700", "sr9800", "mcs7830", "pegasus", "rtl8150", "ch9200", "kaweth", "net1080"),
        ("wired", 3.0, "its driver serves USB Ethernet adapters only"),
    ),
    **dict.fromkeys(("usbrndis6", "rndismpx", "usb_rndisx"), ("tethered", 1.0, "its driver serves mostly phones")),
    "netaapl": ("tethered", 3.0, "its driver serves iPhones only"),
    **dict.fromkeys(("bthpan", "bnep"), ("tethered", 1.5, "its driver serves Bluetooth neighbours")),
}

MEDIA: dict[str, Vote[Kind]] = {
    "loopback": Vote("other", 8.0, "it is this computer talking to itself", proof=True),
    "wwan": Vote("mobile", 3.5, "the system calls it a mobile broadband device", proof=True),
    "bluetooth": Vote("tethered", 3.0, "it is a network connection over Bluetooth"),
    "tunnel": Vote("vpn", 4.0, "it is a tunnel", proof=True),
    "ppp": Vote("vpn", 1.5, "it is a dial-up or tunnel connection"),
    "bridge": Vote("other", 8.0, "it is a bridge inside this computer", proof=True),
    "ethernet": Vote("wired", 0.5, "the system calls it Ethernet"),
}
VPN_LABELS = re.compile(
    r"tap-windows|wintun|wireguard|anyconnect|pangp|globalprotect|fortinet|fortissl|juniper|pulse secure|zscaler"
    r"|openvpn|wan miniport|check point|f5 networks|netmotion|sonicwall|\bvpn\b",
    re.I,
)
INNER_LABELS = re.compile(
    r"hyper-v virtual|virtualbox host-only|vmware virtual|npcap|\bwsl\b|wi-fi direct virtual|kernel debug|multiplexor"
    r"|thunderbolt bridge|docker",
    re.I,
)


def _tun(c: Clues) -> Vote[Kind]:
    if c.master:
        return Vote("other", 8.0, "it is a virtual machine's end of a bridge", proof=True)
    words = "it is a tunnel device of the kind that VPN programs make"
    return Vote("vpn", 3.0 if c.arp_type == ARP_ETHERNET else 5.0, words, proof=True)


def software_votes(c: Clues) -> Iterator[Vote[Kind]]:
    """A device made of software is what the kernel says it is."""
    if c.arp_type == ARP_LOOPBACK:
        yield Vote("other", 8.0, "it is this computer talking to itself", proof=True)
    elif c.arp_type == ARP_MONITOR:
        yield Vote("other", 8.0, "it only listens to the radio", proof=True)
    elif c.software in INSIDE:
        yield Vote("other", 8.0, INSIDE[c.software], proof=True)
    elif c.software == "tun":
        yield _tun(c)
    elif c.software == "wwan":
        yield Vote("mobile", 2.0, "it is a channel of a mobile broadband modem")
    elif c.software in TUNNELS or c.arp_type == ARP_PPP:
        ppp = c.software == "ppp" or c.arp_type == ARP_PPP
        yield Vote("vpn", 1.5 if ppp else 5.0, "it is a tunnel", proof=not ppp)


def medium_votes(c: Clues) -> Iterator[Vote[Kind]]:
    """Windows and macOS name the medium."""
    if c.medium in MEDIA:
        yield MEDIA[c.medium]
    if c.medium == "ethernet" and not c.physical:
        yield Vote("other", 1.5, "no hardware stands behind it")


def driver_votes(c: Clues) -> Iterator[Vote[Kind]]:
    """Drivers that serve one kind of device. cdc_ncm and cdc_ether serve phones and docks alike: no vote."""
    if known := DRIVERS.get(c.driver.lower()):
        yield Vote(*known)


def label_votes(c: Clues) -> Iterator[Vote[Kind]]:
    """The platform's description: a weak clue for hardware, a strong one for well-known software."""
    if VPN_LABELS.search(c.label):
        yield Vote("vpn", 4.0, "its description is a VPN program's")
    elif INNER_LABELS.search(c.label):
        yield Vote("other", 5.0, "its description is that of a device inside this computer")
    elif c.medium in {"", "ethernet"}:
        yield from word_votes(c.label)
    if "internet sharing" in c.label.lower():
        yield Vote("tethered", 1.5, "its description says that it shares a phone's connection")
