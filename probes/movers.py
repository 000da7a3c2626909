"""Which kind of program moves most by a link? A kind, never a name.

Linux counts the octets of every TCP connection and tells them to anybody (sock_diag(7)); whose connection it is can be
known of the user's own processes only. UDP has no such counters. So the answer is often "not known", which is said
by no answer; elsewhere than on Linux always.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

PROC = Path("/proc")
SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
BY_FAMILY, DONE, ERROR = 20, 3, 2  # SOCK_DIAG_BY_FAMILY, NLMSG_DONE, NLMSG_ERROR
REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
LISTENING, TIME_WAIT = 10, 6
STATES = 0xFFF & ~(1 << LISTENING | 1 << TIME_WAIT)
INET_DIAG_INFO = 2
ACKED_AT = 120  # tcpi_bytes_acked and, after it, tcpi_bytes_received in struct tcp_info
HEADER, MESSAGE = struct.Struct("=IHHII"), struct.Struct("=BBBB2s2s16s16s4x8x4x4x4xII")
ATTRIBUTE = struct.Struct("=HH")
ANSWER_S = 0.5
MOST = 0.5  # of the link's background that one kind must make up to be named

KINDS: Mapping[str, str] = {
    program: kind
    for kind, programs in {
        "browser": "firefox firefox-bin firefox-esr chrome chromium chromium-browser google-chrome msedge opera brave"
        " vivaldi-bin epiphany falkon konqueror WebKitNetworkProcess librewolf",
        "file sync": "dropbox onedrive nextcloud owncloud syncthing insync megasync rclone rsync seaf-daemon unison",
        "system update": "apt apt-get aptitude packagekitd unattended-upgrade snapd flatpak dnf dnf5 yum zypper pacman"
        " fwupd fwupdmgr gnome-software plasma-discover update-manager",
        "video call": "zoom teams teams-for-linux webex CiscoCollabHost skypeforlinux jitsi-meet",
        "backup": "restic borg duplicity deja-dup kopia duplicati bacula-fd urbackupclientbackend timeshift vorta",
    }.items()
    for program in programs.split()
}
USERS: Mapping[str, str] = {"_apt": "system update"}  # accounts that do one thing only
INTERPRETERS = ("python", "perl", "ruby", "node", "java", "mono", "sh", "bash")


@dataclass(frozen=True, slots=True)
class Flow:
    """One TCP connection: its owner, and the octets that it has moved since it began."""

    inode: int
    uid: int
    octets: int


Flows = Mapping[int, Flow]


# ---- the kernel's list --------------------------------------------------------------------------------------------


def _request(family: int) -> bytes:
    body = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), STATES)
    return HEADER.pack(HEADER.size + len(body), BY_FAMILY, REQUEST_DUMP, 1, 0) + body


def _local(family: int, raw: bytes) -> str:
    if family == socket.AF_INET:
        return str(ip_address(raw[:4]))
    address = ip_address(raw)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _octets(attributes: memoryview) -> int | None:
    """Acknowledged and received octets, from the attribute with struct tcp_info."""
    while len(attributes) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(attributes)
        if length < ATTRIBUTE.size:
            return None
        if kind == INET_DIAG_INFO and ATTRIBUTE.size + ACKED_AT + 16 <= min(length, len(attributes)):
            acked, received = struct.unpack_from("=QQ", attributes, ATTRIBUTE.size + ACKED_AT)
            return int(acked) + int(received)
        attributes = attributes[(length + 3) & ~3 :]
    return None


def _flow(message: memoryview, addresses: Collection[str]) -> Flow | None:
    """A connection by one of the addresses, from its inet_diag_msg; None for others."""
    if len(message) < MESSAGE.size:
        return None
    family, _, _, _, _, _, local, _, uid, inode = MESSAGE.unpack_from(message)
    octets = _octets(message[MESSAGE.size :])
    if inode == 0 or octets is None or _local(family, local) not in addresses:
        return None
    return Flow(inode, uid, octets)


def parse(datagram: bytes, addresses: Collection[str]) -> Iterator[Flow]:
    """The connections in one datagram of the answer. Raises EOFError at the end of the answer, OSError when refused."""
    rest = memoryview(datagram)
    while len(rest) >= HEADER.size:
        length, kind, *_ = HEADER.unpack_from(rest)
        if kind == DONE:
            raise EOFError
        if kind == ERROR or not HEADER.size <= length <= len(rest):
            raise OSError("sock_diag does not answer")
        if flow := _flow(rest[HEADER.size : length], addresses):
            yield flow
        rest = rest[(length + 3) & ~3 :]


def _dump(family: int, addresses: Collection[str]) -> Iterator[Flow]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as asking, suppress(EOFError):
        asking.settimeout(ANSWER_S)
        asking.send(_request(family))
        while True:
            yield from parse(asking.recv(1 << 16), addresses)


def flows(addresses: Iterable[str]) -> Flows | None:
    """TCP connections from these addresses, by inode; None where the system does not tell. A millisecond or two."""
    if sys.platform != "linux":
        return None
    wanted = {str(ip_address(a)) for a in addresses}
    try:
        return {f.inode: f for family in (socket.AF_INET, socket.AF_INET6) for f in _dump(family, wanted)}
    except OSError:
        return None


# ---- whose they are -----------------------------------------------------------------------------------------------


def _names(process: Path) -> Iterator[str]:
    """What a process may be known by: its program, itself, and the script that an interpreter runs."""
    with suppress(OSError):
        program = (process / "exe").readlink().name.removesuffix(" (deleted)")
        yield program
        if program.startswith(INTERPRETERS):
            yield from (Path(w).name for w in (process / "cmdline").read_text(errors="replace").split("\0")[1:2] if w)
    with suppress(OSError):
        yield (process / "comm").read_text(errors="replace").strip()


def kind_of_program(names: Iterable[str]) -> str:
    """By the table; the kernel cuts some names after 15 characters."""
    cut = {program[:15]: kind for program, kind in KINDS.items()}
    return next((cut[name[:15]] for name in names if name[:15] in cut), "other")


def _inode(descriptor: Path) -> int:
    with suppress(OSError):
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            return int(target[8:-1])
    return 0


def owners(inodes: Collection[int], proc: Path = PROC) -> dict[int, Path]:
    """The processes that hold these sockets, as far as this user may see. Looks through /proc: tens of milliseconds."""
    found: dict[int, Path] = {}
    for process in (p for p in proc.iterdir() if p.name.isdecimal()):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if (inode := _inode(descriptor)) in inodes:
                    found.setdefault(inode, process)
        if len(found) == len(inodes):
            break
    return found


def _kind_of_user(uid: int) -> str | None:
    import pwd

    try:
        return USERS.get(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return None


def biggest(moved: Mapping[str, float], background: float) -> str | None:
    """The kind that made up most of the link's background; None when none did, or nothing moved."""
    kind = max(moved, key=lambda k: moved[k], default=None)
    return kind if kind and background > 0 and moved[kind] >= MOST * background else None


def kind(before: Flows, after: Flows, background: float) -> str | None:
    """Which kind moved most of the `background` octets between two lists of flows; None: not known."""
    moved = {i: f.octets - (before[i].octets if i in before else 0) for i, f in after.items()}
    moved = {i: octets for i, octets in moved.items() if octets > 0.01 * background}
    held = owners(moved) if moved else {}
    own = PROC / str(os.getpid())
    by_kind: defaultdict[str, float] = defaultdict(float)
    for inode, octets in moved.items():
        process = held.get(inode)
        word = kind_of_program(_names(process)) if process else _kind_of_user(after[inode].uid)
        if word and process != own:
            by_kind[word] += octets
    return biggest(by_kind, background)
