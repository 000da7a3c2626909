"""Linux: what NetworkManager holds of a link: metered or not, its resolvers, the DHCP mark. By D-Bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .dhcp import ANDROID_METERED, addresses_in, option_bytes
from .system_bus import NoAnswerError, call, properties

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

SERVICE, ROOT = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
METERED = {1: "yes", 2: "no", 3: "guess-yes", 4: "guess-no"}  # NMMetered; 0 is unknown


@dataclass(frozen=True, slots=True)
class Managed:
    """`metered` is "" when NetworkManager does not know."""

    metered: str = ""
    resolvers: tuple[str, ...] = ()
    dhcp_metered: bool | None = None


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)


def nameservers(ip_config: dict[str, Any]) -> tuple[str, ...]:
    """From the property NameserverData of an IP4Config or IP6Config."""
    rows = ip_config.get("NameserverData") or ip_config.get("Nameservers") or []
    said = [str(_plain(row.get("address", ""))) for row in rows if isinstance(row, dict)]
    return tuple(a for text in said for a in addresses_in(text))


def managed(device: dict[str, Any], ip_config: dict[str, Any], dhcp: dict[str, Any]) -> Managed:
    """The three objects' properties as one answer."""
    options = {name: str(_plain(v)) for name, v in (dhcp.get("Options") or {}).items()}
    mark = options.get("vendor_encapsulated_options") or options.get("private_43") or ""
    return Managed(
        metered=METERED.get(device.get("Metered", 0), ""),
        resolvers=nameservers(ip_config),
        dhcp_metered=True if ANDROID_METERED in option_bytes(mark) else None,
    )


async def _part(bus: MessageBus, device: dict[str, Any], what: str) -> dict[str, Any]:
    path = device.get(what) or "/"
    if path == "/":
        return {}
    try:
        return await properties(bus, SERVICE, path, f"{SERVICE}.{what.replace('Dhcp4', 'DHCP4').replace('Ip4', 'IP4')}")
    except NoAnswerError:
        return {}


async def ask(bus: MessageBus, name: str, mac: str) -> Managed:
    """One device by name. A device of that name in another namespace (another hardware address) is not ours.

    Raises `NoAnswerError` when NetworkManager is not there or does not know the device.
    """
    [path] = await call(bus, SERVICE, ROOT, f"{SERVICE}.GetDeviceByIpIface", "s", name)
    device = await properties(bus, SERVICE, path, f"{SERVICE}.Device")
    theirs = str(device.get("HwAddress", "")).lower()
    if mac and theirs and theirs != mac.lower():
        raise NoAnswerError(SERVICE)
    return managed(device, await _part(bus, device, "Ip4Config"), await _part(bus, device, "Dhcp4Config"))
