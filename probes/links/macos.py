"""macOS: links by SystemConfiguration, the radio by CoreWLAN, addresses and counters by psutil.

Reading (`read`, macos_calls.py) gives plain dicts and lists; understanding them (`drafts`) is tested anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reports.record import Counters, Wifi

from .clues import Clues, Draft, draft_link
from .dhcp import ANDROID_METERED

# kSCNetworkInterfaceType… values
MEDIA = {
    "IEEE80211": "wifi", "Ethernet": "ethernet", "Bluetooth": "bluetooth", "WWAN": "wwan", "PPP": "ppp",
    "IPSec": "tunnel", "L2TP": "tunnel", "PPTP": "tunnel", "6to4": "tunnel", "Modem": "wwan",
}  # fmt: skip
NAME_MEDIA = (("lo", "loopback"), ("utun", "tunnel"), ("ipsec", "tunnel"), ("ppp", "ppp"), ("bridge", "bridge"))
INNER_NAMES = ("awdl", "llw", "ap", "anpi", "gif", "stf", "vmenet", "feth", "p2p")
# CWChannelBand and CWChannelWidth
BANDS = {1: "2.4 GHz", 2: "5 GHz", 3: "6 GHz"}
WIDTHS_HZ = {1: 20e6, 2: 40e6, 3: 80e6, 4: 160e6}


@dataclass(frozen=True, slots=True)
class Raw:
    """What macOS said.

    interfaces: name, type, label, mac.  store: SystemConfiguration's dynamic store, as it is.
    wifi: by name: rssi (dBm), rate (Mbit/s), channel, band, width.  addresses: by name: address/prefix length.
    stats: by name: up, mtu.  counters: by name: psutil's four numbers.
    """

    interfaces: Sequence[Mapping[str, Any]] = ()
    store: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    wifi: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stats: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    counters: Mapping[str, Sequence[int]] = field(default_factory=dict)


def warm_up() -> None:
    """Nothing heavy is imported here."""


def frequency_hz(channel: int | None, band: str | None) -> float | None:
    """The centre of a channel, by IEEE 802.11 channel numbering."""
    if not channel or band is None:
        return None
    if band == "2.4 GHz":
        return (2484 if channel == 14 else 2407 + 5 * channel) * 1e6
    return ((5000 if band == "5 GHz" else 5950) + 5 * channel) * 1e6


def wifi_of(said: Mapping[str, Any] | None) -> Wifi | None:
    """CoreWLAN's numbers; a signal of 0 means that the radio is not joined."""
    if not said or not said.get("rssi"):
        return None
    band = BANDS.get(said.get("band", 0))
    rate = said.get("rate")
    return Wifi(
        signal_dbm=float(said["rssi"]),
        frequency_hz=frequency_hz(said.get("channel"), band),
        band=band,
        width_hz=WIDTHS_HZ.get(said.get("width", 0)),
        tx_rate_bytes_per_second=rate * 1e6 / 8 if rate else None,
    )


def services_of(store: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    """Ids of the services whose IPv4 or IPv6 state names this interface."""
    ids = []
    for key, value in store.items():
        parts = key.split("/")
        if key.startswith("State:/Network/Service/") and len(parts) == 5 and parts[4] in {"IPv4", "IPv6"}:
            ids += [parts[3]] if value.get("InterfaceName") == name else []
    return list(dict.fromkeys(ids))


def _service(raw: Raw, name: str, part: str) -> list[Mapping[str, Any]]:
    found = (raw.store.get(f"State:/Network/Service/{s}/{part}") for s in services_of(raw.store, name))
    return [value for value in found if value]


def _router(raw: Raw, name: str, part: str) -> str | None:
    routers = (str(v["Router"]) for v in _service(raw, name, part) if v.get("Router"))
    return next((r.partition("%")[0] for r in routers), None)


def _dhcp_metered(raw: Raw, name: str) -> bool | None:
    marks = [bytes(v.get("Option_43") or b"") for v in _service(raw, name, "DHCP")]
    return True if any(ANDROID_METERED in mark for mark in marks) else None


def _medium(name: str, kind: str) -> str:
    if kind in MEDIA:
        return MEDIA[kind]
    return next((medium for start, medium in NAME_MEDIA if name.startswith(start)), "")


def _is_inner(name: str) -> bool:
    return name.rstrip("0123456789") in INNER_NAMES


def _local_mac(mac: str) -> bool | None:
    try:
        return bool(int(mac.partition(":")[0], 16) & 0x02)
    except ValueError:
        return None


def _clues(raw: Raw, said: Mapping[str, Any]) -> Clues:
    name, label = str(said["name"]), str(said.get("label") or "")
    medium = "bridge" if _is_inner(name) else _medium(name, str(said.get("type") or ""))
    on_usb = "USB" in label or "iPhone" in label or "iPad" in label
    return Clues(
        name=name,
        medium=medium,
        bus="usb" if on_usb else "",
        label=label,
        physical=bool(said.get("mac")) and medium in {"ethernet", "wifi", "wwan", "bluetooth"},
        wireless=medium == "wifi",
        local_mac=_local_mac(str(said.get("mac") or "")),
        prefixes=tuple(raw.addresses.get(name, ())),
        gateway=_router(raw, name, "IPv4"),
        dhcp_metered=_dhcp_metered(raw, name),
        default_route=bool(_router(raw, name, "IPv4") or _router(raw, name, "IPv6")),
    )


def _addresses(raw: Raw, name: str) -> tuple[str, ...]:
    own = [a.partition("/")[0].partition("%")[0] for a in raw.addresses.get(name, ())]
    wide = [a for a in own if not a.lower().startswith("fe80:")]
    return tuple(wide or own)


def _counters(raw: Raw, name: str) -> Counters | None:
    numbers = raw.counters.get(name)
    return Counters(numbers[0], numbers[1], numbers[2], numbers[3]) if numbers else None


def _resolvers(raw: Raw, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(a) for v in _service(raw, name, "DNS") for a in v.get("ServerAddresses", ())))


def _primary(raw: Raw) -> str | None:
    for part in ("IPv4", "IPv6"):
        if name := raw.store.get(f"State:/Network/Global/{part}", {}).get("PrimaryInterface"):
            return str(name)
    return None


def _carrier(raw: Raw, name: str) -> bool | None:
    """The link state where the store has it, else what the device's flags say."""
    state = raw.store.get(f"State:/Network/Interface/{name}/Link", {}).get("Active")
    up = raw.stats.get(name, {}).get("up") if state is None else state
    return None if up is None else bool(up)


def draft(raw: Raw, said: Mapping[str, Any]) -> Draft:
    """One interface as a draft. macOS has no route metrics: the primary interface is 0, others with a router 1."""
    clues, name = _clues(raw, said), str(said["name"])
    wifi, primary = wifi_of(raw.wifi.get(name)), _primary(raw) == str(said["name"])
    link = replace(
        draft_link(name),
        carrier=_carrier(raw, name),
        addresses=_addresses(raw, name),
        gateway=clues.gateway,
        gateway_v6=_router(raw, name, "IPv6"),
        resolvers=_resolvers(raw, name),
        mtu_bytes=raw.stats.get(name, {}).get("mtu"),
        rate_bytes_per_second=wifi.tx_rate_bytes_per_second if wifi else None,
        route_metric=0 if primary else 1 if clues.default_route else None,
        is_default=primary,
        wifi=wifi,
        counters=_counters(raw, name),
    )
    return Draft(clues, link)


def drafts(raw: Raw) -> tuple[Draft, ...]:
    """All interfaces: those SystemConfiguration knows, then those only psutil sees (tunnels, loopback)."""
    known = {str(i["name"]) for i in raw.interfaces if i.get("name")}
    only_seen = [{"name": n} for n in raw.stats if n not in known]
    return tuple(draft(raw, said) for said in [*(i for i in raw.interfaces if i.get("name")), *only_seen])


async def collect() -> tuple[tuple[Draft, ...], list[str]]:
    """Drafts of all links. Raises `OSError` where SystemConfiguration is not there."""
    import asyncio

    from .macos_calls import read

    return drafts(await asyncio.to_thread(read)), []
