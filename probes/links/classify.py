"""Which kind of link is it? Pure: clues in, a kind with its evidence and confidence out.

Every rule looks at one clue and casts votes; reports.weighing adds them up. Evidence is in plain words and holds no
address, network name or serial number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_interface, ip_network

from reports.record import Kind
from reports.weighing import Vote, Weighed, weigh

from . import usb
from .clues import Clues
from .devices import driver_votes, label_votes, medium_votes, software_votes

RADIO = 3.0
STACKED = frozenset({"vlan", "bond", "team", "bridge", "macvlan", "ipvlan"})
VIRTUAL_CABLES = frozenset({"veth", "macvlan", "ipvlan"})
VIRTUAL_MACHINE_BUSES = frozenset({"virtio", "vmbus", "xen"})


@dataclass(frozen=True, slots=True)
class Convention:
    """An address range that phones are known to give out."""

    network: str
    who: str
    gateways: tuple[str, ...]
    weight: float
    gateway_weight: float


CONVENTIONS = (
    Convention("172.20.10.0/28", "iPhones give", ("172.20.10.1",), 2.5, 1.5),
    Convention("192.168.42.0/24", "Android phones give over USB", ("192.168.42.129", "192.168.42.1"), 1.8, 0.7),
    Convention("192.168.43.0/24", "Android hotspots give", ("192.168.43.1",), 1.8, 0.7),
    Convention("192.168.44.0/24", "Android phones give over Bluetooth", ("192.168.44.1",), 1.8, 0.7),
    Convention("192.168.49.0/24", "Android's Wi-Fi Direct gives", ("192.168.49.1",), 1.0, 0.7),
)
MODEM_GATEWAY = "192.168.8.1"
NM_WEIGHTS = {"yes": 0.7, "guess-yes": 1.5}


def _radio(c: Clues) -> Iterator[Vote[Kind]]:
    if c.radio_role and c.radio_role != "station":
        yield Vote("other", 8.0, "the radio is not joined to a network as a client", proof=True)
    elif c.wireless or c.type_word == "wlan" or c.medium == "wifi":
        yield Vote("wifi", RADIO, "it is a wifi radio", proof=True)


def _type_word(c: Clues) -> Iterator[Vote[Kind]]:
    if c.type_word == "wwan":
        yield Vote("mobile", 3.0, "the system calls it a mobile broadband device")
    if c.type_word == "bluetooth":
        yield Vote("tethered", 2.5, "it is a network connection over Bluetooth")
    if c.bus == "bluetooth":
        yield Vote("tethered", 1.5, "the device behind it is a Bluetooth neighbour, most often a phone")


def _hardware(c: Clues) -> Iterator[Vote[Kind]]:
    """An Ethernet device with hardware behind it is wired unless something else is known."""
    if not c.physical or c.wireless or c.type_word in {"wlan", "wwan", "bluetooth"} or c.medium not in {"", "ethernet"}:
        return
    if c.bus == "usb":
        yield Vote("wired", 0.3, "it is an Ethernet device on USB")
    elif c.bus in VIRTUAL_MACHINE_BUSES:
        yield Vote("wired", 3.0, "it is a virtual machine's network card")
    elif c.bus != "bluetooth":
        yield Vote("wired", 2.5, "it is a network card inside the computer")
    if c.duplex:
        yield Vote("wired", 1.0, "the port negotiates speed and duplex as a cable does")


def _hardware_address(c: Clues) -> Iterator[Vote[Kind]]:
    if c.usb is None or c.local_mac is None:
        return
    if c.local_mac:
        yield Vote("tethered", 0.6, "its hardware address is a made-up one, as phones use")
    else:
        yield Vote("wired", 0.6, "its hardware address is a maker's own, as adapters have")


def _usb(c: Clues) -> Iterator[Vote[Kind]]:
    if c.usb:
        yield from usb.votes(c.usb)


def _inside(prefix: str, network: str) -> bool:
    try:
        interface = ip_interface(prefix)
    except ValueError:
        return False
    range_ = ip_network(network)
    return interface.version == 4 and interface.ip in range_ and interface.network.prefixlen >= range_.prefixlen


def _addresses(c: Clues) -> Iterator[Vote[Kind]]:
    for convention in CONVENTIONS:
        if any(_inside(p, convention.network) for p in c.prefixes):
            yield Vote("tethered", convention.weight, f"its address is from the range that {convention.who}")
            if c.gateway in convention.gateways:
                yield Vote("tethered", convention.gateway_weight, "its gateway stands where a phone's stands")
    if c.usb and c.gateway == MODEM_GATEWAY:
        yield Vote("mobile", 1.5, "its gateway stands where a USB modem's stands")


def _metered(c: Clues) -> Iterator[Vote[Kind]]:
    """NetworkManager's guess is made of the same DHCP option: the two are one clue."""
    if c.dhcp_metered:
        yield Vote("tethered", 3.5, "the address lease carries Android's mark for shared mobile data")
    elif c.nm_metered in NM_WEIGHTS and c.type_word != "wwan":
        yield Vote("tethered", NM_WEIGHTS[c.nm_metered], "NetworkManager takes it for metered")


Rule = Callable[[Clues], Iterable[Vote[Kind]]]
RULES: tuple[Rule, ...] = (
    software_votes,
    medium_votes,
    _radio,
    _type_word,
    driver_votes,
    _usb,
    _addresses,
    _metered,
    _hardware_address,
    _hardware,
    label_votes,
)


def classify(clues: Clues) -> Weighed[Kind]:
    """One link by itself."""
    return weigh([vote for rule in RULES for vote in rule(clues)], "other")


def _standing_on(c: Clues, known: dict[str, Weighed[Kind]]) -> Weighed[Kind] | None:
    """A VLAN, bond or bridge is of the kind of the device that it stands on."""
    for name in c.below if c.software in STACKED else ():
        lower = known.get(name)
        if lower and lower.what not in {"other", "vpn"}:
            words = (f"it is a {c.software} that stands on {name}", *lower.evidence)
            return Weighed(lower.what, round(lower.confidence * 0.9, 2), words)
    return None


def classify_all(all_clues: Sequence[Clues]) -> dict[str, Weighed[Kind]]:
    """All links of one computer, or one container, by name; some can only be understood beside the others."""
    known = {c.name: classify(c) for c in all_clues}
    bare = not any(c.physical for c in all_clues)
    for c in all_clues:
        if bare and c.software in VIRTUAL_CABLES and c.default_route:
            words = ("a virtual cable, and the only way out of this container",)
            known[c.name] = Weighed("wired", 0.4, words)
        elif stacked := _standing_on(c, known):
            known[c.name] = stacked
    return known
