"""Linux: each link's own resolvers, from the first of several sources that knows them."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .dhcp import addresses_in, read
from .system_bus import call, properties

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

RESOLVED, RESOLVED_PATH = "org.freedesktop.resolve1", "/org/freedesktop/resolve1"
RESOLV_CONF = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))
NETWORKD_LINKS = (Path("/run/systemd/resolve/netif"), Path("/run/systemd/netif/links"))


def from_dns_property(rows: list[Any]) -> tuple[str, ...]:
    """systemd-resolved's property DNS: rows of address family and raw address."""
    found = []
    for row in rows:
        raw = bytes(row[1]) if len(row) > 1 else b""
        if len(raw) in {4, 16}:
            found.append(str(ip_address(raw)))
    return tuple(found)


async def from_resolved(bus: MessageBus, index: int) -> tuple[str, ...]:
    """systemd-resolved by D-Bus. Raises `NoAnswerError`."""
    [path] = await call(bus, RESOLVED, RESOLVED_PATH, f"{RESOLVED}.Manager.GetLink", "i", index)
    said = await properties(bus, RESOLVED, path, f"{RESOLVED}.Link")
    return from_dns_property(said.get("DNS", []))


def parse_link_state(content: str) -> tuple[str, ...]:
    """The keys SERVERS and DNS of systemd's link state files. A server may carry "#name" or "%scope"."""
    said = dict(line.split("=", 1) for line in content.splitlines() if "=" in line)
    words = f"{said.get('SERVERS', '')} {said.get('DNS', '')}".split()
    return tuple(dict.fromkeys(a for w in words for a in addresses_in(w.split("#")[0].split("%")[0])))


def from_state_files(index: int, folders: tuple[Path, ...] = NETWORKD_LINKS) -> tuple[str, ...]:
    """systemd's state files of one interface index."""
    answers = (parse_link_state(read(folder / str(index))) for folder in folders)
    return next((answer for answer in answers if answer), ())


def parse_resolv_conf(content: str) -> tuple[str, ...]:
    """The nameservers of a resolv.conf, without one on this computer itself, which belongs to no link."""
    words = [line.split() for line in content.splitlines()]
    found = [a for w in words if len(w) > 1 and w[0] == "nameserver" for a in addresses_in(w[1].split("%")[0])]
    return tuple(a for a in found if not ip_address(a).is_loopback)


def from_resolv_conf(paths: tuple[Path, ...] = RESOLV_CONF) -> tuple[str, ...]:
    """The computer's resolvers, whatever link they belong to."""
    return next((answer for path in paths if (answer := parse_resolv_conf(read(path)))), ())
