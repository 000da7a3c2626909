"""Linux: the address leases that DHCP clients leave behind, where they may be read.

Looked for: Android's mark for shared mobile data, vendor option 43 "ANDROID_METERED" (RFC 2132 section 8.4; the text
is Android's own), and the link's resolvers. A lease counts only when its address is still the link's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from pathlib import Path

ANDROID_METERED = b"ANDROID_METERED"
LARGEST = 1_000_000
MOST_FILES = 64
DHCLIENT_FOLDERS = (Path("/var/lib/dhcp"), Path("/var/lib/dhclient"), Path("/var/lib/NetworkManager"))
NETWORKD_LEASES = Path("/run/systemd/netif/leases")
NM_FOLDER = Path("/var/lib/NetworkManager")

_BLOCK = re.compile(r"lease\s*\{(.*?)\n\}", re.S)
_STATEMENT = re.compile(r'^\s*(?:option\s+)?([\w-]+)\s+((?:"(?:\\.|[^"\\\n])*"|[^;"\n])*);', re.M)


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease. `interface` is "" where the file does not say; `metered` True only when the mark is there."""

    address: str
    interface: str = ""
    metered: bool = False
    resolvers: tuple[str, ...] = ()


def addresses_in(words: str) -> tuple[str, ...]:
    """The IP addresses among words separated by spaces or commas."""
    return tuple(w for w in re.split(r"[\s,]+", words) if w and is_address(w))


def is_address(word: str) -> bool:
    """Is it one IP address?"""
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def option_bytes(value: str) -> bytes:
    """An option's content, written as "text", as 41:4e:… or as plain hexadecimal."""
    if value.startswith('"'):
        return value.strip('"').encode(errors="replace")
    try:
        return bytes(int(part, 16) for part in value.split(":")) if ":" in value else bytes.fromhex(value)
    except ValueError:
        return value.encode(errors="replace")


def _dhclient_lease(block: str) -> Lease | None:
    said = dict(_STATEMENT.findall(block))
    address = said.get("fixed-address", "").strip()
    if not is_address(address):
        return None
    mark = option_bytes(said.get("vendor-encapsulated-options", "").strip())
    resolvers = addresses_in(said.get("domain-name-servers", ""))
    return Lease(address, said.get("interface", "").strip('" '), ANDROID_METERED in mark, resolvers)


def parse_dhclient(content: str) -> tuple[Lease, ...]:
    """ISC dhclient's file: blocks `lease { … }`, the latest last."""
    leases = (_dhclient_lease(block) for block in _BLOCK.findall(content))
    return tuple(lease for lease in leases if lease)


def parse_networkd(content: str, interface: str = "") -> Lease | None:
    """KEY=value, as systemd-networkd and NetworkManager's internal client write."""
    said = dict(line.split("=", 1) for line in content.splitlines() if "=" in line and not line.startswith("#"))
    address = said.get("ADDRESS", "")
    if not is_address(address):
        return None
    mark = option_bytes(said.get("VENDOR_SPECIFIC", said.get("OPTION_43", "")))
    return Lease(address, interface, ANDROID_METERED in mark, addresses_in(said.get("DNS", "")))


def read(path: Path) -> str:
    """The file's text, or "" when it may not be read or is absurdly large."""
    try:
        return "" if path.stat().st_size > LARGEST else path.read_text(errors="replace")
    except OSError:
        return ""


def _files(folder: Path, pattern: str) -> list[Path]:
    """The folder's files by age, newest last; none when it may not be listed."""
    try:
        found = [(path.stat().st_mtime, path) for path in islice(folder.glob(pattern), MOST_FILES)]
    except OSError:
        return []
    return [path for _, path in sorted(found)]


def leases(folders: Sequence[Path] = DHCLIENT_FOLDERS, nm_folder: Path = NM_FOLDER) -> Iterator[Lease]:
    """All readable leases of dhclient and NetworkManager, later ones last."""
    for folder in folders:
        for path in _files(folder, "*.lease*"):
            yield from parse_dhclient(read(path))
    for path in _files(nm_folder, "internal-*.lease"):
        if lease := parse_networkd(read(path), path.stem.rsplit("-", 1)[-1]):
            yield lease


def networkd_lease(index: int, folder: Path = NETWORKD_LEASES) -> Lease | None:
    """systemd-networkd's lease of one interface index."""
    return parse_networkd(read(folder / str(index)))


def lease_for(name: str, addresses: Iterable[str], known: Sequence[Lease]) -> Lease | None:
    """The latest lease that gave this link the address it has."""
    own = set(addresses)
    fitting = [lease for lease in known if lease.interface in {name, ""} and lease.address in own]
    return fitting[-1] if fitting else None
