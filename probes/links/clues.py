"""What a platform saw of one link, before anything is concluded from it."""

from __future__ import annotations

from dataclasses import dataclass

from reports.record import Link

UsbFunction = tuple[int, int, int]  # class, subclass, protocol (USB-IF defined class codes)


@dataclass(frozen=True, slots=True)
class UsbIdentity:
    """The USB device behind a link. `function` is the network function, `others` what else the device offers."""

    vendor: int
    product: int
    words: str = ""  # manufacturer and product, as the device says them; for matching, never shown
    function: UsbFunction | None = None
    others: tuple[UsbFunction, ...] = ()


@dataclass(frozen=True, slots=True)
class Clues:
    """Raw observations. None, "" and () mean that the platform did not say."""

    name: str
    type_word: str = ""  # Linux uevent DEVTYPE: wlan | wwan | bluetooth | bridge | …
    software: str = ""  # Linux rtnl kind of a device made of software: tun | veth | wireguard | …
    medium: str = ""  # Windows and macOS: wifi | wwan | bluetooth | ethernet | tunnel | ppp | loopback
    arp_type: int | None = None  # Linux ARPHRD_*
    driver: str = ""
    bus: str = ""  # pci | usb | virtio | bluetooth | …
    label: str = ""  # the platform's description of the device; for matching, never shown
    physical: bool = False  # a device of (perhaps virtual) hardware stands behind it
    wireless: bool = False
    radio_role: str = ""  # station | AP | monitor | …
    usb: UsbIdentity | None = None
    local_mac: bool | None = None  # the hardware address is a made-up one (locally administered, IEEE 802)
    duplex: str | None = None
    prefixes: tuple[str, ...] = ()  # addresses with prefix lengths
    gateway: str | None = None
    dhcp_metered: bool | None = None  # Android's vendor option (DHCP option 43) was in the lease
    nm_metered: str = ""  # NetworkManager: yes | no | guess-yes | guess-no
    default_route: bool = False
    master: str = ""  # the bridge or bond that it belongs to
    below: tuple[str, ...] = ()  # the devices it stands on


@dataclass(frozen=True, slots=True)
class Draft:
    """One platform's whole answer about one link; `link.kind` is still to be settled from the clues."""

    clues: Clues
    link: Link


def draft_link(name: str) -> Link:
    """A link of which nothing is known yet but its name."""
    return Link(name=name, kind="other", confidence=0.0, evidence=())
