"""A path over two routers, in real network namespaces: laptop, gateway, operator, room; and a neighbour.

    with routed_path() as path:
        path.shape("gateway", "up", mbit=20, queue_bytes=100_000)     # the neighbour's packets wait there too
        path.lose("first", "both", 0.04)                              # on the way to the gateway itself
        path.mtu(1300, icmp=False)                                    # and nobody says so
        path.laptop.run([…])
        path.heal()

    laptop laptop0 ── to_laptop gateway to_operator ── to_gateway operator to_room ── room0 room
              neighbour0 ── to_neighbour ┘

Devices cut everything to single packets before it leaves, so that a filter or a queue sees what a wire would.
Rates count Ethernet frames without checksum: TCP over IPv4 gets 1448/1514 of them at an MTU of 1500.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from tests.netlab import hops
from tests.netlab.hops import Hop, Router
from tests.netlab.impairment import Way
from tests.netlab.namespaces import Namespace, end, new_namespace

CHECKOUT = Path(__file__).resolve().parents[2]
MTU = 1500
SMALLEST_MTU = 1280  # IPv6 leaves a device with less
FRAME = MTU + 14
PATIENCE = 10.0
ANYBODY, NOBODY = "0 2147483647", "1 0"  # groups that may open ICMP sockets

NAMES = ("laptop", "gateway", "operator", "room", "neighbour")
LINKS = (("gateway", "laptop", 1), ("gateway", "operator", 2), ("operator", "room", 3), ("gateway", "neighbour", 4))
EGRESS: dict[tuple[str, str], str] = {
    ("gateway", "up"): "to_operator",
    ("gateway", "down"): "to_laptop",
    ("operator", "up"): "to_room",
    ("operator", "down"): "to_gateway",
}


class RoutedPath:
    """Every number of a link is in its addresses: 10.98.N.1 is the end nearer to the operator, 10.98.N.2 the other.

    The link between the routers is 10.98.2: the gateway has .1, the operator .2.
    """

    laptop_device, room_device = "laptop0", "room0"
    laptop_address, laptop_address_v6 = "10.98.1.2", "fd98:0:0:1::2"
    gateway_address, gateway_address_v6 = "10.98.1.1", "fd98:0:0:1::1"
    operator_address, operator_address_v6 = "10.98.2.2", "fd98:0:0:2::2"
    room_address, room_address_v6 = "10.98.3.2", "fd98:0:0:3::2"
    neighbour_address, neighbour_address_v6 = "10.98.4.2", "fd98:0:0:4::2"

    def __init__(self, namespaces: dict[str, Namespace]) -> None:
        self.laptop, self.gateway = namespaces["laptop"], namespaces["gateway"]
        self.operator, self.room = namespaces["operator"], namespaces["room"]
        self.neighbour = namespaces["neighbour"]
        self._loss: dict[tuple[Hop, Way], float] = {}
        self._silent = False
        self._resolver: subprocess.Popen[str] | None = None

    def of(self, name: str) -> Namespace:
        """laptop | gateway | operator | room | neighbour."""
        found: Namespace = getattr(self, name)
        return found

    # ---- impairments ---------------------------------------------------------------------------------------------

    def shape(
        self, at: Router, way: Way, mbit: float | None, queue_bytes: int = 100_000, burst_bytes: int = 2 * FRAME
    ) -> None:
        """A token bucket before that router's egress. `queue_bytes` may wait, frames of 1514 at an MTU of 1500.

        `mbit` None removes it. gateway/up and operator/down are shared with the neighbour.
        """
        device, router = EGRESS[at, way], self.of(at)
        router.run(["tc", "qdisc", "del", "dev", device, "root"], sysfs=False)
        if mbit is not None:
            rate = ["rate", f"{round(mbit * 1e6)}bit", "limit", str(queue_bytes), "burst", str(burst_bytes)]
            do(router, ["tc", "qdisc", "replace", "dev", device, "root", "tbf", *rate])

    def queued_bytes(self, at: Router, way: Way) -> int:
        """How much waits there at this moment."""
        return hops.backlog(do(self.of(at), ["tc", "-s", "qdisc", "show", "dev", EGRESS[at, way]]))

    def lose(self, hop: Hop, way: Way | Literal["both"], share: float) -> None:
        """Each packet that passes that hop is lost with this chance (0–1, in steps of 1/10 000).

        first: between laptop and gateway, the gateway's own answers too. beyond: what the operator forwards between
        gateway and room, not what the operator itself answers.
        """
        ways: tuple[Way, ...] = ("up", "down") if way == "both" else (way,)
        self._loss |= {(hop, each): share for each in ways}
        self._filter()

    def mtu(self, size: int, *, icmp: bool = True) -> None:
        """Bytes of IP that the link between the routers carries. Without `icmp` the routers do not say so."""
        if not SMALLEST_MTU <= size <= MTU:
            raise ValueError(f"an MTU of {SMALLEST_MTU} to {MTU} bytes, not {size}")
        do(self.gateway, ["ip", "link", "set", "dev", "to_operator", "mtu", str(size)])
        do(self.operator, ["ip", "link", "set", "dev", "to_gateway", "mtu", str(size)])
        self._silent = not icmp
        self._filter()
        for host in (self.laptop, self.room, self.neighbour):  # forget what an earlier MTU taught
            do(host, ["ip", "route", "flush", "cache"])
            do(host, ["ip", "-6", "route", "flush", "cache"])

    def limit_errors(self, interval_ms: int) -> None:
        """Least time between a router's ICMP errors to one host, after 6 at once. Linux has 1000; 0: no limit."""
        for router in (self.gateway, self.operator):
            setting(router, "net/ipv4/icmp_ratelimit", str(interval_ms))
            setting(router, "net/ipv6/icmp/ratelimit", str(interval_ms))

    def forbid_ping(self) -> None:
        """Nobody without privileges may open an ICMP socket on the laptop. Raises OSError under `unshare -Ur`."""
        setting(self.laptop, "net/ipv4/ping_group_range", NOBODY)

    def heal(self) -> None:
        """Every impairment off. The resolver, once there, stays and answers at once."""
        for at, way in EGRESS:
            self.of(at).run(["tc", "qdisc", "del", "dev", EGRESS[at, way], "root"], sysfs=False)
        self._loss.clear()
        self.mtu(MTU)
        allow_ping(self.laptop)
        if self._resolver is not None:
            self.resolver(0.0)

    def _filter(self) -> None:
        for router in ("gateway", "operator"):
            do(self.of(router), ["nft", "-f", "-"], hops.ruleset(router, self._loss, self._silent))

    # ---- what runs on it -----------------------------------------------------------------------------------------

    def resolver(self, delay_s: float = 0.0) -> str:
        """A resolver at the operator that answers after `delay_s`, the only one that the laptop's programs know.

        Every name has the room's address (A, AAAA). Programs started before do not see it. Returns its address.
        """
        if self._resolver is None:
            command = [sys.executable, "-m", "tests.netlab.dns_answerer", self.operator_address]
            command += [self.room_address, self.room_address_v6]
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": CHECKOUT}
            self._resolver = self.operator.popen(command, text=True, bufsize=1, sysfs=False, **pipes)
        assert self._resolver.stdin is not None
        assert self._resolver.stdout is not None
        self._resolver.stdin.write(f"{delay_s}\n")
        if not self._resolver.stdout.readline():
            raise RouterError("the resolver has ended")
        self.laptop.resolvers = (self.operator_address,)
        return self.operator_address

    @contextmanager
    def iperf(
        self, sender: str, receiver: str, *, udp_mbit: float | None = None, streams: int = 1, seconds: float = 60
    ) -> Iterator[hops.Transfer]:
        """TCP (cubic), or UDP at a rate, between two of the namespaces, until the block's end or for `seconds`.

        In the block `transfer.wait()` waits for its end; after it `transfer.report` is what the receiver counted.
        """
        with ExitStack() as stack:
            quiet: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
            server = self.of(receiver).popen(hops.iperf_server(), sysfs=False, **quiet)
            stack.callback(end, server)
            hops.wait_for(server, "listening")
            command = hops.iperf_client(getattr(self, f"{receiver}_address"), udp_mbit, streams, seconds)
            client = self.of(sender).popen(command, sysfs=False, **quiet)
            stack.callback(end, client)
            transfer = hops.Transfer(client)
            yield transfer
            transfer.stop()


class RouterError(RuntimeError):
    """A tool did not do what it was told."""


def do(namespace: Namespace, command: list[str], text: str | None = None) -> str:
    """A tool's output. Raises RouterError with its own words."""
    ended = namespace.run(command, sysfs=False, timeout=PATIENCE, input=text)
    if ended.returncode:
        raise RouterError(f"{' '.join(command)} in {namespace.name}: {ended.stderr.strip()}")
    return ended.stdout


def setting(namespace: Namespace, name: str, value: str) -> None:
    """A sysctl of the namespace, as a path below /proc/sys."""
    with namespace.enter():
        Path("/proc/sys", name).write_text(value)


def allow_ping(namespace: Namespace) -> None:
    """Under `unshare -Ur` there is one group only, the calling one."""
    try:
        setting(namespace, "net/ipv4/ping_group_range", ANYBODY)
    except OSError:
        setting(namespace, "net/ipv4/ping_group_range", "0 0")


def _join(namespaces: dict[str, Namespace], near: str, far: str, number: int) -> None:
    """A veth pair from a router to its neighbour further down the table, with addresses at both ends."""
    device = f"to_{near}" if far == "operator" else f"{far}0"
    there = f"/proc/{os.getpid()}/fd/{namespaces[far].fd}"
    do(
        namespaces[near],
        ["ip", "link", "add", "dev", f"to_{far}", "type", "veth", "peer", "name", device, "netns", there],
    )
    for name, own, last in ((near, f"to_{far}", 1), (far, device, 2)):
        lines = [f"link set dev {own} gso_max_segs 1"]
        lines += [
            f"addr add 10.98.{number}.{last}/24 dev {own}",
            f"addr add fd98:0:0:{number}::{last}/64 dev {own} nodad",
        ]
        do(namespaces[name], ["ip", "-batch", "-"], "\n".join([*lines, f"link set dev {own} up"]))


def _route(namespaces: dict[str, Namespace]) -> None:
    for name, number, last in (("laptop", 1, 1), ("neighbour", 4, 1), ("gateway", 2, 2), ("room", 3, 1)):
        lines = [f"route add default via 10.98.{number}.{last}", f"-6 route add default via fd98:0:0:{number}::{last}"]
        for line in lines:
            do(namespaces[name], ["ip", *line.split()])
    for number in (1, 4):
        do(namespaces["operator"], ["ip", "route", "add", f"10.98.{number}.0/24", "via", "10.98.2.1"])
        do(namespaces["operator"], ["ip", "-6", "route", "add", f"fd98:0:0:{number}::/64", "via", "fd98:0:0:2::1"])


@contextmanager
def routed_path() -> Iterator[RoutedPath]:
    """The five namespaces, joined, without any impairment. Raises RouterError, PermissionError, OSError."""
    with ExitStack() as stack:
        namespaces = {name: stack.enter_context(new_namespace(name)) for name in NAMES}
        for namespace in namespaces.values():  # an address is there at once
            setting(namespace, "net/ipv6/conf/default/accept_dad", "0")
        for name in ("gateway", "operator"):
            setting(namespaces[name], "net/ipv4/ip_forward", "1")
            setting(namespaces[name], "net/ipv6/conf/all/forwarding", "1")
        for near, far, number in LINKS:
            _join(namespaces, near, far, number)
        _route(namespaces)
        path = RoutedPath(namespaces)
        for host in (path.laptop, path.room, path.neighbour):
            allow_ping(host)
        yield path


class RouterFactory(Protocol):
    """`routed_path`, as the fixture hands it out."""

    def __call__(self) -> AbstractContextManager[RoutedPath]: ...


def unavailable() -> str | None:
    """Why such a path cannot be had here, in words; None when it can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    missing = [tool for tool in ("ip", "tc", "nft", "iperf3", "unshare", "mount") if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (iproute2, nftables, iperf3, util-linux)"
    try:
        with routed_path() as path:
            path.shape("gateway", "up", 10)
            path.lose("beyond", "up", 0.5)
            return None
    except (OSError, RouterError, subprocess.CalledProcessError) as error:
        return f"needs root, or run under `unshare -Urnm`, and a kernel with veth, tbf and nftables ({error})"
